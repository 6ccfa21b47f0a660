//! Moves a data directory to the storage that moves, and back. It decides nothing: the planner made the list of steps, and
//! what is left of it is on the disk before each of them.
//!
//! | part | what it does |
//! |---|---|
//! | [`work`] | the list, step by step |
//! | [`tree`] | a pass over the files: copy, sync, read again from the disk, compare |
//! | [`switch`] | which directory a server starts from |
//! | [`device`] | the file system |
//! | [`gap`] | how long a client gets no answer |
//! | [`kept`] | the job on the disk |

pub mod device;
mod file;
pub mod gap;
pub mod kept;
mod pace;
mod server;
pub mod switch;
mod tree;
pub mod work;

pub use siaga_model::migrate::Fail;

use siaga_model::migrate::{Progress, Step};

/// What a server needs to start from a directory, and what it is called while it must not.
pub(crate) const CONTROL: &str = "global/pg_control";
pub(crate) const HELD: &str = "global/pg_control.siaga-migrate";
/// Says what the kept directory is.
pub(crate) const NOTE: &str = "SIAGA-MIGRATE.txt";

/// Where in the list the work is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    Before(Step),
    /// Its effect is there, and not yet on the list.
    Done(Step),
}

/// Who looks on.
pub trait Watch: Sync {
    /// How far it is.
    fn progress(&self, at: &Progress);
    /// False where a person wants the end: asked while copying, when nothing is switched over.
    fn go_on(&self) -> bool;
    /// The same between two steps.
    fn goes_on_at(&self, at: At) -> bool;
}
