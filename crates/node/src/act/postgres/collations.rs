//! Does text still sort as it did when the indexes over it were built? A collation keeps the version of the library that it
//! had then. Each database has a catalogue of collations of its own; from PostgreSQL 15 on it keeps a version of its
//! default one too, which most indexes over text use.

use super::amcheck::Ask;
use siaga_model::readiness::CollationLook;
use std::time::{Duration, Instant};

/// How long all of it may take: another node waits for it.
pub(crate) const WITHIN: Duration = Duration::from_secs(4);
/// How long one database may take, so that one that hangs leaves time for others.
const EACH_WITHIN: Duration = Duration::from_secs(2);
/// No more databases are asked.
const MOST: usize = 100;
/// Since then a database keeps the version of its default collation.
const KEEPS_DEFAULT: u64 = 150_000;

/// The version, how many databases have a default collation that could change, and a line for each database that may be
/// connected to, templates last. `C` and `POSIX` are the same everywhere. A drop that broke off leaves a limit of -2.
pub(crate) const SERVER: &str = "select concat_ws(' ', current_setting('server_version_num'), \
    count(*) filter (where datcollate !~* '^(c|posix)([.]|$)')) \
    || chr(10) || string_agg(datname, chr(10) order by datistemplate, datname) \
    from pg_database where datallowconn and datconnlimit <> -2";
/// Names columns that an older server does not have.
const DEFAULTS: &str = "select count(*)::text from pg_database where datallowconn and datconnlimit <> -2 \
    and datcollversion is not null and datcollversion is distinct from pg_database_collation_actual_version(oid)";
const OWN: &str = "select count(*)::text from pg_collation where collversion is not null \
    and collversion is distinct from pg_collation_actual_version(oid)";

/// One look.
pub(crate) struct Look<'a> {
    /// Any database, which is asked for what all of them share.
    pub database: &'a str,
    pub until: Instant,
    pub ask: &'a Ask<'a>,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    /// Collations of another version, in all databases that were asked.
    pub changed: u64,
    pub look: CollationLook,
}

impl Look<'_> {
    /// `None`: no answer in time, or none at all.
    fn ask(&self, database: &str, statement: &str) -> Option<String> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        (self.ask)(database, statement, left.min(EACH_WITHIN)).ok()?
    }

    fn count(&self, database: &str, statement: &str) -> Option<u64> {
        self.ask(database, statement)?.parse().ok()
    }
}

/// Asks as many databases as there is time for.
pub(crate) fn look(look: &Look) -> Seen {
    let nothing = Seen {
        changed: 0,
        look: CollationLook::Unknown,
    };
    let Some(said) = look.ask(look.database, SERVER) else {
        return nothing;
    };
    let Some((version, could_change, databases)) = server(&said) else {
        return nothing;
    };
    let keeps = version >= KEEPS_DEFAULT;
    let defaults = match keeps {
        true => look.count(look.database, DEFAULTS),
        false => Some(0),
    };
    let mut not_asked = databases.len().saturating_sub(MOST) as u64;
    let mut changed = defaults.unwrap_or_default();
    for database in databases.into_iter().take(MOST) {
        match look.count(database, OWN) {
            Some(count) => changed += count,
            None => not_asked += 1,
        }
    }
    let look = match (defaults, not_asked) {
        (None, _) => CollationLook::Unknown,
        (Some(_), 0) if keeps || could_change == 0 => CollationLook::All,
        (Some(_), 0) => CollationLook::NoDefaults,
        (Some(_), not_asked) => CollationLook::NotAll { not_asked },
    };
    Seen { changed, look }
}

/// Of the answer to [`SERVER`].
fn server(said: &str) -> Option<(u64, u64, Vec<&str>)> {
    let mut lines = said.lines();
    let (version, could_change) = lines.next()?.split_once(' ')?;
    Some((
        version.parse().ok()?,
        could_change.parse().ok()?,
        lines.collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::postgres::connect::Answer;
    use siaga_model::Why;
    use std::cell::RefCell;

    /// A server of that version, and what each database answers: `None` is none.
    fn seen(server: &str, answers: &[(&str, Option<u64>)], until: Instant) -> (Seen, Vec<String>) {
        let asked = RefCell::new(Vec::new());
        let ask = |database: &str, statement: &str, within: Duration| {
            assert!(within <= EACH_WITHIN);
            asked.borrow_mut().push(format!("{database}: {statement}"));
            if statement == SERVER {
                let names: Vec<&str> = answers.iter().map(|(name, _)| *name).collect();
                return Ok(Some(format!("{server}\n{}", names.join("\n"))));
            }
            // The default collations are the first one's answer too.
            let answer = answers.iter().find(|(name, _)| *name == database);
            match answer.and_then(|(_, count)| *count) {
                Some(count) => Ok(Some(count.to_string())),
                None => Err(Answer::CannotCheck(Why::DatabaseNotRunning)),
            }
        };
        let seen = look(&Look {
            database: answers[0].0,
            until,
            ask: &ask,
        });
        (seen, asked.into_inner())
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn every_database_is_asked_and_all_count() {
        let answers = [("postgres", Some(0)), ("simrs", Some(2)), ("lis", Some(1))];
        let (seen, asked) = seen("150004 3", &answers, later());
        assert_eq!((seen.changed, seen.look), (3, CollationLook::All));
        assert!(asked.contains(&format!("postgres: {DEFAULTS}")));
        assert!(asked.contains(&format!("simrs: {OWN}")));
        assert!(asked.contains(&format!("lis: {OWN}")));
    }

    #[test]
    fn a_server_without_versions_of_the_default_collation_is_not_asked_for_them() {
        let answers = [("postgres", Some(0)), ("simrs", Some(0))];
        let (old, asked) = seen("140009 1", &answers, later());
        assert_eq!(old.look, CollationLook::NoDefaults);
        assert!(!asked.iter().any(|a| a.contains("datcollversion")));
        // Nothing there could change.
        let (plain, _) = seen("140009 0", &answers, later());
        assert_eq!(plain.look, CollationLook::All);
        let (found, _) = seen("140009 1", &[("postgres", Some(2))], later());
        assert_eq!(found.changed, 2);
    }

    #[test]
    fn a_database_that_does_not_answer_is_told_and_the_others_count() {
        let answers = [("postgres", Some(1)), ("closed", None), ("simrs", Some(2))];
        // The default ones: one of another version.
        let (seen, _) = seen("150004 3", &answers, later());
        let look = CollationLook::NotAll { not_asked: 1 };
        assert_eq!((seen.changed, seen.look), (4, look));
    }

    #[test]
    fn of_too_many_databases_the_rest_is_not_asked() {
        let names: Vec<String> = (0..MOST + 7).map(|n| format!("d{n}")).collect();
        let answers: Vec<_> = names.iter().map(|n| (n.as_str(), Some(0))).collect();
        let (seen, asked) = seen("150004 0", &answers, later());
        assert_eq!(seen.look, CollationLook::NotAll { not_asked: 7 });
        assert_eq!(asked.len(), MOST + 2);
    }

    #[test]
    fn nothing_is_asked_after_its_time() {
        let (seen, asked) = seen("150004 0", &[("postgres", Some(0))], Instant::now());
        assert_eq!(seen.look, CollationLook::Unknown);
        assert!(asked.is_empty());
    }

    #[test]
    fn what_is_no_answer_is_unknown() {
        for said in ["", "150004", "x 1\npostgres"] {
            assert_eq!(server(said), None, "{said}");
        }
    }
}
