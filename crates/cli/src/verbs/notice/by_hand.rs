//! `siaga notice send-by-hand` and `call-list`: what a person does.

use super::{ask, notice_id, one, say, unit};
use crate::args::Global;
use crate::client::encoded;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::term::out;
use siaga_comms::{CallRow, call_list as table, fit, whole};
use siaga_model::config::Language;
use siaga_model::downtime::ChannelKind;
use siaga_model::notice::{Recipient, Text};
use siaga_model::notice_api::{DeliveryState, NoticeAct, NoticeView, RecipientView};
use siaga_model::{NoticeId, UnitName};
use siaga_words::NoticeScreen;

/// Print what a person copies and sends, and tick it off
///
/// Ordinary message groups can't be reached by a program: a person sends, and the record says who and when.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[arg(value_name = "NOTICE", value_parser = notice_id)]
    pub notice: NoticeId,
    /// It was sent to this unit: tick it off.
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    pub done: Option<UnitName>,
    /// Print JSON.
    #[arg(long, requires = "done")]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga notice send-by-hand NOTICE
  siaga notice send-by-hand NOTICE --done igd";

/// Print the list of whom to call, with a place for the time and a box to tick
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = "Examples:\n  siaga notice call-list NOTICE > calls.txt")]
pub struct CallListArgs {
    #[arg(value_name = "NOTICE", value_parser = notice_id)]
    pub notice: NoticeId,
}

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let notice = one(&ctx, &args.notice)?;
    match &args.done {
        Some(unit) => done(&ctx, &notice, unit, args.json),
        None => {
            print(&ctx, &notice);
            Ok(Exit::Done)
        }
    }
}

fn by_hand(recipient: &RecipientView) -> bool {
    recipient
        .deliveries
        .iter()
        .any(|d| d.state == DeliveryState::ByHand)
}

fn done(ctx: &Context, notice: &NoticeView, unit: &UnitName, json: bool) -> Result<Exit, Fault> {
    let of_unit = |r: &&RecipientView| r.to == Recipient::Unit(unit.clone());
    let deliveries = notice.recipients.iter().find(of_unit);
    let deliveries: Vec<_> = deliveries
        .iter()
        .flat_map(|r| &r.deliveries)
        .filter(|d| d.state == DeliveryState::ByHand)
        .collect();
    if deliveries.is_empty() {
        eprintln!("{}", say(ctx, NoticeScreen::NothingByHand));
        return Ok(Exit::Refused);
    }
    for delivery in deliveries {
        let act = NoticeAct::Tick {
            notice: notice.notice.clone(),
            delivery: delivery.delivery.clone(),
        };
        let exit = ask(ctx, act, json, |_| NoticeScreen::Ticked)?;
        if exit != Exit::Done {
            return Ok(exit);
        }
    }
    Ok(Exit::Done)
}

fn print(ctx: &Context, notice: &NoticeView) {
    if !notice.recipients.iter().any(by_hand) {
        return out(&say(ctx, NoticeScreen::NothingByHand));
    }
    for text in &notice.texts {
        let text = ready(text);
        out(&say(ctx, NoticeScreen::CopyThis));
        for recipient in notice.recipients.iter().filter(|r| by_hand(r)) {
            for delivery in &recipient.deliveries {
                if delivery.state == DeliveryState::ByHand {
                    let (title, contact) = (&recipient.title, &delivery.contact);
                    out(&format!("  {title}: {contact} {}", delivery.address));
                }
            }
        }
        out(&format!("\n{text}\n"));
        out(&say(ctx, NoticeScreen::ShareLink));
        out(&format!("  https://wa.me/?text={}\n", encoded(&text)));
    }
    for recipient in notice.recipients.iter().filter(|r| by_hand(r)) {
        if let Recipient::Unit(unit) = &recipient.to {
            let (notice, unit) = (notice.notice.clone(), unit.to_string());
            out(&say(ctx, NoticeScreen::TickWith { notice, unit }));
        }
    }
}

fn ready(text: &Text) -> String {
    fit(
        &whole(text),
        siaga_comms::limit(&ChannelKind::ByHand),
        text.language,
    )
}

/// Prints the call list.
pub fn call_list(global: &Global, args: &CallListArgs) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let notice = one(&ctx, &args.notice)?;
    let language: Language = ctx.voice.language;
    let mut rows = Vec::new();
    for recipient in &notice.recipients {
        let done = recipient
            .acknowledged
            .as_ref()
            .map(|ack| ctx.voice.clock(ack.at));
        let row = |contact: &str, number: &str| CallRow {
            unit: recipient.title.clone(),
            contact: contact.to_owned(),
            number: number.to_owned(),
            done: done.clone(),
        };
        match recipient.deliveries.is_empty() {
            true => rows.push(row("", "")),
            false => rows.extend(
                recipient
                    .deliveries
                    .iter()
                    .map(|d| row(&d.contact, &d.address)),
            ),
        }
    }
    out(table(language, &rows).trim_end());
    Ok(Exit::Done)
}
