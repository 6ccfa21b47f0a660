//! One event of the log in one line, for people. Scripts read its JSON.

use crate::voice::{Voice, quoted};
use crate::{action, failure, finding, move_kind, outcome, sentence};
use siaga_model::config::Language;
use siaga_model::event::EventBody;
use siaga_model::plan::{MoveKind, Placement, Step};
use siaga_model::proof::{Ground, ProofRecord};
use siaga_model::run::{StepOutcome, StepReport};

/// What happened.
pub fn event(voice: impl Into<Voice>, body: &EventBody) -> String {
    let voice = voice.into();
    let says = Says {
        id: voice.language == Language::Indonesian,
        voice: &voice,
    };
    match body {
        EventBody::MandateMinted { epoch } => {
            says.two("mandate minted", "mandat dibuat", &epoch.to_string())
        }
        EventBody::MandateAdmitted { epoch } => {
            says.two("mandate obeyed", "mandat ditaati", &epoch.to_string())
        }
        EventBody::EpochSeen { epoch } => {
            says.two("mandate seen", "mandat terlihat", &epoch.to_string())
        }
        EventBody::Promised { promise } => says.two(
            "has let go, and promises so",
            "sudah melepas, dan menjanjikannya",
            &promise.epoch.to_string(),
        ),
        EventBody::ProofMade { proof } => {
            says.two("proof made", "bukti dibuat", &says.proof(proof))
        }
        EventBody::ProofUsed { proof } => says.two(
            "proof verified and used",
            "bukti diperiksa dan dipakai",
            &says.proof(proof),
        ),
        EventBody::ProofVoided { proof, why } => {
            let detail = format!("{}; {}", says.proof(proof), crate::why(&voice, why));
            says.two("proof void", "bukti gugur", &detail)
        }
        EventBody::RunAccepted {
            move_kind,
            goal,
            reason,
            ..
        } => says.accepted(*move_kind, goal, reason),
        EventBody::PlanRecorded { plan } => {
            let detail = plan.plan.steps.len().to_string();
            format!(
                "{}; {}",
                says.two("plan recorded, steps", "rencana dicatat, langkah", &detail),
                sentence(&voice, &plan.plan.sentence)
            )
        }
        EventBody::StepFinished { step, report, .. } => says.step(step, report),
        EventBody::RunEnded { outcome: how } => {
            let text = outcome(&voice, how);
            says.two(
                "run ended",
                "proses berakhir",
                text.lines().next().unwrap_or_default(),
            )
        }
        EventBody::RunInterrupted { why } => says.two(
            "run interrupted",
            "proses terhenti",
            &crate::why(&voice, why),
        ),
        EventBody::Refused {
            move_kind: kind,
            refusal,
        } => {
            let code = crate::refusal_code(refusal.code);
            let detail = format!(
                "{}: {} [{code}]",
                move_kind(&voice, *kind),
                sentence(&voice, &refusal.sentence)
            );
            says.two("refused", "ditolak", &detail)
        }
        other => says.of_machines(other),
    }
}

struct Says<'a> {
    id: bool,
    voice: &'a Voice,
}

impl Says<'_> {
    fn word(&self, english: &str, indonesian: &str) -> String {
        if self.id { indonesian } else { english }.to_owned()
    }

    fn two(&self, english: &str, indonesian: &str, detail: &str) -> String {
        format!("{}: {detail}", self.word(english, indonesian))
    }

    /// What was measured or found, and the machines' own comings and goings.
    fn of_machines(&self, body: &EventBody) -> String {
        match body {
            EventBody::OutageMeasured { outage } => {
                let unknown = || self.word("not over", "belum selesai");
                let gap = outage
                    .downtime_ms
                    .map_or_else(unknown, |ms| crate::duration(self.voice, ms));
                let by = outage
                    .probe
                    .clone()
                    .unwrap_or_else(|| self.word("the server", "server"));
                self.two(
                    "outage measured",
                    "waktu henti diukur",
                    &format!("{gap} ({by})"),
                )
            }
            EventBody::ServiceOnline { node, .. } => {
                self.two("service on line", "layanan online", node.as_str())
            }
            EventBody::ServiceOffline { node, cause, .. } => self.two(
                "service off line",
                "layanan offline",
                &format!("{node}; {}", quoted(cause)),
            ),
            EventBody::AgentStarted { version, .. } => {
                self.two("agent started", "agen dinyalakan", version)
            }
            EventBody::NodeBooted { boot } => {
                self.two("machine on line, boot", "mesin online, boot", boot.as_str())
            }
            EventBody::PeerSilent { node } => {
                self.two("does not answer", "tidak menjawab", node.as_str())
            }
            EventBody::PeerAnswers { node, .. } => self.two("answers", "menjawab", node.as_str()),
            EventBody::PowerChanged { node, on: true } => {
                self.two("power on", "daya menyala", node.as_str())
            }
            EventBody::PowerChanged { node, on: false } => {
                self.two("power off", "daya mati", node.as_str())
            }
            EventBody::Found { finding: found } => {
                self.two("found", "temuan", &finding(self.voice, found).0)
            }
            EventBody::CheckPassed { node } => {
                self.two("check passed", "pemeriksaan lulus", node.as_str())
            }
            EventBody::CheckFailed { node, findings } => {
                let first = findings
                    .first()
                    .map_or_else(String::new, |f| finding(self.voice, f).0);
                self.two(
                    "check failed",
                    "pemeriksaan tidak lulus",
                    &format!("{node}; {first}"),
                )
            }
            EventBody::Other(other) => self.two(
                "of a newer version",
                "dari versi yang lebih baru",
                &other.kind,
            ),
            // Said above; named here so that a new kind of event does not compile without its words.
            EventBody::MandateMinted { .. }
            | EventBody::MandateAdmitted { .. }
            | EventBody::EpochSeen { .. }
            | EventBody::Promised { .. }
            | EventBody::ProofMade { .. }
            | EventBody::ProofUsed { .. }
            | EventBody::ProofVoided { .. }
            | EventBody::RunAccepted { .. }
            | EventBody::PlanRecorded { .. }
            | EventBody::StepFinished { .. }
            | EventBody::RunEnded { .. }
            | EventBody::RunInterrupted { .. }
            | EventBody::Refused { .. } => String::new(),
        }
    }

    fn proof(&self, proof: &ProofRecord) -> String {
        let ground = match &proof.ground {
            Ground::Released => self.word("it let go", "ia melepas"),
            Ground::Fenced { device, .. } => self.two("fenced by", "diisolasi oleh", device),
            Ground::Attested { by, .. } => self.two("attested by", "dinyatakan oleh", by.as_str()),
        };
        format!("{}, {ground}", proof.node)
    }

    fn accepted(&self, kind: MoveKind, goal: &Placement, reason: &str) -> String {
        let goal = match goal {
            Placement::ActiveOn(node) => node.to_string(),
            Placement::Stopped => self.word("stopped", "berhenti"),
        };
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!("; {}", quoted(reason))
        };
        let detail = format!("{} -> {goal}{reason}", move_kind(self.voice, kind));
        self.two("ordered", "diperintahkan", &detail)
    }

    fn step(&self, step: &Step, report: &StepReport) -> String {
        let time = crate::duration(self.voice, report.duration_ms);
        let how = match &report.outcome {
            StepOutcome::Done { .. } => format!("ok, {time}"),
            StepOutcome::Failed(cause) => {
                format!(
                    "{}, {time}; {}",
                    self.word("failed", "gagal"),
                    failure(self.voice, cause)
                )
            }
            StepOutcome::Unknown { why } => {
                format!(
                    "{}, {time}; {}",
                    self.word("outcome unknown", "hasil tidak diketahui"),
                    crate::why(self.voice, why)
                )
            }
        };
        format!("{}: {how}", action(self.voice, &step.action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::NodeName;

    #[test]
    fn an_event_is_one_line_in_both_languages() {
        let body = EventBody::ServiceOffline {
            node: NodeName::from("serverdb"),
            at: siaga_model::UtcMicros(0),
            cause: "power\ncut".into(),
        };
        assert_eq!(
            event(Language::English, &body),
            "service off line: serverdb; power cut"
        );
        assert_eq!(
            event(Language::Indonesian, &body),
            "layanan offline: serverdb; power cut"
        );
    }
}
