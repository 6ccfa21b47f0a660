//! The rows that the database acknowledged: each must be found again.

use std::collections::BTreeSet;
use std::time::SystemTime;

/// Rows kept in memory, and in the table, per probe.
const KEEP: usize = 600;
/// Every so many attempts all rows are looked for, and old ones removed.
const ALL_EVERY: u64 = 100;

/// What an attempt is to look for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Search {
    pub ids: Vec<i64>,
    /// Rows below this may be removed.
    pub prune_below: Option<i64>,
}

/// The acknowledged rows of this process.
#[derive(Debug, Default)]
pub struct Rows {
    last: i64,
    kept: BTreeSet<i64>,
    attempts: u64,
    /// Rows below this may be gone from the table.
    removed_below: i64,
    pub lost: u64,
}

impl Rows {
    /// A number that this probe never gave a row before, also before a restart (while the clock goes forwards).
    /// Not from a sequence of the database: one that was set back would give lost numbers out again.
    pub fn next_id(&mut self) -> i64 {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |d| d.as_micros());
        self.last = i64::try_from(now)
            .unwrap_or(i64::MAX - 1)
            .max(self.last + 1);
        self.last
    }

    /// What to look for now: everything on a fresh connection (it may lead to another server), else the newest.
    pub fn search(&mut self, fresh: bool) -> Search {
        self.attempts += 1;
        let all = self.attempts.is_multiple_of(ALL_EVERY);
        let ids = if fresh || all {
            self.kept.iter().copied().collect()
        } else {
            self.kept.last().copied().into_iter().collect()
        };
        let prune_below = self.kept.first().copied().filter(|_| all);
        self.removed_below = self.removed_below.max(prune_below.unwrap_or(0));
        Search { ids, prune_below }
    }

    /// The database committed this row. Attempts run beside each other: its answer may come after those of later rows, and
    /// after another attempt has removed it. Such a one is not looked for.
    pub fn acknowledged(&mut self, id: i64) {
        if id >= self.removed_below {
            self.kept.insert(id);
        }
        if self.kept.len() > KEEP {
            self.kept.pop_first();
        }
    }

    /// What a search found. What is missing is lost, unless it was dropped from memory meanwhile (then another
    /// attempt may have removed it).
    pub fn found(&mut self, search: &Search, found: &[i64]) {
        for id in &search.ids {
            if !found.contains(id) && self.kept.remove(id) {
                self.lost += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_row_counts_once_and_a_dropped_one_does_not() {
        let mut rows = Rows::default();
        let ids: Vec<i64> = (0..700).map(|_| rows.next_id()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        let early = Search {
            ids: vec![ids[0], ids[699]],
            prune_below: None,
        };
        ids.iter().for_each(|&id| rows.acknowledged(id));
        let all = rows.search(true);
        assert_eq!(all.ids.len(), KEEP);
        rows.found(&early, &[ids[699]]);
        assert_eq!(rows.lost, 0, "ids[0] had left the memory");
        rows.found(&all, &all.ids[1..]);
        rows.found(&all, &all.ids[1..]);
        assert_eq!(rows.lost, 1);
        assert!(!rows.search(true).ids.contains(&all.ids[0]));
        assert_eq!(rows.search(false).ids, [ids[699]]);
    }

    /// Attempts run beside each other while the service comes back: the later row can be acknowledged first.
    #[test]
    fn a_row_that_is_acknowledged_after_a_later_one_is_not_removed_and_called_lost() {
        let removes = |rows: &mut Rows| loop {
            if let Some(below) = rows.search(false).prune_below {
                return below;
            }
        };
        let lost = |rows: &mut Rows, table: &[i64]| {
            let search = rows.search(true);
            rows.found(&search, table);
            rows.lost
        };
        let mut rows = Rows::default();
        let (first, second) = (rows.next_id(), rows.next_id());
        rows.acknowledged(second);
        rows.acknowledged(first);
        assert_eq!(removes(&mut rows), first);
        assert_eq!(lost(&mut rows, &[first, second]), 0);
        assert_eq!(lost(&mut rows, &[second]), 1);
        // Its answer comes after it may have been removed.
        let mut rows = Rows::default();
        let (first, second) = (rows.next_id(), rows.next_id());
        rows.acknowledged(second);
        assert_eq!(removes(&mut rows), second);
        rows.acknowledged(first);
        assert_eq!(lost(&mut rows, &[second]), 0);
    }
}
