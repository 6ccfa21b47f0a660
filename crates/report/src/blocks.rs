//! Draws the parts of a paper onto pages.

use crate::document::{Bar, Block, Column, Span, Step};
use crate::flow::{Flow, LINE, Op, SIZE};
use crate::metrics::Font;
use crate::wrap::{wrap, wrap_command};
use siaga_model::config::Language;
use siaga_words::{Paper, paper};

/// Between two blocks.
const GAP: f32 = 6.0;
/// Cells of tables.
const CELL: f32 = 8.5;
const CELL_LINE: f32 = 11.0;
const PAD: f32 = 3.0;
/// Commands.
const MONO: f32 = 8.2;
const MONO_LINE: f32 = 11.0;
/// The boxes for hour and initials.
const TICK: f32 = 40.0;
/// The column of the layout's names.
const LABEL: f32 = 78.0;

pub(crate) fn draw(flow: &mut Flow, blocks: &[Block], language: Language) {
    for block in blocks {
        match block {
            Block::Heading(text) => heading(flow, text),
            Block::Text(text) => flow.paragraph(text, Font::Plain, SIZE),
            Block::Warning(text) => warning(flow, text),
            Block::Fields(fields) => self::fields(flow, fields),
            Block::Table { columns, rows } => table(flow, columns, rows),
            Block::Steps(steps) => self::steps(flow, steps, language),
            Block::Bars(bars) => self::bars(flow, bars),
            Block::Timeline(spans) => timeline(flow, spans),
            Block::Lines(many) => lines(flow, *many),
            Block::Signatures(who) => signatures(flow, who),
            Block::Section { label, blocks } => {
                flow.begin_section(label, LABEL);
                draw(flow, blocks, language);
                flow.end_section();
                continue;
            }
        }
        flow.gap(GAP);
    }
}

fn heading(flow: &mut Flow, text: &str) {
    // Never alone at the foot of a page.
    flow.ensure(96.0);
    flow.gap(3.0);
    flow.paragraph(text, Font::Bold, 10.5);
}

fn warning(flow: &mut Flow, text: &str) {
    let lines = wrap(text, Font::Bold, SIZE, flow.width() - 12.0);
    let height = lines.len() as f32 * LINE + 8.0;
    flow.ensure(height);
    let (x, y, width) = (flow.left, flow.y, flow.width());
    flow.rect(x, y, width, height, Some(0.93), true);
    for (index, line) in lines.into_iter().enumerate() {
        let base = y + 4.0 + SIZE + index as f32 * LINE;
        flow.text_at(x + 6.0, base, Font::Bold, SIZE, line);
    }
    flow.gap(height);
}

fn fields(flow: &mut Flow, fields: &[(String, String)]) {
    let names = fields.iter().map(|(name, _)| Font::Plain.width(name, SIZE));
    let widest = names.fold(0.0_f32, f32::max).min(flow.width() * 0.45);
    let at = widest + 12.0;
    for (name, value) in fields {
        let name = wrap(name, Font::Plain, SIZE, widest + 0.1);
        let value = wrap(value, Font::Plain, SIZE, flow.width() - at - 6.0);
        let height = name.len().max(value.len()) as f32 * LINE;
        flow.ensure(height);
        let (x, y) = (flow.left, flow.y + SIZE);
        for (index, line) in name.into_iter().enumerate() {
            flow.text_at(x, y + index as f32 * LINE, Font::Plain, SIZE, line);
        }
        flow.text_at(x + at - 6.0, y, Font::Plain, SIZE, ":");
        if value.iter().all(String::is_empty) {
            let end = flow.right;
            flow.line((x + at, y + 2.0), (end, y + 2.0), 0.4, 0.5);
        }
        for (index, line) in value.into_iter().enumerate() {
            flow.text_at(x + at, y + index as f32 * LINE, Font::Plain, SIZE, line);
        }
        flow.gap(height + 1.5);
    }
}

fn table(flow: &mut Flow, columns: &[Column], rows: &[Vec<String>]) {
    let weights: f32 = columns.iter().map(|c| c.weight).sum();
    let widths: Vec<f32> = columns
        .iter()
        .map(|c| flow.width() * c.weight / weights.max(0.1))
        .collect();
    let titles: Vec<String> = columns.iter().map(|c| c.title.clone()).collect();
    let first = rows
        .first()
        .map_or(0.0, |r| row_height(&widths, r, Font::Plain));
    flow.ensure(row_height(&widths, &titles, Font::Bold) + first);
    row(flow, columns, &widths, &titles, Font::Bold);
    for cells in rows {
        if flow.ensure(row_height(&widths, cells, Font::Plain)) {
            row(flow, columns, &widths, &titles, Font::Bold);
        }
        row(flow, columns, &widths, cells, Font::Plain);
    }
}

fn row_height(widths: &[f32], cells: &[String], font: Font) -> f32 {
    let lines = |(cell, width): (&String, &f32)| wrap(cell, font, CELL, width - 2.0 * PAD).len();
    let most = cells.iter().zip(widths).map(lines).max().unwrap_or(1);
    most as f32 * CELL_LINE + 2.0 * PAD
}

fn row(flow: &mut Flow, columns: &[Column], widths: &[f32], cells: &[String], font: Font) {
    let height = row_height(widths, cells, font);
    let (mut x, y) = (flow.left, flow.y);
    for ((column, width), cell) in columns.iter().zip(widths).zip(cells) {
        let fill = (font == Font::Bold).then_some(0.9);
        flow.rect(x, y, *width, height, fill, true);
        for (index, line) in wrap(cell, font, CELL, width - 2.0 * PAD)
            .into_iter()
            .enumerate()
        {
            let free = width - 2.0 * PAD - font.width(&line, CELL);
            let at = x + PAD + if column.right { free } else { 0.0 };
            let base = y + PAD + CELL + index as f32 * CELL_LINE - 0.5;
            flow.text_at(at, base, font, CELL, line);
        }
        x += width;
    }
    flow.gap(height);
}

fn steps(flow: &mut Flow, steps: &[Step], language: Language) {
    let text_right = flow.right - 2.0 * TICK - 8.0;
    step_heads(flow, text_right, language);
    for step in steps {
        let number = Font::Bold.width(&step.number, SIZE) + 8.0;
        let number = number.max(24.0);
        let width = text_right - flow.left - number;
        let text = wrap(&step.text, Font::Plain, SIZE, width);
        // Commands go below the boxes too: they need the width.
        let wide = flow.right - flow.left - number;
        let typed = Typed::new(&step.commands, wide);
        let text_height = text.len() as f32 * LINE;
        let above = match typed.lines.is_empty() {
            true => text_height,
            false => text_height.max(19.0),
        };
        let height = (above + typed.height()).max(20.0);
        if flow.ensure(height + 4.0) {
            step_heads(flow, text_right, language);
        }
        let (x, y) = (flow.left, flow.y);
        flow.text_at(x, y + SIZE, Font::Bold, SIZE, step.number.clone());
        for (index, line) in text.iter().enumerate() {
            let base = y + SIZE + index as f32 * LINE;
            flow.text_at(x + number, base, Font::Plain, SIZE, line.clone());
        }
        for box_number in 0..2 {
            let at = text_right + 8.0 + box_number as f32 * TICK;
            flow.frame(at, y, TICK - 3.0, 17.0);
        }
        typed.draw(flow, x + number, y + above + 2.0, wide);
        flow.gap(height + 4.0);
    }
}

/// Commands in the font of a typewriter.
struct Typed {
    lines: Vec<String>,
    size: f32,
}

impl Typed {
    /// What can't be broken makes the print smaller.
    fn new(commands: &[String], width: f32) -> Self {
        let room = width - 8.0;
        let many = ((room / (MONO * 0.6)) as usize).max(20);
        let lines: Vec<String> = commands
            .iter()
            .flat_map(|command| wrap_command(command, many))
            .collect();
        let longest = lines.iter().map(|l| l.chars().count()).max().unwrap_or(1);
        let size = MONO.min(room / (0.6 * longest.max(1) as f32)).max(4.5);
        Self { lines, size }
    }

    fn height(&self) -> f32 {
        match self.lines.len() {
            0 => 0.0,
            many => many as f32 * MONO_LINE + 7.0,
        }
    }

    fn draw(self, flow: &mut Flow, x: f32, y: f32, width: f32) {
        if self.lines.is_empty() {
            return;
        }
        flow.rect(x, y, width, self.height() - 3.0, Some(0.94), false);
        for (index, line) in self.lines.into_iter().enumerate() {
            let base = y + MONO + 1.5 + index as f32 * MONO_LINE;
            flow.text_at(x + 4.0, base, Font::Mono, self.size, line);
        }
    }
}

fn step_heads(flow: &mut Flow, text_right: f32, language: Language) {
    let y = flow.y + 7.0;
    for (index, text) in [Paper::Hour, Paper::Initials].into_iter().enumerate() {
        let at = text_right + 8.0 + index as f32 * TICK;
        flow.push(Op::Text {
            x: at,
            y,
            font: Font::Plain,
            size: 7.0,
            gray: 0.35,
            text: paper(language, text).to_owned(),
        });
    }
    flow.gap(10.0);
}

fn bars(flow: &mut Flow, bars: &[Bar]) {
    let label = 62.0;
    let room = flow.width() - label - 150.0;
    for bar in bars {
        flow.ensure(15.0);
        let (x, y) = (flow.left, flow.y);
        flow.text_at(x, y + CELL + 1.0, Font::Plain, CELL, bar.label.clone());
        flow.rect(x + label, y + 1.0, room, 10.0, None, true);
        if let Some(share) = bar.share {
            let width = room * (share.clamp(0.0, 1.0) as f32);
            flow.rect(x + label, y + 1.0, width, 10.0, Some(0.55), false);
        }
        let at = x + label + room + 6.0;
        flow.text_at(at, y + CELL + 1.0, Font::Plain, CELL, bar.text.clone());
        flow.gap(15.0);
    }
}

fn timeline(flow: &mut Flow, spans: &[Span]) {
    let total = spans.iter().map(|s| s.from_ms + s.length_ms).max();
    let total = total.unwrap_or(1).max(1) as f32;
    let (label, end) = (150.0, 58.0);
    let room = flow.width() - label - end;
    for span in spans {
        let name = wrap(&span.label, Font::Plain, 7.8, label - 6.0);
        let height = 13.0 + 9.0 * name.len().saturating_sub(1) as f32;
        flow.ensure(height);
        let (x, y) = (flow.left, flow.y);
        let from = x + label + room * span.from_ms as f32 / total;
        let length = (room * span.length_ms as f32 / total).max(1.0);
        for (index, line) in name.into_iter().enumerate() {
            flow.text_at(x, y + 8.0 + 9.0 * index as f32, Font::Plain, 7.8, line);
        }
        let below = y + height - 1.5;
        flow.line((x + label, below), (x + label + room, below), 0.3, 0.8);
        let gray = if span.strong { 0.15 } else { 0.55 };
        flow.rect(from, y + 1.5, length, 8.0, Some(gray), false);
        let at = x + label + room + 5.0;
        flow.text_at(at, y + 8.0, Font::Plain, 7.8, span.text.clone());
        flow.gap(height);
    }
}

fn lines(flow: &mut Flow, many: u8) {
    for _ in 0..many {
        flow.ensure(18.0);
        let (x, y, right) = (flow.left, flow.y + 15.0, flow.right);
        flow.line((x, y), (right, y), 0.4, 0.5);
        flow.gap(18.0);
    }
}

fn signatures(flow: &mut Flow, who: &[(String, String)]) {
    const HEIGHT: f32 = 84.0;
    let many = who.len().clamp(1, 3);
    for part in who.chunks(many) {
        flow.ensure(HEIGHT);
        let width = flow.width() / many as f32;
        let (left, y) = (flow.left, flow.y);
        for (index, (role, name)) in part.iter().enumerate() {
            let x = left + index as f32 * width;
            for (number, line) in wrap(role, Font::Plain, SIZE, width - 12.0)
                .into_iter()
                .enumerate()
            {
                let base = y + SIZE + number as f32 * LINE;
                flow.text_at(x, base, Font::Plain, SIZE, line);
            }
            let base = y + HEIGHT - 14.0;
            flow.line((x, base), (x + width - 24.0, base), 0.6, 0.0);
            flow.text_at(x, base + 11.0, Font::Plain, CELL, name.clone());
        }
        flow.gap(HEIGHT);
    }
}
