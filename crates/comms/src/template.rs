//! One template: lines of text and fields. A line that asks for a value that is not there is left out.

use crate::facts::Facts;
use crate::field::{Field, required};
use crate::say::Speaker;
use crate::template_error::TemplateFault;
use siaga_model::notice::Moment;

/// The word that no notice says: it is also the name of an emergency level, and would alarm people.
const NEVER: &str = "siaga";

/// The longest template that is believed, in characters.
const LONGEST: usize = 4000;

/// A template that was read without a fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Template {
    subject: Line,
    lines: Vec<Line>,
}

type Line = Vec<Piece>;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Field(Field),
}

/// A fault with its place: line and column from 1, 0 where the whole template is meant.
pub(crate) type Placed = (usize, usize, TemplateFault);

impl Template {
    /// Reads a template of that moment. The first line is the subject.
    ///
    /// # Errors
    /// Every fault in it.
    pub(crate) fn read(text: &str, moment: Moment) -> Result<Template, Vec<Placed>> {
        let text = text.trim_end();
        let mut faults = whole(text);
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            lines.push(read_line(line, number + 1, moment, &mut faults));
        }
        for field in required(moment) {
            let there = |line: &Line| line.contains(&Piece::Field(*field));
            if !lines.iter().any(there) {
                faults.push((0, 0, TemplateFault::Missing { field: *field }));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut lines = lines.into_iter();
        Ok(Template {
            subject: lines.next().unwrap_or_default(),
            lines: lines.collect(),
        })
    }

    /// Subject and body.
    pub(crate) fn fill(&self, speaker: &Speaker<'_>, facts: &Facts) -> (String, String) {
        let subject = said(&self.subject, speaker, facts).unwrap_or_default();
        let lines: Vec<String> = self
            .lines
            .iter()
            .filter_map(|line| said(line, speaker, facts))
            .collect();
        (subject, lines.join("\n").trim().to_owned())
    }
}

/// The faults of the text as a whole.
fn whole(text: &str) -> Vec<Placed> {
    let mut faults = Vec::new();
    if text.lines().count() < 2 || text.lines().next().is_some_and(|l| l.trim().is_empty()) {
        faults.push((1, 1, TemplateFault::NoBody));
    }
    if text.chars().count() > LONGEST {
        faults.push((0, 0, TemplateFault::TooLong { most: LONGEST }));
    }
    for (number, line) in text.lines().enumerate() {
        // Of the same length in either case: the places fit.
        let lower = line.to_ascii_lowercase();
        if let Some(at) = lower.find(NEVER) {
            let column = line[..at].chars().count() + 1;
            faults.push((number + 1, column, TemplateFault::ProductName));
        }
    }
    faults
}

fn read_line(line: &str, number: usize, moment: Moment, faults: &mut Vec<Placed>) -> Line {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut chars = line.chars().enumerate().peekable();
    while let Some((column, c)) = chars.next() {
        let doubled = chars.peek().is_some_and(|(_, next)| *next == c);
        match c {
            '{' | '}' if doubled => {
                chars.next();
                plain.push(c);
            }
            '{' => {
                let name: String = chars
                    .by_ref()
                    .map(|(_, c)| c)
                    .take_while(|c| *c != '}')
                    .collect();
                match field(line, column, &name, moment) {
                    Ok(field) => {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                        pieces.push(Piece::Field(field));
                    }
                    Err(fault) => faults.push((number, column + 1, fault)),
                }
            }
            '}' => faults.push((number, column + 1, TemplateFault::Brace)),
            c => plain.push(c),
        }
    }
    pieces.push(Piece::Text(plain));
    pieces
}

fn field(line: &str, column: usize, name: &str, moment: Moment) -> Result<Field, TemplateFault> {
    let closed = line.chars().skip(column).any(|c| c == '}');
    if !closed {
        return Err(TemplateFault::Brace);
    }
    let Some(field) = Field::by_name(name) else {
        let found = name.to_owned();
        return Err(TemplateFault::Unknown { found, moment });
    };
    match field.fits(moment) {
        true => Ok(field),
        false => Err(TemplateFault::NotHere { field, moment }),
    }
}

/// The line in words. `None`: a value that it asks for is not there.
fn said(line: &Line, speaker: &Speaker<'_>, facts: &Facts) -> Option<String> {
    let mut text = String::new();
    for piece in line {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Field(field) => text.push_str(&speaker.value(*field, facts)?),
        }
    }
    // A sentence may bring the full stop that the line ends with.
    Some(text.trim_end().replace("..", "."))
}
