//! Looks at B-tree indexes with the extension amcheck, within a budget: those over text first, since their order is the
//! system libraries', then by lot.

use super::connect::{Answer, unanswered};
use siaga_model::Why;
use siaga_model::rehearsal::{IndexCheck, Tried};
use std::time::{Duration, Instant};

/// How long a look into the catalogue may take.
const LIST_WITHIN: Duration = Duration::from_secs(20);
/// So many damaged indexes are named.
const NAMED: usize = 20;

const AVAILABLE: &str = "select count(*)::text from pg_available_extensions where name = 'amcheck'";
const MADE: &str = "select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace \
    where e.extname = 'amcheck'";
const MAKE: &str = "create extension if not exists amcheck";
/// Number and name of each index that can be looked at, a line each. Indexes of PostgreSQL's own are among them.
const INDEXES: &str = "select string_agg(oid::text || ' ' || oid::regclass::text, chr(10)) from ( \
    select c.oid from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam \
    where a.amname = 'btree' and c.relkind = 'i' and c.relpersistence = 'p' and i.indisvalid and i.indisready \
    order by exists (select from unnest(i.indcollation) o where o <> 0) desc, random()) x";

/// May the extension be made?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extension {
    /// In a copy.
    Make,
    /// In a database that serves, never.
    OnlyWhereMade,
}

/// One statement to one database, within so long.
pub type Ask<'a> = dyn Fn(&str, &str, Duration) -> Result<Option<String>, Answer> + 'a;

/// One look.
pub struct Look<'a> {
    pub databases: &'a [String],
    pub extension: Extension,
    pub until: Instant,
    pub ask: &'a Ask<'a>,
    /// Asked before each index.
    pub go_on: &'a dyn Fn() -> bool,
}

/// Looks at as many as there is time for.
pub fn look(look: &Look) -> IndexCheck {
    let begun = Instant::now();
    let mut sum = IndexCheck::not_exercised(Why::ExtensionNotMade {
        name: "amcheck".into(),
    });
    for database in look.databases {
        match schema(look, database) {
            Ok(Some(schema)) => in_database(look, database, &schema, &mut sum),
            Ok(None) => {}
            Err(why) => sum.why = Some(why),
        }
    }
    if sum.checked > 0 {
        sum.why = None;
        sum.status = Tried::of(Some(sum.damaged.is_empty()));
    }
    sum.duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    sum
}

/// The schema of the extension in that database, where it is, or may be made.
fn schema(look: &Look, database: &str) -> Result<Option<String>, Why> {
    let ask = |statement| {
        (look.ask)(database, statement, LIST_WITHIN).map_err(|a| unanswered(a, LIST_WITHIN))
    };
    if look.extension == Extension::Make {
        if ask(AVAILABLE)?.as_deref() == Some("0") {
            return Err(Why::ExtensionNotThere {
                name: "amcheck".into(),
            });
        }
        ask(MAKE)?;
    }
    ask(MADE)
}

fn in_database(look: &Look, database: &str, schema: &str, sum: &mut IndexCheck) {
    let listed = match (look.ask)(database, INDEXES, LIST_WITHIN) {
        Ok(listed) => listed.unwrap_or_default(),
        Err(answer) => {
            sum.why = Some(unanswered(answer, LIST_WITHIN));
            return;
        }
    };
    sum.indexes += listed.lines().count() as u64;
    let schema = schema.replace('"', "\"\"");
    for line in listed.lines() {
        let left = look.until.saturating_duration_since(Instant::now());
        if left.is_zero() || !(look.go_on)() {
            return;
        }
        let Some((number, name)) = line.split_once(' ') else {
            continue;
        };
        let statement = format!("select \"{schema}\".bt_index_check({number}::regclass)");
        match (look.ask)(database, &statement, left) {
            Ok(_) => sum.checked += 1,
            Err(answer) if is_damage(&answer) => {
                sum.checked += 1;
                if sum.damaged.len() < NAMED {
                    let said = match unanswered(answer, left) {
                        Why::System(said) => said,
                        _ => String::new(),
                    };
                    sum.damaged.push(format!("{database}: {name}: {said}"));
                }
            }
            // Its time was over, it was dropped meanwhile, or the user may not: that one was not looked at.
            Err(_) => {}
        }
    }
}

/// PostgreSQL's own class of errors for damage: data or an index is corrupted.
fn is_damage(answer: &Answer) -> bool {
    match answer {
        Answer::NotNow(Why::System(said)) => said.ends_with("(XX001)") || said.ends_with("(XX002)"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(extension: Extension, made: bool, until: Instant) -> (IndexCheck, Vec<String>) {
        let asked = std::cell::RefCell::new(Vec::new());
        let ask = |_: &str, statement: &str, _: Duration| {
            asked.borrow_mut().push(statement.to_owned());
            Ok(match statement {
                AVAILABLE => Some("1".to_owned()),
                MADE => (made || extension == Extension::Make).then(|| "public".to_owned()),
                INDEXES => Some("16 a\n17 b c".to_owned()),
                s if s.contains("17::") => {
                    return Err(Answer::NotNow(Why::System("bad (XX002)".into())));
                }
                _ => None,
            })
        };
        let sum = look(&Look {
            databases: &["simrs".to_owned()],
            extension,
            until,
            ask: &ask,
            go_on: &|| true,
        });
        (sum, asked.into_inner())
    }

    #[test]
    fn a_damaged_index_is_named_and_nothing_is_made_where_the_service_runs() {
        let later = Instant::now() + Duration::from_secs(60);
        let (sum, asked) = checked(Extension::OnlyWhereMade, true, later);
        assert_eq!(
            (sum.status, sum.checked, sum.indexes),
            (Tried::Failed, 2, 2)
        );
        assert_eq!(sum.damaged, ["simrs: b c: bad (XX002)"]);
        assert!(!asked.iter().any(|s| s == MAKE));
        let (sum, _) = checked(Extension::OnlyWhereMade, false, later);
        assert_eq!(sum.status, Tried::NotExercised);
        let (_, asked) = checked(Extension::Make, false, later);
        assert!(asked.iter().any(|s| s == MAKE));
    }

    #[test]
    fn nothing_begins_after_its_time() {
        let (sum, _) = checked(Extension::Make, false, Instant::now());
        assert_eq!(
            (sum.status, sum.checked, sum.indexes),
            (Tried::NotExercised, 0, 2)
        );
    }
}
