//! What is seen of this host and its segment: one file per thing. Looking changes nothing.
pub mod arp;
pub mod backup;
pub mod boot;
pub mod cgroup;
pub mod disk_watch;
pub mod facts;
pub mod holders;
pub mod host;
pub mod interfaces;
pub mod mounts;
pub mod ndp;
pub mod packet;
pub mod pg_control;
pub mod port;
pub mod raw_disk;
pub mod survey;
pub mod witness;
