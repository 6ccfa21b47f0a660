//! Medians, and the table.

use serde::Serialize;
use std::fmt::Write as _;

/// Smallest, middle and largest of some measurements.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Spread {
    pub runs: usize,
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    /// `None` of nothing. Of an even number the median is the mean of the two in the middle.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            (sorted[middle - 1] + sorted[middle]) / 2.0
        } else {
            sorted[middle]
        };
        Some(Self {
            runs: sorted.len(),
            median,
            least,
            most,
        })
    }
}

/// One line of the result.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub case: String,
    pub unit: &'static str,
    pub siaga: Spread,
    pub floor: Option<Spread>,
    /// What is held against the goal: the ratio of the medians where there is a floor, else the median.
    pub value: f64,
    /// `None`: there is no goal, the line is for information.
    pub goal: Option<f64>,
}

impl Line {
    /// A line with a floor: the ratio of the medians counts.
    pub fn ratio(case: &str, siaga: Spread, floor: Spread, goal: Option<f64>) -> Self {
        Self {
            case: case.to_owned(),
            unit: "ms",
            siaga,
            floor: Some(floor),
            value: siaga.median / floor.median,
            goal,
        }
    }

    /// A line that stands by itself.
    pub fn alone(case: &str, unit: &'static str, measured: Spread, goal: Option<f64>) -> Self {
        Self {
            case: case.to_owned(),
            unit,
            siaga: measured,
            floor: None,
            value: measured.median,
            goal,
        }
    }

    /// Is the goal met? `None` where there is none.
    pub fn met(&self) -> Option<bool> {
        self.goal.map(|goal| self.value <= goal)
    }
}

/// For people.
pub fn text(lines: &[Line]) -> String {
    let mut text = format!(
        "{:<34} {:>26} {:>26} {:>7} {:>7}  {}\n",
        "", "Siaga: median (min-max)", "floor: median (min-max)", "ratio", "goal", "met"
    );
    for line in lines {
        let (ratio, digits) = match line.floor {
            Some(_) => (format!("{:.2}", line.value), 1),
            None => (String::new(), 2),
        };
        let goal = line.goal.map(|g| format!("{g}")).unwrap_or_default();
        let met = match line.met() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        };
        let _ = writeln!(
            text,
            "{:<34} {:>26} {:>26} {:>7} {:>7}  {}",
            line.case,
            spread(line.siaga, line.unit, digits),
            line.floor
                .map(|f| spread(f, line.unit, digits))
                .unwrap_or_default(),
            ratio,
            goal,
            met
        );
    }
    text
}

fn spread(s: Spread, unit: &str, digits: usize) -> String {
    format!(
        "{:.digits$} ({:.digits$}-{:.digits$}) {unit}",
        s.median, s.least, s.most
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_the_ratio_is_of_medians() {
        let siaga = Spread::of(&[3.0, 1.0, 230.0]).unwrap();
        assert_eq!((siaga.median, siaga.least, siaga.most), (3.0, 1.0, 230.0));
        let floor = Spread::of(&[2.0, 4.0, 1.0, 3.0]).unwrap();
        assert_eq!(floor.median, 2.5);
        assert!(Spread::of(&[]).is_none());
        let line = Line::ratio("x", siaga, floor, Some(1.15));
        assert_eq!((line.value, line.met()), (1.2, Some(false)));
        assert_eq!(Line::alone("y", "ms", floor, Some(2.5)).met(), Some(true));
        assert_eq!(Line::alone("y", "ms", floor, None).met(), None);
    }
}
