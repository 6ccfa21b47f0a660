//! The decision to go on with old data.

use super::actor::Who;
use super::moves::bad_request;
use siaga_model::Why;
use siaga_model::api::MoveRequest;
use siaga_model::refusal::Refusal;

/// Who decides that data is lost says so under the own name, with the reason.
pub(super) fn accepts(request: &MoveRequest, who: &Who) -> Result<bool, Refusal> {
    let said = who.person.is_some() && !request.reason.trim().is_empty();
    match request.accept_old_data && !said {
        true => Err(bad_request(Why::OldDataNeedsNameAndReason)),
        false => Ok(request.accept_old_data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::event::{Actor, ActorProof};

    #[test]
    fn nobody_decides_without_a_name_and_a_reason() {
        let decides = |accept: bool, person: Option<&str>, reason: &str| {
            let request = serde_json::json!({
                "service": null, "kind": "takeover", "to": null, "reason": reason, "attest": [],
                "accept_old_data": accept, "dry_run": false, "idempotency_key": "k",
            });
            let request: MoveRequest = serde_json::from_value(request).unwrap();
            let who = Who {
                actor: Actor {
                    name: "root".into(),
                    how: ActorProof::Stated,
                },
                person: person.map(Into::into),
            };
            accepts(&request, &who).ok()
        };
        assert_eq!(decides(false, None, ""), Some(false));
        assert_eq!(decides(true, None, "its disk burnt"), None);
        assert_eq!(decides(true, Some("budi"), "  "), None);
        assert_eq!(decides(true, Some("budi"), "its disk burnt"), Some(true));
    }
}
