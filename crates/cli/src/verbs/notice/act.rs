//! `siaga notice release`, `drop` and `ack`.

use super::{ask, notice_id, one, unit};
use crate::args::Global;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use siaga_model::notice_api::NoticeAct;
use siaga_model::{NoticeId, UnitName};
use siaga_words::NoticeScreen;

/// Release a notice: it goes out now
#[derive(clap::Args, Debug, Clone)]
#[command(
    after_help = "Examples:\n  siaga notice release NOTICE\n  siaga notice release NOTICE --json"
)]
pub struct ReleaseArgs {
    #[arg(value_name = "NOTICE", value_parser = notice_id)]
    pub notice: NoticeId,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Drop a notice or an alert: what was not sent yet goes nowhere
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = "Examples:\n  siaga notice drop NOTICE --reason \"written twice\"")]
pub struct DropArgs {
    #[arg(value_name = "NOTICE", value_parser = notice_id)]
    pub notice: NoticeId,
    /// Why; it goes into the log.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Record that a unit has read a notice, or that you take care of an alert
#[derive(clap::Args, Debug, Clone)]
#[command(
    after_help = "Examples:\n  siaga notice ack NOTICE --unit igd --by \"Ns. Rina\"\n  siaga notice ack ALERT"
)]
pub struct AckArgs {
    #[arg(value_name = "NOTICE", value_parser = notice_id)]
    pub notice: NoticeId,
    /// The unit that said so. Left out for an alert.
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    pub unit: Option<UnitName>,
    /// Who of the unit said so; default: you.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub by: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Releases it.
pub fn release(global: &Global, args: &ReleaseArgs) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let notice = args.notice.clone();
    let act = NoticeAct::Release {
        notice: notice.clone(),
    };
    ask(&ctx, act, args.json, |_| NoticeScreen::Released { notice })
}

/// Drops it.
pub fn drop_notice(global: &Global, args: &DropArgs) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let notice = args.notice.clone();
    let act = NoticeAct::Drop {
        notice: notice.clone(),
        reason: args.reason.clone(),
    };
    ask(&ctx, act, args.json, |_| NoticeScreen::Dropped { notice })
}

/// Records an acknowledgement.
pub fn ack(global: &Global, args: &AckArgs) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let notice = args.notice.clone();
    let act = match &args.unit {
        Some(unit) => NoticeAct::Acknowledge {
            notice,
            unit: unit.clone(),
            by: args.by.clone(),
        },
        None => {
            one(&ctx, &notice)?;
            NoticeAct::AcknowledgeAlert { notice }
        }
    };
    ask(&ctx, act, args.json, |_| NoticeScreen::Acknowledged)
}
