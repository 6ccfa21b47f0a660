//! The event log: what happened, on which node, in an order that both nodes agree on, so that tampering shows.
//!
//! # Files
//!
//! Below the state directory:
//!
//! | path | what |
//! | --- | --- |
//! | `events/<node>.<incarnation>.log` | one node's rows, one per line; own ones and copies of other nodes' alike |
//! | `events/<node>.<incarnation>.damaged` | a file in which a row was found damaged, kept as it is |
//! | `events/<node>.<incarnation>.summary` | how far this node has checked a long log, signed; a shortcut for the open |
//! | `events/trusted-keys` | the public keys known of each node |
//! | `events/reserve` | room for one emergency run, given up when the disk is full |
//! | `events/history-unconfirmed` | there while rows of this node may be missing here |
//! | `events/lock` | held by the process that writes |
//! | `keys/events.pk8` | this node's signing key |
//!
//! # A row
//!
//! A line of JSON: a *body*, then a *seal* of fixed length (212 bytes), then a newline:
//!
//! ```text
//! {"v":1,"node":"a","inc":7,"seq":2,"hlc":{..},"at":..,"synced":1,"prev":"<hex>","event":{..}   <- body
//! ,"hash":"<64 hex>","sig":"<128 hex>"}                                                         <- seal
//! ```
//!
//! - `hash` is SHA-256 over the body: the very bytes written, from `{` up to the seal's comma. Nothing is parsed and
//!   written anew, so rows of a newer version, with fields and kinds unknown here, verify and copy byte for byte.
//! - `sig` is the node's Ed25519 signature over the 32 bytes of `hash`.
//! - `prev` is SHA-256 over the whole line of the row before, without its newline; in row 1, over the genesis text
//!   (see [`row::genesis`]), and row 1 carries the public key in `key`. The last signature thus vouches for all rows.
//! - `synced` is the highest seq that was on stable storage when this row was written. It tells a crash from damage:
//!   a row that a later one calls synced can't have been torn.
//!
//! # The tail
//!
//! The node's own file is filled with zero bytes ahead of its rows, so that `fdatasync` has no metadata to write. Rows
//! hold no zero byte. What a crash can leave is therefore a line that has no newline or has zero bytes in or before
//! it, and no later row that calls it synced: that is a *torn tail*, cut off at the next open, and not tampering.
//! Everything else that does not verify is damage: the file is set aside as it is, and the node goes on in a new
//! incarnation. A removed tail leaves no trace in the file itself; comparing heads with the peer finds it
//! ([`heads::compare_heads`]).
//!
//! # What is checked when
//!
//! | | an open without a summary | an open with one | `events verify` |
//! | --- | --- | --- | --- |
//! | every row's hash and place in the chain | yes | after the summary | yes |
//! | the rows that the ledger and the runs are rebuilt from | yes | yes | yes |
//! | signatures | the last row's | the summary's, the last row's | every row's |
//!
//! A summary that does not hold, or does not fit its log, is as good as none.

pub mod availability;
pub mod by_hand;
mod clock;
pub mod csv;
pub mod error;
mod filter;
pub mod heads;
mod import;
mod incarnation;
pub mod incidents;
mod index;
pub mod journal;
pub mod keys;
pub mod log_book;
mod machines;
mod names;
pub mod offline;
mod opening;
pub mod outbox;
mod own;
pub mod projections;
pub mod read;
pub mod row;
pub mod saved;
mod scan;
pub mod seal;
mod space;
mod summary;
pub mod verify;

pub use clock::{Clock, SystemClock};
pub use error::{ImportError, JournalError};
pub use filter::{Deliveries, Filter, SentSum, SentSums};
pub use heads::{Behind, Heads, compare_heads};
pub use import::{Imported, MAX_IMPORT_BYTES, MAX_IMPORT_ROWS};
pub use incarnation::History;
pub use journal::{Durability, Journal};
pub use keys::{ComingKey, PublicKey, TrustedKeys};
pub use opening::{OpenReport, Start};
pub use read::Reader;
pub use row::{MAX_ROW, RawRow};
pub use space::Room;
pub use verify::{Problem, ProblemKind, verify_dir};
