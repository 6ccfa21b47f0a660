//! What changes this host: one file per thing.
pub mod announce;
pub mod application;
pub mod bounded;
pub mod client_test;
pub mod disk_set;
pub mod durable_file;
pub mod epoch_record;
pub mod fence;
pub mod fix;
pub mod migrate;
pub mod mmp;
pub mod mount;
mod page;
pub mod postgres;
pub mod rehearsal;
pub mod systemd;
pub mod taken;
pub mod virtual_ip;
