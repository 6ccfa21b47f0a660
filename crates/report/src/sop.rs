//! The site's own procedure, from its configuration alone: how to do every step by hand when the program is dead.

pub(crate) mod by_hand;
pub(crate) mod commands;
pub(crate) mod disk_set;
pub(crate) mod parts;

use crate::document::{Block, Column, Document, Head};
use commands::quoted_argv;
use siaga_model::NodeName;
use siaga_model::config::{Config, Service};
use siaga_model::downtime::{ChannelKind, Unit};
use siaga_words::{Paper, Procedure, Voice, paper, procedure};

/// How many empty rows the log list has.
const LOG_ROWS: usize = 8;

/// The paper.
pub fn document(config: &Config, voice: &Voice) -> Document {
    let say = |text: &Procedure| procedure(voice, text);
    let paperhead = &config.document;
    let title = match paperhead.title.is_empty() {
        true => paper(voice, Paper::SopTitle).to_owned(),
        false => paperhead.title.clone(),
    };
    let head = Head {
        site: config.site.name.clone(),
        sort: paper(voice, Paper::SortProcedure).to_owned(),
        title,
        number: paperhead.number.clone(),
        revision: paperhead.revision.clone(),
        date: paperhead.issued_on.clone(),
        approved_by: paperhead.approved_by.clone(),
    };
    let policy = match paperhead.policy.is_empty() {
        true => say(&Procedure::PolicyMissing),
        false => paperhead.policy.join("\n"),
    };
    let section = |label: Procedure, blocks: Vec<Block>| Block::Section {
        label: say(&label),
        blocks,
    };
    let text = |t: Procedure| vec![Block::Text(say(&t))];
    Document {
        language: voice.language,
        head,
        blocks: vec![
            section(Procedure::Definition, text(Procedure::DefinitionText)),
            section(Procedure::Purpose, text(Procedure::PurposeText)),
            section(Procedure::Policy, vec![Block::Text(policy)]),
            section(Procedure::Steps, steps(config, voice)),
            section(
                Procedure::RelatedUnits,
                vec![Block::Text(related_units(config))],
            ),
        ],
        foot: String::new(),
        data: None,
    }
}

fn related_units(config: &Config) -> String {
    let mut names = config.document.related_units.clone();
    for unit in &config.downtime.units {
        if !names.contains(&unit.title) {
            names.push(unit.title.clone());
        }
    }
    names.join(", ")
}

fn steps(config: &Config, voice: &Voice) -> Vec<Block> {
    let say = |text: &Procedure| procedure(voice, text);
    let mut blocks = vec![
        Block::Text(say(&Procedure::WhenToUse)),
        Block::Text(format!(
            "{}\nsiaga takeover / siaga failback / siaga drill",
            say(&Procedure::UseProgramFirst)
        )),
        Block::Warning(say(&Procedure::OneHolder)),
        Block::Fields(
            [
                Procedure::DecidedBy,
                Procedure::CarriedOutBy,
                Procedure::Witness,
            ]
            .map(|who| (say(&who), String::new()))
            .to_vec(),
        ),
    ];
    let mut letters = Letters::default();
    blocks.extend(parts::inform(config, voice, &mut letters));
    for service in &config.services {
        let Some(other) = other_node(config, service) else {
            continue;
        };
        let place = parts::Place {
            config,
            service,
            voice,
        };
        let home = &service.preferred_node;
        blocks.extend(place.check(home, &other, &mut letters));
        blocks.extend(place.make_safe(home, &mut letters));
        blocks.extend(place.takeover(home, &other, &mut letters));
        blocks.extend(place.failback(&other, home, &mut letters));
        blocks.extend(place.drill(home, &other, &mut letters));
    }
    blocks.extend(write_down(voice, &mut letters));
    blocks
}

fn other_node(config: &Config, service: &Service) -> Option<NodeName> {
    let mut others = config.others(&service.preferred_node);
    others.next().map(|n| n.name.clone())
}

/// The names of the parts: A, B, C and so on.
#[derive(Default)]
pub(crate) struct Letters(usize);

impl Letters {
    pub fn next(&mut self) -> String {
        let index = self.0;
        self.0 += 1;
        let letter = |i: usize| char::from(b'A' + u8::try_from(i % 26).unwrap_or(0));
        match index / 26 {
            0 => letter(index).to_string(),
            round => format!("{}{}", letter(round - 1), letter(index)),
        }
    }
}

/// Whom to tell, with the numbers to call.
pub(crate) fn unit_table(config: &Config, voice: &Voice) -> Vec<Block> {
    let say = |text: &Procedure| procedure(voice, text);
    let mut rows = Vec::new();
    for unit in &config.downtime.units {
        rows.extend(unit_rows(config, unit));
    }
    for name in &config.document.related_units {
        if !config.downtime.units.iter().any(|u| &u.title == name) {
            rows.push(vec![
                name.clone(),
                String::new(),
                String::new(),
                String::new(),
            ]);
        }
    }
    if rows.is_empty() {
        return vec![Block::Lines(3)];
    }
    let columns = vec![
        Column::text(say(&Procedure::UnitColumn), 2.0),
        Column::text(say(&Procedure::ContactColumn), 1.6),
        Column::text(say(&Procedure::ChannelColumn), 1.2),
        Column::text(say(&Procedure::AddressColumn), 2.0),
        Column::text(paper(voice, Paper::Hour), 0.8),
    ];
    for row in &mut rows {
        row.push(String::new());
    }
    vec![
        Block::Heading(say(&Procedure::UnitsHead)),
        Block::Table { columns, rows },
    ]
}

fn unit_rows(config: &Config, unit: &Unit) -> Vec<Vec<String>> {
    if unit.contacts.is_empty() {
        return vec![vec![
            unit.title.clone(),
            String::new(),
            String::new(),
            String::new(),
        ]];
    }
    let rows = unit.contacts.iter().map(|contact| {
        let kind = config.downtime.channel(&contact.channel).map(|c| &c.kind);
        // A program's or a webhook's address means nothing to a person with a telephone.
        let address = match kind {
            Some(ChannelKind::Webhook { .. } | ChannelKind::Program { .. }) => String::new(),
            _ => contact.address.clone(),
        };
        vec![
            unit.title.clone(),
            contact.name.clone(),
            contact.channel.to_string(),
            address,
        ]
    });
    rows.collect()
}

fn write_down(voice: &Voice, letters: &mut Letters) -> Vec<Block> {
    let say = |text: &Procedure| procedure(voice, text);
    let columns = vec![
        Column::text("No.", 0.5),
        Column::text(say(&Procedure::ColumnDate), 1.3),
        Column::text(say(&Procedure::ColumnOffline), 1.1),
        Column::text(say(&Procedure::ColumnOnline), 1.1),
        Column::text(say(&Procedure::ColumnDuration), 1.0),
        Column::text(say(&Procedure::ColumnWhat), 2.6),
        Column::text(say(&Procedure::ColumnOfficer), 1.2),
    ];
    let rows = (1..=LOG_ROWS).map(|n| {
        let mut row = vec![String::new(); columns.len()];
        // Two lines high, to be written in.
        row[0] = format!("{n}\n ");
        row
    });
    vec![
        Block::Heading(format!(
            "{}. {}",
            letters.next(),
            say(&Procedure::PartWriteDown)
        )),
        Block::Text(say(&Procedure::WriteDownText)),
        Block::Table {
            rows: rows.collect(),
            columns,
        },
        Block::Text(say(&Procedure::AfterwardsProgram)),
    ]
}

pub(crate) fn argv_line(argv: &siaga_model::config::Argv) -> String {
    quoted_argv(&argv.0)
}
