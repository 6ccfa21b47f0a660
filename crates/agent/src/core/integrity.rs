//! Is the data what it was? What was last seen of each database's control file, from the rows of starts and stops; and what
//! a running database says of its files, looked at in the background, never while a move is at work.

mod accept;
mod background;
mod memory;

pub use accept::accept;
pub use background::{damaged, keep_looking};
pub use memory::{IntegrityDesk, follow};
