//! The ways to send a text: each kind has keys of its own, and secrets only in files.

use super::Context;
use crate::cause::{Cause, ContactKind, Thing};
use crate::choices::ChannelSort;
use crate::host::secret_problem;
use crate::raw;
use crate::read::{Many, Opt, Place, Spot};
use crate::scalars::{AbsolutePath, Url};
use siaga_model::ChannelName;
use siaga_model::downtime::{Channel, ChannelKind, MailTls};
use std::net::IpAddr;

/// Where the bot API is, where nobody says otherwise.
const TELEGRAM: &str = "https://api.telegram.org";

pub(super) fn channels(
    list: &Many<raw::Channel>,
    context: &mut Context<'_>,
) -> Option<Vec<Channel>> {
    context.unique(
        Thing::Channel,
        list.0.iter().filter_map(|c| c.value.name.0.as_ref()),
        |n| n.0.clone(),
    );
    let all: Vec<Option<Channel>> = list.0.iter().map(|c| channel(c, context)).collect();
    all.into_iter().collect()
}

fn channel(spot: &Spot<raw::Channel>, context: &mut Context<'_>) -> Option<Channel> {
    let raw = &spot.value;
    let sort = raw.kind.0.as_ref()?;
    only_its_own(raw, sort.value.0, &word(sort.value.0), context);
    let place = Needs {
        at: &sort.at,
        key: &spot.key,
    };
    let kind = match sort.value.0 {
        ChannelSort::Mail => mail(raw, &place, context),
        ChannelSort::Webhook => webhook(raw, &place, context),
        ChannelSort::Program => program(raw, &place, context),
        ChannelSort::Telegram => telegram(raw, &place, context),
        ChannelSort::ByHand => Some(ChannelKind::ByHand),
    };
    Some(Channel {
        name: ChannelName::new(raw.name.value()?.0.clone()),
        kind: kind?,
        timeout: raw.timeout.or_seconds(15),
    })
}

/// Where a missing key is reported: at the kind that needs it.
struct Needs<'a> {
    at: &'a Place,
    key: &'a str,
}

impl Needs<'_> {
    /// The value; its absence is an error.
    fn need<'o, T>(
        &self,
        name: &str,
        opt: &'o Opt<T>,
        context: &mut Context<'_>,
    ) -> Option<&'o Spot<T>> {
        if !opt.written {
            let name = name.to_owned();
            let key = format!("{}.{name}", self.key);
            context.sink.push(self.at, &key, Cause::MissingKey { name });
        }
        opt.spot.as_ref()
    }

    /// A file with a secret.
    fn secret(
        &self,
        name: &str,
        opt: &Opt<AbsolutePath>,
        context: &mut Context<'_>,
    ) -> Option<std::path::PathBuf> {
        let spot = self.need(name, opt, context)?;
        if let Some(cause) = secret_problem(&spot.value.0, context.host) {
            context.sink.at(spot, cause);
        }
        Some(spot.value.0.clone())
    }
}

fn mail(raw: &raw::Channel, place: &Needs<'_>, context: &mut Context<'_>) -> Option<ChannelKind> {
    let server = place.need("server", &raw.server, context);
    let from = place.need("from", &raw.from, context);
    if let Some(from) = from.filter(|f| !is_mail(&f.value.0)) {
        let cause = Cause::BadContact {
            found: from.value.0.clone(),
            kind: ContactKind::Mail,
        };
        context.sink.at(from, cause);
    }
    let user = raw.user.value().map(|u| u.0.clone());
    let password_file = match (&raw.user.written, &raw.password_file.written) {
        (false, false) => None,
        (true, _) => place.secret("password_file", &raw.password_file, context),
        (false, true) => {
            place.need("user", &raw.user, context);
            None
        }
    };
    let tls = raw.tls.value().map_or(MailTls::default(), |t| t.0);
    if let (Some(server), Some(word), MailTls::None, true) =
        (server, &raw.tls.spot, tls, raw.user.written)
        && !is_here(&server.value.0)
    {
        let server = server.value.0.clone();
        context.sink.at(word, Cause::PasswordInClear { server });
    }
    let port = match tls {
        MailTls::Starttls => 587,
        MailTls::Tls => 465,
        MailTls::None => 25,
    };
    Some(ChannelKind::Mail {
        server: server?.value.0.clone(),
        port: raw.port.value().map_or(port, |p| p.0),
        tls,
        from: from?.value.0.clone(),
        user,
        password_file,
        ca_file: raw.ca_file.value().map(|p| p.0.clone()),
    })
}

fn webhook(
    raw: &raw::Channel,
    place: &Needs<'_>,
    context: &mut Context<'_>,
) -> Option<ChannelKind> {
    let url = place.need("url", &raw.url, context);
    if let Some(url) = url {
        private(url, context);
    }
    let secret_file = place.secret("secret_file", &raw.secret_file, context);
    Some(ChannelKind::Webhook {
        url: url?.value.0.clone(),
        secret_file: secret_file?,
        ca_file: raw.ca_file.value().map(|p| p.0.clone()),
    })
}

fn program(
    raw: &raw::Channel,
    place: &Needs<'_>,
    context: &mut Context<'_>,
) -> Option<ChannelKind> {
    let list = place.need("run", &raw.run, context)?;
    Some(ChannelKind::Program {
        run: context.argv(list)?,
    })
}

fn telegram(
    raw: &raw::Channel,
    place: &Needs<'_>,
    context: &mut Context<'_>,
) -> Option<ChannelKind> {
    if let Some(api) = &raw.api.spot {
        private(api, context);
    }
    let token_file = place.secret("token_file", &raw.token_file, context);
    let api = raw.api.value().map_or(TELEGRAM, |u| u.0.as_str());
    Some(ChannelKind::Telegram {
        api: api.trim_end_matches('/').to_owned(),
        token_file: token_file?,
        ca_file: raw.ca_file.value().map(|p| p.0.clone()),
        buttons: raw.buttons.value().copied().unwrap_or(false),
    })
}

/// A text and its signature go to another machine only through TLS.
pub(super) fn private(url: &Spot<Url>, context: &mut Context<'_>) {
    let plain = url.value.0.strip_prefix("http://");
    if plain.is_some_and(|rest| !is_here(host(rest))) {
        let found = url.value.0.clone();
        context.sink.at(url, Cause::UrlInClear { found });
    }
}

/// The host in `host:port/path`.
fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// This very machine.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// One mail address: a name, one `@`, a domain, and nothing that could begin another header or address.
pub(super) fn is_mail(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |t: &str| {
        !t.is_empty()
            && t.chars()
                .all(|c| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c))
    };
    plain(name) && plain(domain) && !domain.starts_with('.') && !domain.ends_with('.')
}

/// A chat's number, or a public channel's `@name`.
pub(super) fn is_chat(text: &str) -> bool {
    let public = text.strip_prefix('@').is_some_and(|name| {
        name.len() >= 5 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    public || text.parse::<i64>().is_ok_and(|n| n != 0)
}

fn word(sort: ChannelSort) -> String {
    match sort {
        ChannelSort::Mail => "kind = mail",
        ChannelSort::Webhook => "kind = webhook",
        ChannelSort::Program => "kind = program",
        ChannelSort::Telegram => "kind = telegram",
        ChannelSort::ByHand => "kind = by-hand",
    }
    .to_owned()
}

/// Each kind has keys of its own; any other does not go with it.
fn only_its_own(raw: &raw::Channel, sort: ChannelSort, word: &str, context: &mut Context<'_>) {
    use ChannelSort::{Mail, Program, Telegram, Webhook};
    type Where = Option<(Place, String)>;
    fn place<T>(opt: &Opt<T>) -> Where {
        opt.spot.as_ref().map(|s| (s.at.clone(), s.key.clone()))
    }
    let keys: [(&str, &[ChannelSort], Where); 13] = [
        ("server", &[Mail], place(&raw.server)),
        ("port", &[Mail], place(&raw.port)),
        ("tls", &[Mail], place(&raw.tls)),
        ("from", &[Mail], place(&raw.from)),
        ("user", &[Mail], place(&raw.user)),
        ("password_file", &[Mail], place(&raw.password_file)),
        ("ca_file", &[Mail, Webhook, Telegram], place(&raw.ca_file)),
        ("url", &[Webhook], place(&raw.url)),
        ("secret_file", &[Webhook], place(&raw.secret_file)),
        ("run", &[Program], place(&raw.run)),
        ("api", &[Telegram], place(&raw.api)),
        ("token_file", &[Telegram], place(&raw.token_file)),
        ("buttons", &[Telegram], place(&raw.buttons)),
    ];
    for (name, of, place) in keys {
        if let Some((at, key)) = place.filter(|_| !of.contains(&sort)) {
            let cause = Cause::NotWith {
                name: name.to_owned(),
                other: word.to_owned(),
            };
            context.sink.push(&at, &key, cause);
        }
    }
}
