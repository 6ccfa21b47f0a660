//! Each machine's own times off and on line, for the log book.

use crate::log_book::{DowntimeKind, LogBookRow, Subject};
use siaga_model::api::{EventView, SeenBy};
use siaga_model::event::EventBody;
use siaga_model::{BootId, NodeName, RunId, UtcMicros};
use std::collections::BTreeMap;

/// What is known of one machine while the events go by.
#[derive(Default)]
struct Machine {
    /// Down, as far as is known.
    down: Option<Down>,
    /// The boot that was seen last.
    boot: Option<BootId>,
    /// Its newest own row: a sign of life.
    last_row: Option<UtcMicros>,
    /// The row in the result that its last return made.
    returned: Option<usize>,
}

struct Down {
    since: UtcMicros,
    kind: DowntimeKind,
    who: Option<String>,
    run: Option<RunId>,
}

pub(crate) fn machine_rows(events: &[EventView]) -> Vec<LogBookRow> {
    let mut rows = Vec::new();
    let mut machines: BTreeMap<&NodeName, Machine> = BTreeMap::new();
    for view in events {
        match &view.event.body {
            EventBody::PowerChanged { node, on: false } => {
                machines
                    .entry(node)
                    .or_default()
                    .goes(DowntimeKind::PoweredOff, view);
            }
            EventBody::PeerSilent { node } => {
                machines
                    .entry(node)
                    .or_default()
                    .goes(DowntimeKind::Silent, view);
            }
            EventBody::PeerAnswers { node, boot } => {
                machines
                    .entry(node)
                    .or_default()
                    .answers(node, boot, view.at, &mut rows);
            }
            EventBody::NodeBooted { boot } => {
                machines
                    .entry(&view.node)
                    .or_default()
                    .boots(&view.node, boot, view.at, &mut rows);
            }
            _ => {}
        }
        // The agent's start comes right before the boot's row, and what is adopted comes before the first start: neither is
        // a sign of life from before.
        let before = matches!(
            view.event.body,
            EventBody::AgentStarted { .. } | EventBody::Adopted { .. }
        );
        if !before {
            machines.entry(&view.node).or_default().last_row = Some(view.at);
        }
    }
    for (node, machine) in machines {
        if let Some(down) = machine.down {
            rows.push(line(node, Some(down), None, DowntimeKind::Silent));
        }
    }
    rows
}

impl Machine {
    fn goes(&mut self, kind: DowntimeKind, view: &EventView) {
        let who = view.event.actor.as_ref().map(|a| a.name.clone());
        let run = view.event.run.clone();
        match &mut self.down {
            // First silent, then switched off: it was off line from the first sign on.
            Some(down) if kind == DowntimeKind::PoweredOff => {
                down.kind = kind;
                down.who = who.or(down.who.take());
                down.run = run.or(down.run.take());
            }
            Some(_) => {}
            None => {
                self.down = Some(Down {
                    since: view.at,
                    kind,
                    who,
                    run,
                })
            }
        }
    }

    fn answers(
        &mut self,
        node: &NodeName,
        boot: &BootId,
        at: UtcMicros,
        rows: &mut Vec<LogBookRow>,
    ) {
        let new_boot = self.boot.as_ref().is_some_and(|known| known != boot);
        self.boot = Some(boot.clone());
        let Some(mut down) = self.down.take() else {
            return;
        };
        if new_boot && down.kind == DowntimeKind::Silent {
            down.kind = DowntimeKind::Restarted;
        }
        self.returned = Some(rows.len());
        let kind = down.kind;
        rows.push(line(node, Some(down), Some(at), kind));
    }

    fn boots(&mut self, node: &NodeName, boot: &BootId, at: UtcMicros, rows: &mut Vec<LogBookRow>) {
        let seen = self.boot.as_ref() == Some(boot);
        self.boot = Some(boot.clone());
        let returned = self.returned.and_then(|index| rows.get_mut(index));
        if let (true, None, Some(row)) = (seen, &self.down, returned) {
            // The peer heard it before its own row was written: one return, not two.
            if row.kind == DowntimeKind::Silent {
                row.kind = DowntimeKind::Restarted;
            }
            return;
        }
        // Nobody saw it go: its newest row is the last that is known of it.
        let down = self.down.take().or_else(|| {
            let kind = DowntimeKind::Restarted;
            self.last_row.map(|since| Down {
                since,
                kind,
                who: None,
                run: None,
            })
        });
        let kind = match &down {
            Some(Down {
                kind: DowntimeKind::PoweredOff,
                ..
            }) => DowntimeKind::PoweredOff,
            _ => DowntimeKind::Restarted,
        };
        self.returned = Some(rows.len());
        rows.push(line(node, down, Some(at), kind));
    }
}

fn line(
    node: &NodeName,
    down: Option<Down>,
    online_at: Option<UtcMicros>,
    kind: DowntimeKind,
) -> LogBookRow {
    let kind = match (&down, online_at) {
        (Some(down), None) => down.kind,
        _ => kind,
    };
    let offline_at = down.as_ref().map(|d| d.since);
    let duration_ms = online_at
        .zip(offline_at)
        .and_then(|(on, off)| crate::log_book::span(off, on));
    let (who, run) = down.map_or((None, None), |d| (d.who, d.run));
    LogBookRow {
        subject: Subject::Machine(node.clone()),
        kind,
        offline_at,
        online_at,
        duration_ms,
        error_ms: None,
        cause: None,
        who,
        seen_by: SeenBy::Node,
        run,
        covered_by: None,
        entered_by: None,
    }
}
