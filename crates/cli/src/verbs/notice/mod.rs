//! `siaga notice`: what the units are told.

mod act;
mod by_hand;
mod draft;
mod list;
mod preview;

use crate::args::Global;
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use crate::term::out;
use siaga_model::notice::Moment;
use siaga_model::notice_api::{NoticeAct, NoticeAnswer, NoticeRequest, NoticeView, NoticesAnswer};
use siaga_model::{NoticeId, UnitName};
use siaga_words::{NoticeScreen, notice_screen};

/// Show what the units are told of a downtime, and tell them
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    pub verb: NoticeVerb,
}

const EXAMPLES: &str = "Examples:
  siaga notice draft suspected --sentence \"log-in hangs\" --release
  siaga notice list
  siaga notice ack NOTICE --unit igd --by \"Ns. Rina\"
  siaga notice preview confirmed --lang id";

#[derive(clap::Subcommand, Debug, Clone)]
pub enum NoticeVerb {
    List(list::ListArgs),
    Show(list::ShowArgs),
    Draft(Box<draft::Args>),
    Release(act::ReleaseArgs),
    Drop(act::DropArgs),
    SendByHand(by_hand::Args),
    Ack(act::AckArgs),
    CallList(by_hand::CallListArgs),
    Preview(preview::Args),
}

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    match &args.verb {
        NoticeVerb::List(args) => list::list(global, args),
        NoticeVerb::Show(args) => list::show(global, args),
        NoticeVerb::Draft(args) => draft::run(global, args),
        NoticeVerb::Release(args) => act::release(global, args),
        NoticeVerb::Drop(args) => act::drop_notice(global, args),
        NoticeVerb::SendByHand(args) => by_hand::run(global, args),
        NoticeVerb::Ack(args) => act::ack(global, args),
        NoticeVerb::CallList(args) => by_hand::call_list(global, args),
        NoticeVerb::Preview(args) => preview::run(global, args),
    }
}

/// The moments by their words on the command line, in order.
pub(crate) fn moments() -> [&'static str; Moment::ALL.len()] {
    Moment::ALL.map(siaga_comms::moment_word)
}

/// A notice's name from the command line.
pub fn notice_id(text: &str) -> Result<NoticeId, String> {
    crate::args::plain(text).map(NoticeId::new)
}

/// A unit's name from the command line.
pub fn unit(text: &str) -> Result<UnitName, String> {
    crate::args::plain(text).map(UnitName::new)
}

fn say(ctx: &Context, text: NoticeScreen) -> String {
    notice_screen(&ctx.voice, &text)
}

/// One notice, as the agent shows it.
fn one(ctx: &Context, notice: &NoticeId) -> Result<NoticeView, Fault> {
    let path = format!(
        "/v1/notices?notice={}",
        crate::client::encoded(notice.as_str())
    );
    let answer: NoticesAnswer = ctx.client.get(&path, LOOK)?;
    answer.notices.into_iter().next().ok_or_else(|| {
        let notice = notice.clone();
        let why = siaga_model::notice_api::NoticeRefusal::NoSuchNotice { notice };
        Fault::Refused(say(ctx, NoticeScreen::Refused { why }))
    })
}

/// Asks for an act, and says what came of it: `done` where it was done.
pub(crate) fn ask(
    ctx: &Context,
    act: NoticeAct,
    json: bool,
    done: impl FnOnce(Option<NoticeId>) -> NoticeScreen,
) -> Result<Exit, Fault> {
    let request = NoticeRequest {
        act,
        stated_actor: ctx.stated.clone(),
    };
    let answer: NoticeAnswer = ctx.client.post("/v1/notices", &request, LOOK)?;
    if json {
        show::json(&answer)?;
    }
    let (exit, text) = match answer {
        NoticeAnswer::Done { notice } => {
            let text = say(ctx, done(notice));
            if !json {
                out(&text);
            }
            return Ok(Exit::Done);
        }
        NoticeAnswer::NotAllowed { refusal } => {
            (Exit::Refused, siaga_words::refusal(&ctx.voice, &refusal))
        }
        NoticeAnswer::Refused { why } => (Exit::Refused, say(ctx, NoticeScreen::Refused { why })),
        NoticeAnswer::Failed { why } => (Exit::Failed, say(ctx, NoticeScreen::Failed { why })),
    };
    if !json {
        eprintln!("{text}");
    }
    Ok(exit)
}
