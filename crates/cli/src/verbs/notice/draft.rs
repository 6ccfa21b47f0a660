//! `siaga notice draft`: write a notice.

use super::{ask, say, unit};
use crate::args::{self, Global};
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::when;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use siaga_model::notice_api::{NoticeAct, NoticeFacts};
use siaga_model::{IncidentKey, ServiceName, UnitName, UtcMicros};
use siaga_words::NoticeScreen;

/// Write a notice for the units; it goes out when it is released
///
/// Times are written as 14:05 (today, in the site's zone), +30m (from now), 2026-12-01T22:00 or RFC 3339. What is left out
/// is not known, and is said so or not said at all. Write no patient's data into the sentence.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The moment of the downtime.
    #[arg(value_name = "MOMENT", value_parser = clap::builder::PossibleValuesParser::new(super::moments()))]
    pub moment: String,
    /// The incident that it belongs to.
    #[arg(long, value_name = "INCIDENT")]
    pub incident: Option<String>,
    /// Its number for people: DT-2026-007.
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<String>,
    /// Only for this unit; can be given several times. Default: every unit.
    #[arg(long = "unit", value_name = "UNIT", value_parser = unit)]
    pub units: Vec<UnitName>,
    /// Only this service; can be given several times. Default: all of the site.
    #[arg(long = "service", value_name = "SERVICE", value_parser = args::service)]
    pub services: Vec<ServiceName>,
    /// What is new, in one sentence.
    #[arg(long, value_name = "TEXT")]
    pub sentence: Option<String>,
    /// When it was reported.
    #[arg(long, value_name = "TIME")]
    pub reported: Option<String>,
    /// Since when it is down.
    #[arg(long, value_name = "TIME")]
    pub start: Option<String>,
    /// When it works again, as a range: 14:20..14:45. Left out: not yet known.
    #[arg(long, value_name = "FROM..TO")]
    pub estimate: Option<String>,
    /// When the next news comes; default: as the site's rules say.
    #[arg(long, value_name = "TIME")]
    pub next_update: Option<String>,
    /// Are paper forms to be used?
    #[arg(long, value_name = "YES-OR-NO", value_parser = ["yes", "no"])]
    pub paper: Option<String>,
    /// Since when it works again.
    #[arg(long, value_name = "TIME")]
    pub restored: Option<String>,
    /// Until when it is watched; default: as the site's rules say.
    #[arg(long, value_name = "TIME")]
    pub watch_until: Option<String>,
    /// By when paper forms are to be entered; default: as the site's rules say.
    #[arg(long, value_name = "TIME")]
    pub back_entry_due: Option<String>,
    /// When planned work begins.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// When planned work ends.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// When the notice was sent that is withdrawn.
    #[arg(long, value_name = "TIME")]
    pub earlier: Option<String>,
    /// It is a drill: every text is marked.
    #[arg(long)]
    pub drill: bool,
    /// In a drill: the service really stops.
    #[arg(long, requires = "drill")]
    pub stops_service: bool,
    /// Release it at once, where you may.
    #[arg(long)]
    pub release: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga notice draft suspected --sentence \"log-in hangs\" --release
  siaga notice draft confirmed --start 14:05 --estimate 14:20..14:45 --paper yes
  siaga notice draft planned --from 2026-12-01T22:00 --to 2026-12-01T23:30 --sentence \"new memory\"";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let Some(moment) = siaga_comms::moment_by_name(&args.moment) else {
        return Err(Fault::Usage(args.moment.clone()));
    };
    let act = NoticeAct::Draft {
        moment,
        incident: args.incident.clone().map(IncidentKey::new),
        units: args.units.clone(),
        facts: Box::new(facts(&ctx, args)?),
        release: args.release,
    };
    ask(&ctx, act, args.json, |notice| {
        let notice = notice.unwrap_or_else(|| "?".into());
        match args.release {
            true => NoticeScreen::Released { notice },
            false => NoticeScreen::Written { notice },
        }
    })
}

fn facts(ctx: &Context, args: &Args) -> Result<NoticeFacts, Fault> {
    let now = when::now();
    let zone = &ctx.site.time_zone;
    let one = |text: &str| {
        time(text, zone, now).ok_or_else(|| {
            let text = text.to_owned();
            Fault::Usage(say(ctx, NoticeScreen::BadTime { text }))
        })
    };
    let at = |text: &Option<String>| text.as_deref().map(&one).transpose();
    let range = args.estimate.as_deref();
    let range = range.map(|r| r.split_once("..").unwrap_or((r, r)));
    Ok(NoticeFacts {
        number: args.number.clone(),
        drill: args.drill,
        stops_service: args.stops_service,
        services: args.services.clone(),
        reported: at(&args.reported)?,
        start: at(&args.start)?,
        estimate_from: range.map(|(from, _)| one(from)).transpose()?,
        estimate_to: range.map(|(_, to)| one(to)).transpose()?,
        estimate_changed: None,
        next_update: at(&args.next_update)?,
        paper: args.paper.as_deref().map(|p| p == "yes"),
        restored: at(&args.restored)?,
        watch_until: at(&args.watch_until)?,
        downtime_s: None,
        back_entry_due: at(&args.back_entry_due)?,
        window_from: at(&args.from)?,
        window_to: at(&args.to)?,
        earlier: at(&args.earlier)?,
        sentence: args.sentence.clone(),
    })
}

/// `14:05` or `14.05` today, `+30m`, or what `--since` understands.
fn time(text: &str, zone: &str, now: UtcMicros) -> Option<UtcMicros> {
    if let Some(span) = text.strip_prefix('+') {
        let ago = when::since(span, zone, now).ok()?;
        // The same length of time, ahead.
        return Some(UtcMicros(now.0.checked_add(now.0.checked_sub(ago.0)?)?));
    }
    if let Ok(clock) = text.replace('.', ":").parse::<Time>() {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let now = Timestamp::from_microsecond(now.0).ok()?;
        let today = now.to_zoned_datetime(zone.clone()).date();
        let at = zone.to_timestamp(today.to_datetime(clock)).ok()?;
        return Some(UtcMicros(at.as_microsecond()));
    }
    when::since(text, zone, now).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_today_in_the_sites_zone_or_from_now() {
        let now = UtcMicros(1_754_031_909_000_000); // 2025-08-01T07:05:09Z
        let at = |text| time(text, "Asia/Jakarta", now).map(|t| t.0 / 1_000_000);
        assert_eq!(at("14:05"), Some(1_754_031_900));
        assert_eq!(at("14.05"), Some(1_754_031_900));
        assert_eq!(at("+30m"), Some(1_754_031_909 + 1800));
        assert_eq!(at("2025-08-01T14:05:09"), Some(1_754_031_909));
        assert_eq!(at("soon"), None);
        assert_eq!(at("25:00"), None);
    }
}
