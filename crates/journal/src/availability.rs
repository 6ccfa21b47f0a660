//! How long a service was there in a month or a year of the site's calendar, from the log book.
//!
//! The rules: a drill's minutes are planned downtime; where planned and unplanned downtime overlap, the overlap is
//! unplanned; what has no end lasts until now and is flagged; a downtime whose length is not known is counted as such
//! and never as zero minutes; the part of a period that is still to come is not counted.

use crate::log_book::{DowntimeKind, LogBookRow, Subject};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use siaga_model::incident::TimeKind;
use siaga_model::{ServiceName, UtcMicros};
use std::collections::{BTreeMap, BTreeSet};

const MINUTE_US: i64 = 60_000_000;

/// A month or a year of the site's calendar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Period {
    /// `2026-11`, `2026`.
    pub name: String,
    pub unit: PeriodUnit,
    /// The first instant in it.
    pub from: UtcMicros,
    /// The first instant after it.
    pub until: UtcMicros,
}

/// How long a period is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodUnit {
    Month,
    Year,
}

impl Period {
    /// The month `2026-11`, in an IANA zone (an unknown one is UTC). `None`: not a month.
    pub fn month(text: &str, zone: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        if year.len() != 4 || month.len() != 2 {
            return None;
        }
        let first = Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
        Self::between(text, PeriodUnit::Month, first, next_month(first)?, zone)
    }

    /// The year `2026`.
    pub fn year(text: &str, zone: &str) -> Option<Self> {
        if text.len() != 4 {
            return None;
        }
        let first = Date::new(text.parse().ok()?, 1, 1).ok()?;
        let next = Date::new(first.year().checked_add(1)?, 1, 1).ok()?;
        Self::between(text, PeriodUnit::Year, first, next, zone)
    }

    /// This month and the ones before it, oldest first: for a trend.
    pub fn months_up_to(&self, zone: &str, many: usize) -> Vec<Period> {
        let mut months = Vec::new();
        let mut name = self.name.clone();
        while months.len() < many {
            let Some(month) = Period::month(&name, zone) else {
                break;
            };
            let Some(before) = month_before(&name) else {
                break;
            };
            months.push(month);
            name = before;
        }
        months.reverse();
        months
    }

    /// The months of this year, or this month alone.
    pub fn months(&self, zone: &str) -> Vec<Period> {
        match self.unit {
            PeriodUnit::Month => vec![self.clone()],
            PeriodUnit::Year => (1..=12)
                .filter_map(|m| Period::month(&format!("{}-{m:02}", self.name), zone))
                .collect(),
        }
    }

    fn between(name: &str, unit: PeriodUnit, a: Date, b: Date, zone: &str) -> Option<Self> {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let midnight = |day: Date| {
            let at = zone.to_timestamp(day.at(0, 0, 0, 0)).ok()?;
            Some(UtcMicros(at.as_microsecond()))
        };
        Some(Self {
            name: name.to_owned(),
            unit,
            from: midnight(a)?,
            until: midnight(b)?,
        })
    }

    /// The end of what of it is past.
    fn counted_until(&self, now: UtcMicros) -> i64 {
        now.0.clamp(self.from.0, self.until.0)
    }
}

fn next_month(first: Date) -> Option<Date> {
    match first.month() {
        12 => Date::new(first.year().checked_add(1)?, 1, 1).ok(),
        month => Date::new(first.year(), month + 1, 1).ok(),
    }
}

fn month_before(name: &str) -> Option<String> {
    let (year, month) = name.split_once('-')?;
    let (year, month): (i16, i8) = (year.parse().ok()?, month.parse().ok()?);
    let (year, month) = if month == 1 {
        (year - 1, 12)
    } else {
        (year, month - 1)
    };
    Some(format!("{year:04}-{month:02}"))
}

/// The figures of one service in one period.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Availability {
    pub service: ServiceName,
    /// `2026-11`, `2026`.
    pub period: String,
    /// The calendar's minutes, also those to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes_in_month: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes_in_year: Option<u64>,
    /// The denominator: the minutes that are past.
    pub minutes_counted: f64,
    /// False while a part of the period is still to come.
    pub complete: bool,
    /// Drills are planned downtime.
    pub downtime_planned_min: f64,
    pub downtime_unplanned_min: f64,
    /// Rounded down, so that it is 100 only without any downtime. Empty where nothing of the period is past,
    /// or the log begins after it.
    pub availability_pct: Option<f64>,
    /// With the unplanned downtime alone.
    pub availability_excluding_planned_pct: Option<f64>,
    /// The site's target, where it set one.
    pub target_pct: Option<f64>,
    /// Downtimes that touch the period, of every kind.
    pub incidents: u32,
    /// Of these, the ones that have no end yet: counted to now.
    pub open_incidents: u32,
    /// Of these, the ones whose length is not known: in none of the minutes.
    pub unknown_duration: u32,
    /// The log has nothing from before this instant (RFC 3339, UTC); empty where it begins before the period.
    pub log_begins_at: Option<String>,
    /// From the incidents' records, where there are any.
    pub times: Option<Times>,
}

/// What the figures are made from.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    pub rows: &'a [LogBookRow],
    pub now: UtcMicros,
    /// In thousandths of a percent.
    pub target_milli_pct: Option<u32>,
    /// The first row of the log.
    pub log_begins: Option<UtcMicros>,
    /// The times of the incidents' records that belong to the period. Empty: there are none.
    pub records: &'a [BTreeMap<TimeKind, UtcMicros>],
}

/// The services of the log book, in order.
pub fn services(rows: &[LogBookRow]) -> Vec<ServiceName> {
    let names = rows.iter().filter_map(|row| match &row.subject {
        Subject::Service(name) => Some(name.clone()),
        Subject::Machine(_) => None,
    });
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The figures of `service` in `period`.
pub fn availability(service: &ServiceName, period: &Period, basis: &Basis) -> Availability {
    let end = period.counted_until(basis.now);
    let spans = spans(service, basis);
    let touching: Vec<&Span> = spans.iter().filter(|s| s.touches(period, end)).collect();
    let clipped = |planned: bool| {
        let clip = |s: &&Span| Some((s.begin?.max(period.from.0), s.end.min(end)));
        let of_kind = touching.iter().filter(|s| planned || !s.planned);
        covered(of_kind.filter_map(clip).collect())
    };
    let counted = end - period.from.0;
    let (all, unplanned) = (clipped(true), clipped(false));
    let number = |of: &dyn Fn(&Span) -> bool| {
        u32::try_from(touching.iter().filter(|s| of(s)).count()).unwrap_or(u32::MAX)
    };
    let whole = u64::try_from((period.until.0 - period.from.0) / MINUTE_US).ok();
    let begins = basis.log_begins.filter(|at| *at > period.from);
    // Of a period that was over before the log began nothing is known.
    let known = begins.is_none_or(|at| at.0 < end);
    let share = |up: i64| percent(up, counted).filter(|_| known);
    Availability {
        service: service.clone(),
        period: period.name.clone(),
        minutes_in_month: whole.filter(|_| period.unit == PeriodUnit::Month),
        minutes_in_year: whole.filter(|_| period.unit == PeriodUnit::Year),
        minutes_counted: minutes(counted),
        complete: basis.now >= period.until,
        downtime_planned_min: minutes(all - unplanned),
        downtime_unplanned_min: minutes(unplanned),
        availability_pct: share(counted - all),
        availability_excluding_planned_pct: share(counted - unplanned),
        target_pct: basis.target_milli_pct.map(|t| f64::from(t) / 1000.0),
        incidents: number(&|_| true),
        open_incidents: number(&|s| s.open),
        unknown_duration: number(&|s| s.begin.is_none()),
        log_begins_at: begins.map(crate::csv::instant),
        times: (!basis.records.is_empty()).then(|| times(basis.records)),
    }
}

/// A downtime on the time axis.
struct Span {
    /// `None`: the length is not known. Then `end` is where it is placed.
    begin: Option<i64>,
    end: i64,
    open: bool,
    planned: bool,
}

impl Span {
    fn touches(&self, period: &Period, counted_until: i64) -> bool {
        match self.begin {
            // What began at the very end of what is past has not lasted yet.
            Some(begin) if begin < self.end => begin < counted_until && self.end > period.from.0,
            _ => period.from.0 <= self.end && self.end < period.until.0,
        }
    }
}

fn spans(service: &ServiceName, basis: &Basis) -> Vec<Span> {
    let of_service =
        |row: &&LogBookRow| matches!(&row.subject, Subject::Service(s) if s == service);
    basis
        .rows
        .iter()
        .filter(of_service)
        .map(|row| span(row, basis.now))
        .collect()
}

fn span(row: &LogBookRow, now: UtcMicros) -> Span {
    let length = row
        .duration_ms
        .and_then(|ms| i64::try_from(ms).ok()?.checked_mul(1000));
    let (off, on) = (row.offline_at.map(|t| t.0), row.online_at.map(|t| t.0));
    let begin = off.or_else(|| on?.checked_sub(length?));
    let end = on.or_else(|| off?.checked_add(length?));
    let planned = match row.kind {
        DowntimeKind::Planned | DowntimeKind::Drill => true,
        DowntimeKind::Unplanned
        | DowntimeKind::PoweredOff
        | DowntimeKind::Restarted
        | DowntimeKind::Silent => false,
    };
    let placed = |begin, end, open| Span {
        begin,
        end,
        open,
        planned,
    };
    match (begin, end) {
        (Some(begin), Some(end)) if begin <= end => placed(Some(begin), end, false),
        // An end before its beginning: a clock stepped in between.
        (_, Some(end)) => placed(None, end, false),
        (Some(begin), None) => placed(Some(begin), now.0.max(begin), true),
        // Nobody knows when it was: it is shown in the period that goes on.
        (None, None) => placed(None, now.0, false),
    }
}

/// How much the intervals cover together.
fn covered(mut intervals: Vec<(i64, i64)>) -> i64 {
    intervals.sort_unstable();
    let (mut sum, mut reach) = (0, i64::MIN);
    for (begin, end) in intervals {
        let begin = begin.max(reach);
        if end > begin {
            sum += end - begin;
            reach = end;
        }
    }
    sum
}

/// To a thousandth of a minute.
fn minutes(us: i64) -> f64 {
    (us as f64 / 60_000.0).round() / 1000.0
}

/// Rounded down to a ten-thousandth of a percent.
fn percent(part: i64, whole: i64) -> Option<f64> {
    let ten_thousandths = (i128::from(part) * 1_000_000).checked_div(i128::from(whole))?;
    Some(ten_thousandths as f64 / 10_000.0)
}

/// Mean times in seconds over the incidents' records; each only over the records that have both its ends.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Times {
    /// Offline to the first client that worked again.
    pub mttr_s: Option<f64>,
    /// Detected to the first notice.
    pub time_to_notice_s: Option<f64>,
    /// Confirmed to decided.
    pub decision_s: Option<f64>,
    /// Begin of the take to the first client.
    pub technical_s: Option<f64>,
    /// How many records there are.
    pub records: u32,
}

/// The means over some records.
pub fn times(records: &[BTreeMap<TimeKind, UtcMicros>]) -> Times {
    let mean = |from: TimeKind, to: TimeKind| {
        let between = |r: &BTreeMap<TimeKind, UtcMicros>| {
            let us = r.get(&to)?.0.checked_sub(r.get(&from)?.0)?;
            (us >= 0).then_some(us as f64 / 1_000_000.0)
        };
        let all: Vec<f64> = records.iter().filter_map(between).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        (!all.is_empty()).then_some((mean * 1000.0).round() / 1000.0)
    };
    Times {
        mttr_s: mean(TimeKind::Offline, TimeKind::ClientOk),
        time_to_notice_s: mean(TimeKind::Detected, TimeKind::FirstNotice),
        decision_s: mean(TimeKind::Confirmed, TimeKind::Decided),
        technical_s: mean(TimeKind::TakeStart, TimeKind::ClientOk),
        records: u32::try_from(records.len()).unwrap_or(u32::MAX),
    }
}

/// The rows of the log book that touch a period; rows without any time are in the period that goes on.
pub fn rows_in(period: &Period, rows: &[LogBookRow], now: UtcMicros) -> Vec<LogBookRow> {
    let end = period.counted_until(now).max(period.from.0);
    let touches = |row: &&LogBookRow| span(row, now).touches(period, end);
    rows.iter().filter(touches).cloned().collect()
}
