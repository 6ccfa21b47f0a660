//! One event of the log in one line, for people. Scripts read its JSON.

use crate::voice::{Voice, quoted};
use crate::{action, failure, finding, move_kind, outcome, sentence};
use siaga_model::config::Language;
use siaga_model::event::EventBody;
use siaga_model::plan::{MoveKind, Placement, Step};
use siaga_model::proof::{Ground, ProofRecord};
use siaga_model::rehearsal::{RehearsalOutcome, RehearsalReport};
use siaga_model::run::{FailureKind, RunOutcome, StepFailure, StepOutcome, StepReport};
use siaga_model::{NodeName, ServiceName};

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
        EventBody::FenceMandateMinted { epoch, victim } => says.two(
            "mandate minted to fence",
            "mandat dibuat untuk isolasi",
            &format!("{victim}, {epoch}"),
        ),
        EventBody::MandateAdmitted { epoch } => {
            says.two("mandate obeyed", "mandat ditaati", &epoch.to_string())
        }
        EventBody::Adopted { epoch } => says.two(
            "adopted as it ran before Siaga came",
            "diteruskan sebagaimana sudah berjalan sebelum Siaga dipasang",
            &epoch.to_string(),
        ),
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
            covers,
            ..
        } => {
            let said = says.accepted(*move_kind, goal, reason);
            match covers {
                Some(run) => format!("{said}; {}", says.two("covers", "menangani", run.as_str())),
                None => said,
            }
        }
        EventBody::PlanRecorded { plan } => {
            let detail = plan.plan.steps.len().to_string();
            format!(
                "{}; {}",
                says.two("plan recorded, steps", "rencana dicatat, langkah", &detail),
                sentence(&voice, &plan.plan.sentence)
            )
        }
        EventBody::StepFinished { step, report, .. } => says.step(step, report),
        EventBody::RunEnded { outcome: how, .. } => {
            let text = outcome(&voice, how);
            let mut detail = text.lines().next().unwrap_or_default().to_owned();
            if let Some(cause) = covered(how) {
                detail = format!("{detail} {}", failure(&voice, cause));
            }
            says.two("run ended", "proses berakhir", &detail)
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

/// Why a run ended that another one covered.
fn covered(outcome: &RunOutcome) -> Option<&StepFailure> {
    let cause = match outcome {
        RunOutcome::Restored { cause, .. } => Some(cause),
        RunOutcome::Stuck { cause, .. } => cause.as_ref(),
        RunOutcome::Done | RunOutcome::Refused { .. } => None,
    };
    cause.filter(|c| c.kind == FailureKind::CoordinatorSilent)
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
            EventBody::RowsLost { lost } => crate::rows_lost(self.voice, &lost.probe, lost.rows),
            EventBody::LettingGo { epoch } => self.two(
                "another node took the service: what is left here is dropped, mandate",
                "layanan diambil alih node lain: sisanya di sini dilepas, mandat",
                &epoch.counter.to_string(),
            ),
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
            EventBody::PowerOrdered {
                node,
                on,
                device,
                hits,
                ..
            } => self.power_ordered(node, *on, device, hits),
            EventBody::PowerNotChanged { node, on, why } => {
                let (english, indonesian) = match on {
                    true => ("power not switched on", "daya tidak jadi menyala"),
                    false => ("power not switched off", "daya tidak jadi mati"),
                };
                self.two(
                    english,
                    indonesian,
                    &format!("{node}; {}", crate::why(self.voice, why)),
                )
            }
            EventBody::PowerChanged { node, on: true } => {
                self.two("power on", "daya menyala", node.as_str())
            }
            EventBody::PowerChanged { node, on: false } => {
                self.two("power off", "daya mati", node.as_str())
            }
            EventBody::CheckFixed { fixed } => self.two(
                "check --fix",
                "check --fix",
                &format!("{}: {}", fixed.node, crate::fixed(self.voice, fixed)),
            ),
            EventBody::Found { finding: found } => {
                self.two("found", "temuan", &finding(self.voice, found).0)
            }
            EventBody::LossAccepted { by, reason } => self.two(
                "loss of the journals accepted",
                "hilangnya catatan diterima",
                &format!("{by}; {}", quoted(reason)),
            ),
            EventBody::EventKeyTrusted { node, reason, .. } => {
                let detail = match reason.is_empty() {
                    true => node.to_string(),
                    false => format!("{node}; {}", quoted(reason)),
                };
                self.two("event key trusted", "kunci catatan dipercaya", &detail)
            }
            EventBody::NodeReplaced {
                node, by, reason, ..
            } => self.two(
                "machine replaced, its old keys refused",
                "mesin diganti, kunci lamanya ditolak",
                &format!("{node}; {by}; {}", quoted(reason)),
            ),
            EventBody::CaReplaced {
                generation, reason, ..
            } => self.two(
                "new CA of the site",
                "CA baru untuk tempat ini",
                &format!("{generation}; {}", quoted(reason)),
            ),
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
            EventBody::Incident { entry, .. } => crate::downtime::incident_entry(self.voice, entry),
            EventBody::Notice { entry, .. } => crate::downtime::notice_entry(self.voice, entry),
            EventBody::Paused { until, reason } => self.two(
                "alerts and automatic acts rest until",
                "peringatan dan tindakan otomatis dijeda sampai",
                &format!("{}; {}", self.voice.instant(*until), quoted(reason)),
            ),
            EventBody::DataAccepted { by, reason } => self.two(
                "the data on the disk set accepted as it is",
                "data di kumpulan disk diterima sebagaimana adanya",
                &format!("{by}; {}", quoted(reason)),
            ),
            EventBody::Rehearsed { report } => self.rehearsed(report),
            EventBody::IntegrityChecked { report } => {
                let looked = crate::integrity(self.voice, report);
                self.two("database looked through", "basis data diperiksa", &looked)
            }
            EventBody::PauseEnded => self.word("the pause is over", "jeda selesai"),
            EventBody::Other(other) => self.two(
                "of a newer version",
                "dari versi yang lebih baru",
                &other.kind,
            ),
            // Said above; named here so that a new kind of event does not compile without its words.
            EventBody::MandateMinted { .. }
            | EventBody::FenceMandateMinted { .. }
            | EventBody::MandateAdmitted { .. }
            | EventBody::EpochSeen { .. }
            | EventBody::Adopted { .. }
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

    fn power_ordered(
        &self,
        node: &NodeName,
        on: bool,
        device: &str,
        hits: &[ServiceName],
    ) -> String {
        let (english, indonesian) = match on {
            true => ("power on ordered", "daya diperintahkan menyala"),
            false => ("power off ordered", "daya diperintahkan mati"),
        };
        let mut detail = format!("{node}, {device}");
        if !hits.is_empty() {
            let names: Vec<&str> = hits.iter().map(ServiceName::as_str).collect();
            let hit = self.two("hits", "mengenai", &names.join(", "));
            detail.push_str(&format!("; {hit}"));
        }
        self.two(english, indonesian, &detail)
    }

    fn rehearsed(&self, report: &RehearsalReport) -> String {
        let outcome = match report.outcome {
            RehearsalOutcome::Passed => self.word("passed", "lulus"),
            RehearsalOutcome::Failed => self.word("not passed", "tidak lulus"),
            RehearsalOutcome::Refused => self.word("refused", "ditolak"),
        };
        let time = crate::duration(self.voice, report.duration_ms);
        let mut detail = format!("{}, {outcome}, {time}", report.node);
        if let Some(why) = &report.why {
            detail = format!("{detail}; {}", crate::why(self.voice, why));
        }
        self.two("rehearsed", "latihan", &detail)
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
