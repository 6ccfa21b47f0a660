//! What the running database asks of a host that would take it over.

use super::{Postgres, collations};
use crate::observe::host;
use siaga_model::readiness::{CollationLook, DatabaseNeeds, HugeNeed};
use std::time::Instant;

/// Words in one row: MiB of shared buffers, huge pages, MiB of WAL, whether the pages carry checksums, how many did not fit,
/// KiB of one huge page where a size is set (from version 14 on), and how many huge pages it takes (from 15 on).
pub(crate) const NEEDS: &str = "select concat_ws(' ', \
    pg_size_bytes(current_setting('shared_buffers')) / 1048576, \
    current_setting('huge_pages'), \
    pg_size_bytes(current_setting('max_wal_size')) / 1048576, \
    current_setting('data_checksums'), \
    (select coalesce(sum(checksum_failures), 0) from pg_stat_database), \
    coalesce(pg_size_bytes(current_setting('huge_page_size', true)) / 1024, 0), \
    coalesce(current_setting('shared_memory_size_in_huge_pages', true), 'untold'))";

impl Postgres {
    /// What it asks, without its collations: one statement. `None`: it does not run, or does not say.
    pub fn needs(&self) -> Option<DatabaseNeeds> {
        let said = self.ask_running(NEEDS, self.look_within).ok()??;
        parse(&said, host::huge_page_kibibytes())
    }

    /// The same, and every database asked for its collations. Takes [`collations::WITHIN`] longer at the most.
    pub fn all_needs(&self) -> Option<DatabaseNeeds> {
        let needs = self.needs()?;
        let Ok(server) = self.running() else {
            return Some(needs);
        };
        let seen = collations::look(&collations::Look {
            database: &self.config.check_database,
            until: Instant::now() + collations::WITHIN,
            ask: &|database, statement, within| self.ask_of(server, database, statement, within),
        });
        Some(DatabaseNeeds {
            collations_changed: seen.changed,
            collation_look: seen.look,
            ..needs
        })
    }
}

/// `own_page`: KiB of the huge pages that the system itself uses.
pub(crate) fn parse(said: &str, own_page: Option<u64>) -> Option<DatabaseNeeds> {
    let mut words = said.split(' ');
    let number = |word: Option<&str>| word?.parse::<u64>().ok();
    let shared_mebibytes = number(words.next())?;
    let huge_pages = words.next()? == "on";
    let wal_mebibytes = number(words.next())?;
    let checksums = words.next().map(|on| on == "on");
    let checksum_failures = number(words.next());
    let set = number(words.next()).filter(|kibibytes| *kibibytes > 0);
    Some(DatabaseNeeds {
        shared_mebibytes,
        huge_pages,
        wal_mebibytes,
        collations_changed: 0,
        collation_look: CollationLook::Unknown,
        checksums,
        checksum_failures,
        huge_need: huge_need(words.next(), set.or(own_page), shared_mebibytes),
        huge_page_kibibytes: set,
    })
}

/// Of what the server says of `shared_memory_size_in_huge_pages`: -1 where it knows no huge pages.
fn huge_need(pages: Option<&str>, page: Option<u64>, shared_mebibytes: u64) -> HugeNeed {
    match pages {
        Some("untold") => HugeNeed::About {
            mebibytes: about(shared_mebibytes),
        },
        pages => match (pages.and_then(|p| p.parse::<u64>().ok()), page) {
            (Some(pages), Some(kibibytes)) => HugeNeed::Exactly {
                mebibytes: pages.saturating_mul(kibibytes).div_ceil(1024),
            },
            _ => HugeNeed::Unknown,
        },
    }
}

/// Before PostgreSQL 15 the documentation ("Managing Kernel Resources", "Linux Huge Pages") names no sum: it has the memory of a
/// running postmaster measured. Version 15, asked with `-C shared_memory_size`, answers 15 MiB above shared buffers of 128 MiB,
/// 117 above 4 GiB, 387 above 16 GiB, and some 40 more with 1000 connections: a 39th part and 32 MiB cover that.
const fn about(shared_mebibytes: u64) -> u64 {
    shared_mebibytes + shared_mebibytes / 39 + 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_are_read() {
        let needs = parse("128 on 1024 off 0 0 72", Some(2048)).unwrap();
        assert_eq!(
            needs,
            DatabaseNeeds {
                shared_mebibytes: 128,
                huge_pages: true,
                wal_mebibytes: 1024,
                collations_changed: 0,
                collation_look: CollationLook::Unknown,
                checksums: Some(false),
                checksum_failures: Some(0),
                huge_need: HugeNeed::Exactly { mebibytes: 144 },
                huge_page_kibibytes: None,
            }
        );
        assert_eq!(parse("", None), None);
    }

    #[test]
    fn what_lies_in_huge_pages_is_told_reckoned_or_unknown() {
        let need = |said: &str, own| {
            let needs = parse(&format!("128 on 1024 on 0 {said}"), own).unwrap();
            (needs.huge_need, needs.huge_page_kibibytes)
        };
        let own = Some(2048);
        let exactly = |mebibytes| HugeNeed::Exactly { mebibytes };
        assert_eq!(need("0 72", own), (exactly(144), None));
        // By the size that is set, not by the system's own.
        assert_eq!(need("1048576 1", own), (exactly(1024), Some(1_048_576)),);
        assert_eq!(need("0 -1", own), (HugeNeed::Unknown, None));
        assert_eq!(need("0 72", None), (HugeNeed::Unknown, None));
        // 14 and before.
        let about = HugeNeed::About { mebibytes: 163 };
        assert_eq!(need("0 untold", own), (about, None));
        assert_eq!(need("2048 untold", None), (about, Some(2048)));
    }
}
