//! The dialogue about a silent node: somebody goes there, does one thing, and says so.

use super::{Session, ask_number, order};
use crate::context::Context;
use crate::fault::Fault;
use siaga_model::NodeName;
use siaga_model::api::AttestRequest;
use siaga_model::proof::AttestKind;
use siaga_words::{Screen, Ui, ui};

/// Every way, where the refusal names none.
const WAYS: [AttestKind; 3] = [
    AttestKind::Unplugged,
    AttestKind::SwitchedOff,
    AttestKind::StorageDisconnected,
];

/// Asks what was done. `None`: the person turned back, and nothing is said to the agent.
pub fn ask_for(
    ctx: &Context,
    session: &mut Session,
    node: &NodeName,
    ways: &[AttestKind],
) -> Result<Option<AttestRequest>, Fault> {
    let ways = if ways.is_empty() { &WAYS } else { ways };
    eprintln!();
    eprintln!("{}", ctx.say(Screen::AttestIntro { node: node.clone() }));
    for (number, how) in ways.iter().enumerate() {
        eprintln!(
            "  {}. {}",
            number + 1,
            ctx.say(Screen::AttestWay { how: *how })
        );
    }
    eprintln!("{}", ui(&ctx.voice, Ui::GoToServer));
    eprintln!("{}", ui(&ctx.voice, Ui::AttestWarning));
    let question = format!(
        "{} {}",
        ui(&ctx.voice, Ui::AskHow),
        ctx.say(Screen::EnterForBack)
    );
    let Some(how) = ask_number(ctx, &question, ways.len())?.and_then(|number| ways.get(number))
    else {
        return Ok(None);
    };
    // An attestation without a name is none: root is asked once more.
    order::name_person(ctx, session)?;
    Ok(Some(AttestRequest {
        node: node.clone(),
        how: *how,
    }))
}
