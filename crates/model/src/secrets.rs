//! Which files of the site hold secrets.

use crate::config::Config;
use crate::downtime::ChannelKind;
use std::path::Path;

impl Config {
    /// Every file whose content nobody may see: fences, channels, the key of the acknowledgement links, the role of a
    /// rehearsal.
    pub fn secret_files(&self) -> Vec<&Path> {
        let fences = self.nodes.iter().flat_map(|n| &n.fences);
        let mut files: Vec<&Path> = fences
            .flat_map(|f| &f.secret_options)
            .map(|(_, path)| path.as_path())
            .collect();
        let rehearsals = self.services.iter().map(|s| &s.rehearsal);
        files.extend(rehearsals.filter_map(|r| r.password_file.as_deref()));
        for channel in &self.downtime.channels {
            files.extend(match &channel.kind {
                ChannelKind::Mail { password_file, .. } => password_file.as_deref(),
                ChannelKind::Webhook { secret_file, .. } => Some(secret_file.as_path()),
                ChannelKind::Telegram { token_file, .. } => Some(token_file.as_path()),
                ChannelKind::Program { .. } | ChannelKind::ByHand => None,
            });
        }
        files.extend(
            self.downtime
                .rules
                .ack
                .as_ref()
                .map(|a| a.secret_file.as_path()),
        );
        files
    }
}
