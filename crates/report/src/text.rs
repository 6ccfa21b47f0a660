//! A paper as plain text, 78 characters wide.

use crate::document::{Block, Column, Document, Step};
use crate::wrap::{wrap_chars, wrap_command};
use siaga_model::config::Language;
use siaga_words::{Paper, paper};

const WIDTH: usize = 78;
/// How long a drawn bar is at the most.
const BAR: usize = 30;

/// The file's text.
pub fn render(document: &Document) -> String {
    let mut lines = head(document);
    blocks(&mut lines, &document.blocks, "", document.language);
    if !document.foot.is_empty() {
        lines.push("-".repeat(WIDTH));
        lines.extend(wrap_chars(&document.foot, WIDTH));
    }
    let mut text: String = lines
        .iter()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    text
}

fn head(document: &Document) -> Vec<String> {
    let head = &document.head;
    let label = |p| paper(document.language, p);
    let rule = "=".repeat(WIDTH);
    let pairs = [
        (Paper::DocumentNumber, &head.number),
        (Paper::Revision, &head.revision),
        (Paper::IssuedOn, &head.date),
        (Paper::ApprovedBy, &head.approved_by),
    ];
    let mut lines = vec![rule.clone(), head.site.clone(), head.sort.to_uppercase()];
    lines.extend(wrap_chars(&head.title.to_uppercase(), WIDTH));
    let width = pairs.iter().map(|(p, _)| label(*p).chars().count()).max();
    for (name, value) in pairs {
        lines.push(format!(
            "{} : {value}",
            padded(label(name), width.unwrap_or(0))
        ));
    }
    lines.push(rule);
    lines
}

fn padded(text: &str, width: usize) -> String {
    format!(
        "{text}{}",
        " ".repeat(width.saturating_sub(text.chars().count()))
    )
}

fn blocks(lines: &mut Vec<String>, list: &[Block], indent: &str, language: Language) {
    let room = WIDTH.saturating_sub(indent.len());
    for block in list {
        lines.push(String::new());
        match block {
            Block::Heading(text) => lines.extend(
                wrap_chars(text, room)
                    .into_iter()
                    .map(|l| format!("{indent}{l}")),
            ),
            Block::Text(text) => lines.extend(
                wrap_chars(text, room)
                    .into_iter()
                    .map(|l| format!("{indent}{l}")),
            ),
            Block::Warning(text) => lines.extend(
                wrap_chars(text, room - 4)
                    .into_iter()
                    .map(|l| format!("{indent}!!  {l}")),
            ),
            Block::Fields(fields) => self::fields(lines, fields, indent),
            Block::Table { columns, rows } => table(lines, columns, rows, indent),
            Block::Steps(steps) => self::steps(lines, steps, indent, language),
            Block::Bars(bars) => lines.extend(bars.iter().map(|bar| {
                let share = bar.share.unwrap_or(0.0).clamp(0.0, 1.0);
                let filled = (share * BAR as f64).round() as usize;
                let drawn = padded(&"#".repeat(filled), BAR);
                format!("{indent}{} |{drawn}| {}", padded(&bar.label, 10), bar.text)
            })),
            Block::Timeline(spans) => {
                let total = spans.iter().map(|s| s.from_ms + s.length_ms).max();
                let scale = |ms: u64| (ms as usize * BAR) / total.unwrap_or(1).max(1) as usize;
                lines.extend(spans.iter().map(|s| {
                    let mark = if s.strong { "#" } else { "=" };
                    let drawn = format!(
                        "{}{}",
                        " ".repeat(scale(s.from_ms)),
                        mark.repeat(scale(s.length_ms).max(1))
                    );
                    let label: String = s.label.chars().take(30).collect();
                    let drawn = padded(&drawn, BAR + 1);
                    format!("{indent}{} |{drawn}| {}", padded(&label, 30), s.text)
                }));
            }
            Block::Lines(many) => {
                for _ in 0..*many {
                    lines.push(format!("{indent}{}", "_".repeat(room)));
                    lines.push(String::new());
                }
            }
            Block::Signatures(who) => {
                for (role, name) in who {
                    lines.push(format!("{indent}{role}:"));
                    lines.push(String::new());
                    lines.push(format!("{indent}________________________  {name}"));
                    lines.push(String::new());
                }
            }
            Block::Section {
                label,
                blocks: inner,
            } => {
                lines.push(format!("{indent}{}", "-".repeat(room)));
                lines.push(format!("{indent}{}", label.to_uppercase()));
                blocks(lines, inner, indent, language);
            }
        }
    }
}

fn fields(lines: &mut Vec<String>, fields: &[(String, String)], indent: &str) {
    let width = fields.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or(0).min(34);
    let room = WIDTH.saturating_sub(indent.len() + width + 3).max(20);
    for (name, value) in fields {
        let value = match value.is_empty() {
            true => vec!["_".repeat(room.min(36))],
            false => wrap_chars(value, room),
        };
        let names = wrap_chars(name, width.max(1));
        for index in 0..value.len().max(names.len()) {
            let name = names.get(index).map_or("", String::as_str);
            let value = value.get(index).map_or("", String::as_str);
            let mark = if index == 0 { ":" } else { " " };
            lines.push(format!("{indent}{} {mark} {value}", padded(name, width)));
        }
    }
}

fn table(lines: &mut Vec<String>, columns: &[Column], rows: &[Vec<String>], indent: &str) {
    let weights: f32 = columns.iter().map(|c| c.weight).sum();
    let room = WIDTH.saturating_sub(indent.len() + 3 * columns.len().saturating_sub(1));
    let widths: Vec<usize> = columns
        .iter()
        .map(|c| ((room as f32 * c.weight / weights.max(0.1)) as usize).max(3))
        .collect();
    let titles: Vec<String> = columns.iter().map(|c| c.title.clone()).collect();
    row(lines, columns, &widths, &titles, indent);
    let rules: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
    lines.push(format!("{indent}{}", rules.join("-+-")));
    for cells in rows {
        row(lines, columns, &widths, cells, indent);
    }
}

fn row(
    lines: &mut Vec<String>,
    columns: &[Column],
    widths: &[usize],
    cells: &[String],
    indent: &str,
) {
    let cells: Vec<Vec<String>> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| wrap_chars(cell, *width))
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(1);
    for index in 0..height {
        let parts: Vec<String> = cells
            .iter()
            .zip(widths)
            .zip(columns)
            .map(|((cell, width), column)| {
                let text = cell.get(index).map_or("", String::as_str);
                let free = width.saturating_sub(text.chars().count());
                match column.right {
                    true => format!("{}{text}", " ".repeat(free)),
                    false => padded(text, *width),
                }
            })
            .collect();
        lines.push(format!("{indent}{}", parts.join(" | ")));
    }
}

fn steps(lines: &mut Vec<String>, steps: &[Step], indent: &str, language: Language) {
    let hour = paper(language, Paper::Hour);
    let initials = paper(language, Paper::Initials);
    for step in steps {
        let inner = format!("{indent}      ");
        let room = WIDTH - inner.len();
        for (index, line) in wrap_chars(&step.text, room).into_iter().enumerate() {
            let before = match index {
                0 => format!("{indent}{}", padded(&step.number, 6)),
                _ => inner.clone(),
            };
            lines.push(format!("{before}{line}"));
        }
        for command in &step.commands {
            // Not in the column of the text: what is copied has no more than spaces before it.
            let wrapped = wrap_command(command, WIDTH - inner.len() - 2);
            lines.extend(wrapped.into_iter().map(|l| format!("{inner}  {l}")));
        }
        lines.push(format!("{inner}{hour}: ______  {initials}: ______"));
        lines.push(String::new());
    }
}
