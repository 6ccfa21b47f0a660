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
/// Nobody but the superuser can have put anything beside it there.
const MAKE: &str = "create extension if not exists amcheck schema pg_catalog";
/// Number and name of each index that can be looked at, a line each, with its schema where that is not PostgreSQL's own.
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
    /// What an earlier look named as damaged: looked at before all others.
    pub first: &'a [String],
}

impl Look<'_> {
    /// Was anything of that database, or that index of it, named before?
    fn named(&self, database: &str, index: Option<&str>) -> bool {
        let named = |begins: String| self.first.iter().any(|f| f.starts_with(&begins));
        match index {
            // An earlier version named it without its schema.
            Some(index) => named(begin(database, index)) || named(begin(database, bare(index))),
            None => named(format!("{database}: ")),
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Looked {
    pub check: IndexCheck,
    /// What was named as damaged before is in order, or gone: all of it was looked at again, and nothing else was damaged.
    pub over: bool,
}

impl Looked {
    /// It was not tried.
    pub fn not_exercised(why: Why) -> Self {
        Self {
            check: IndexCheck::not_exercised(why),
            over: false,
        }
    }
}

/// Looks at as many as there is time for.
pub fn look(look: &Look) -> Looked {
    let begun = Instant::now();
    let mut sum = IndexCheck::not_exercised(Why::ExtensionNotMade {
        name: "amcheck".into(),
    });
    // Something that was named before was not looked at.
    let mut open = false;
    for database in look.databases {
        let looked = match schema(look, database) {
            Ok(Some(schema)) => in_database(look, database, &schema, &mut sum),
            Ok(None) => false,
            Err(why) => {
                sum.why = Some(why);
                false
            }
        };
        open |= !looked && look.named(database, None);
    }
    if sum.checked > 0 {
        sum.why = None;
        sum.status = Tried::of(Some(sum.damaged.is_empty()));
    }
    sum.duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    // Where there were more than are named, only a look at every index will do.
    let every = sum.checked == sum.indexes;
    let over = sum.status == Tried::Passed && !open && (every || look.first.len() < NAMED);
    Looked { check: sum, over }
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

/// How a damaged index is named, before what is said of it.
fn begin(database: &str, index: &str) -> String {
    format!("{database}: {index}: ")
}

/// Without its schema.
fn bare(index: &str) -> &str {
    let mut quoted = false;
    let end = index.find(|c| {
        quoted ^= c == '"';
        c == '.' && !quoted
    });
    end.map_or(index, |at| &index[at + 1..])
}

/// True where each index that is there and was named before was looked at.
fn in_database(look: &Look, database: &str, schema: &str, sum: &mut IndexCheck) -> bool {
    let listed = match (look.ask)(database, INDEXES, LIST_WITHIN) {
        Ok(listed) => listed.unwrap_or_default(),
        Err(answer) => {
            sum.why = Some(unanswered(answer, LIST_WITHIN));
            return false;
        }
    };
    sum.indexes += listed.lines().count() as u64;
    let schema = schema.replace('"', "\"\"");
    let listed = listed.lines().filter_map(|line| line.split_once(' '));
    let (first, rest): (Vec<_>, Vec<_>) =
        listed.partition(|(_, name)| look.named(database, Some(name)));
    let mut open = first.len();
    for (at, (number, name)) in first.iter().chain(&rest).enumerate() {
        let left = look.until.saturating_duration_since(Instant::now());
        if left.is_zero() || !(look.go_on)() {
            break;
        }
        let before = sum.checked;
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
                    sum.damaged.push(begin(database, name) + &said);
                }
            }
            // Its time was over, it was dropped meanwhile, or the user may not: that one was not looked at.
            Err(_) => {}
        }
        if at < first.len() && sum.checked > before {
            open -= 1;
        }
    }
    open == 0
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

    /// A database with three indexes, of which some can't be looked at; the first ones come first.
    fn again(damaged: &[u32], blind: &[u32], first: &[&str], stop_after: usize) -> Looked {
        let checked = std::cell::Cell::new(0);
        let ask = |_: &str, statement: &str, _: Duration| {
            let of = |all: &[u32]| all.iter().any(|n| statement.contains(&format!("({n}::")));
            Ok(match statement {
                MADE => Some("public".to_owned()),
                INDEXES => Some("16 a\n17 b c\n18 d".to_owned()),
                _ if of(damaged) => return Err(Answer::NotNow(Why::System("bad (XX002)".into()))),
                _ if of(blind) => return Err(Answer::NotNow(Why::System("no (42501)".into()))),
                _ => None,
            })
        };
        let first: Vec<String> = first.iter().map(|f| (*f).to_owned()).collect();
        look(&Look {
            databases: &["simrs".to_owned()],
            extension: Extension::OnlyWhereMade,
            until: Instant::now() + Duration::from_secs(60),
            ask: &ask,
            go_on: &|| checked.replace(checked.get() + 1) < stop_after,
            first: &first,
        })
    }

    #[test]
    fn damage_is_over_once_what_was_named_is_in_order() {
        let named = ["simrs: b c: bad (XX002)"];
        // Looked at before all others, so that a short look tells.
        let short = again(&[], &[], &named, 1);
        assert_eq!((short.check.checked, short.over), (1, true));
        assert!(!again(&[17], &[], &named, 9).over);
        // A sample that did not see it, or may not, says nothing of it.
        assert!(!again(&[], &[], &named, 0).over);
        assert!(!again(&[], &[17], &named, 9).over);
        // Another one is damaged now; it is gone.
        assert!(!again(&[18], &[], &named, 9).over);
        assert!(again(&[], &[], &["simrs: e: bad (XX002)"], 9).over);
        // More may have been damaged than were named.
        let many: Vec<&str> = named.into_iter().cycle().take(NAMED).collect();
        assert!(!again(&[], &[], &many, 2).over);
        assert!(again(&[], &[], &many, 9).over);
    }

    #[test]
    fn what_was_named_without_its_schema_is_found_again() {
        for (index, name) in [
            ("public.a", "a"),
            ("\"my.\"\"schema\".\"b.c\"", "\"b.c\""),
            ("pg_class_oid_index", "pg_class_oid_index"),
            ("\"b.c\"", "\"b.c\""),
        ] {
            assert_eq!(bare(index), name);
        }
        let first = ["simrs: a: bad (XX002)".to_owned()];
        let look = Look {
            databases: &[],
            extension: Extension::OnlyWhereMade,
            until: Instant::now(),
            ask: &|_, _, _| Ok(None),
            go_on: &|| true,
            first: &first,
        };
        assert!(look.named("simrs", Some("public.a")));
        assert!(!look.named("simrs", Some("a.b")));
    }

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
            first: &[],
        });
        (sum.check, asked.into_inner())
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
