//! `siaga notice list` and `show`: what was told, by what, and who has not read it yet.

use super::{notice_id, one, say};
use crate::args::Global;
use crate::client::encoded;
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show::{self, padded};
use crate::term::out;
use siaga_model::NoticeId;
use siaga_model::notice::Recipient;
use siaga_model::notice_api::{DeliveryView, NoticeView, NoticesAnswer, RecipientView};
use siaga_words::NoticeScreen;

/// List the notices and alerts, the newest last
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = "Examples:\n  siaga notice list\n  siaga notice list --limit 100 --json")]
pub struct ListArgs {
    /// Only this incident's.
    #[arg(long, value_name = "INCIDENT")]
    pub incident: Option<String>,
    /// The newest N.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Show a notice: its texts, each delivery, and who has not read it yet
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = "Examples:\n  siaga notice show NOTICE\n  siaga notice show NOTICE --json")]
pub struct ShowArgs {
    #[arg(value_name = "NOTICE", value_parser = notice_id)]
    pub notice: NoticeId,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Lists them.
pub fn list(global: &Global, args: &ListArgs) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let mut path = format!("/v1/notices?limit={}", args.limit);
    if let Some(incident) = &args.incident {
        path.push_str(&format!("&incident={}", encoded(incident)));
    }
    let answer: NoticesAnswer = ctx.client.get(&path, LOOK)?;
    if args.json {
        show::json(&answer)?;
        return Ok(Exit::Done);
    }
    if let Some(pause) = &answer.pause {
        out(&say(
            &ctx,
            NoticeScreen::PauseStands {
                until: pause.until,
                reason: pause.reason.clone(),
                by: pause.by.clone(),
            },
        ));
        out("");
    }
    if answer.notices.is_empty() {
        out(&say(&ctx, NoticeScreen::NoNotices));
    }
    for notice in &answer.notices {
        out(&line(&ctx, notice));
    }
    Ok(Exit::Done)
}

fn line(ctx: &Context, notice: &NoticeView) -> String {
    let at = notice.written_at.map(|at| ctx.voice.instant(at));
    let have = notice
        .recipients
        .iter()
        .filter(|r| r.acknowledged.is_some())
        .count();
    let of = notice.recipients.iter().filter(|r| asked(r)).count();
    // Who is only told need not answer.
    let read = match of {
        0 => String::new(),
        of => say(ctx, NoticeScreen::AcknowledgedBy { have, of }),
    };
    [
        padded(notice.notice.as_str(), 26),
        padded(&at.unwrap_or_default(), 34),
        padded(&kind(ctx, notice), 22),
        padded(
            &say(
                ctx,
                NoticeScreen::State {
                    state: notice.state,
                },
            ),
            22,
        ),
        read,
    ]
    .join("  ")
    .trim_end()
    .to_owned()
}

/// Is an acknowledgement asked of them?
fn asked(recipient: &RecipientView) -> bool {
    !matches!(recipient.to, Recipient::Person(_))
}

fn kind(ctx: &Context, notice: &NoticeView) -> String {
    match notice.moment {
        Some(moment) => siaga_words::moment(&ctx.voice, moment).to_owned(),
        None if notice.about.is_some() => say(ctx, NoticeScreen::AMessage),
        None => say(ctx, NoticeScreen::AnAlert),
    }
}

/// Shows one.
pub fn show(global: &Global, args: &ShowArgs) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let notice = one(&ctx, &args.notice)?;
    if args.json {
        show::json(&notice)?;
        return Ok(Exit::Done);
    }
    out(&line(&ctx, &notice));
    if notice.bypass {
        out(&say(&ctx, NoticeScreen::Bypassed));
    }
    for text in &notice.texts {
        out(&format!("\n{}\n{}", text.subject, text.body));
    }
    out("");
    for recipient in &notice.recipients {
        recipient_lines(&ctx, recipient).iter().for_each(|l| out(l));
    }
    Ok(Exit::Done)
}

fn recipient_lines(ctx: &Context, recipient: &RecipientView) -> Vec<String> {
    let read = match &recipient.acknowledged {
        Some(ack) => say(
            ctx,
            NoticeScreen::ReadBy {
                by: ack.by.clone(),
                at: ack.at,
            },
        ),
        None => say(ctx, NoticeScreen::NotAcknowledged),
    };
    let mut lines = match asked(recipient) {
        true => vec![format!("{}: {read}", recipient.title)],
        false => vec![format!("{}:", recipient.title)],
    };
    if recipient.deliveries.is_empty() {
        lines.push(format!("    {}", say(ctx, NoticeScreen::NoAddress)));
    }
    lines.extend(recipient.deliveries.iter().map(|d| delivery(ctx, d)));
    lines
}

fn delivery(ctx: &Context, delivery: &DeliveryView) -> String {
    let state = say(
        ctx,
        NoticeScreen::Delivery {
            state: delivery.state,
        },
    );
    let at = delivery.at.map(|at| ctx.voice.instant(at));
    let parts = [
        Some(format!(
            "    {} {} ({})",
            delivery.channel, delivery.address, delivery.contact
        )),
        Some(state),
        at,
        (!delivery.detail.is_empty()).then(|| delivery.detail.clone()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
