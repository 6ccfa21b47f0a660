//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Measures Siaga beside a bare floor: the same work as plain system calls, in a lab of the same kind, in the same run
#[derive(Parser, Debug)]
#[command(name = "siaga-bench", args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub inside: Option<Inside>,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Args, Debug, Clone)]
pub struct Options {
    /// The binary to measure.
    #[arg(long, value_name = "FILE", default_value = "target/release/siaga")]
    pub siaga: PathBuf,
    /// The labs are called NAMEs and NAMEf.
    #[arg(long, value_name = "NAME", default_value = "bench")]
    pub name: String,
    /// How often each case is measured, on each side.
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub runs: u32,
    /// The short form: 3 runs, idle cases only.
    #[arg(long, conflicts_with = "runs")]
    pub quick: bool,
    /// Only these cases: planned, planned-256mb, power-cut, power-cut-256mb, agent, planner, ten-years.
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    pub only: Vec<String>,
    /// How long an idle agent's CPU time is watched.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub idle_seconds: u64,
    /// Print JSON on standard output; the table goes to standard error.
    #[arg(long)]
    pub json: bool,
    /// Say what each run and its steps took.
    #[arg(long)]
    pub verbose: bool,
}

/// What runs inside a lab's machines.
#[derive(Subcommand, Debug)]
pub enum Inside {
    /// The measuring client.
    #[command(name = "__client", hide = true)]
    Client {
        #[arg(long)]
        dsn: String,
    },
    /// Writes so much WAL through the address.
    #[command(name = "__fill", hide = true)]
    Fill {
        #[arg(long)]
        dsn: String,
        #[arg(long)]
        megabytes: u64,
    },
    /// The bare program on a node.
    #[command(name = "__floor", hide = true)]
    Floor(FloorArgs),
    /// Starts an agent and times it until it answers.
    #[command(name = "__cold-start", hide = true)]
    ColdStart {
        #[arg(long)]
        siaga: PathBuf,
        #[arg(long)]
        socket: PathBuf,
    },
    /// Writes this node's half of ten years into its event log. Its agent must not run.
    #[command(name = "__ten-years", hide = true)]
    TenYears {
        #[arg(long, default_value = "/var/lib/siaga")]
        state_dir: PathBuf,
        #[arg(long)]
        node: String,
        /// Microseconds UTC.
        #[arg(long)]
        now: i64,
    },
    /// Runs a program so many times, and prints the milliseconds.
    #[command(name = "__timed", hide = true)]
    Timed {
        #[arg(long)]
        times: u32,
        #[arg(last = true)]
        argv: Vec<String>,
    },
    /// Makes the event log of this node so many rows longer. Its agent must not run.
    #[command(name = "__long-log", hide = true)]
    LongLog {
        #[arg(long)]
        state_dir: PathBuf,
        #[arg(long)]
        node: String,
        #[arg(long)]
        rows: usize,
    },
}

#[derive(Args, Debug, Clone)]
pub struct FloorArgs {
    #[arg(long)]
    pub device: PathBuf,
    #[arg(long)]
    pub mount: PathBuf,
    #[arg(long)]
    pub data_dir: PathBuf,
    #[arg(long)]
    pub pg_bin: PathBuf,
    #[arg(long)]
    pub vip: std::net::Ipv4Addr,
    #[arg(long)]
    pub vip6: std::net::Ipv6Addr,
    #[arg(long, default_value = "eth0")]
    pub interface: String,
    #[arg(long, default_value_t = 5432)]
    pub port: u16,
}
