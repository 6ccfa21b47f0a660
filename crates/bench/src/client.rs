//! The measuring client, inside the lab client's namespaces: every 5 ms it opens a connection through the service's
//! address and commits an insert. Attempts do not wait for each other, so that one that hangs on a dead node hides
//! nothing of the next one's success.
//!
//! It says on standard output: `steady` once the service works, and `new AT LAST REFUSED` at the first commit that another
//! server process confirmed (moments of CLOCK_MONOTONIC in nanoseconds), after which it ends.

use crate::clock::Moment;
use crate::error::{Doing, Result, unexpected};
use std::cell::RefCell;
use std::io::Write;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

const EVERY: Duration = Duration::from_millis(5);
/// An answered SYN needs microseconds; a lost one is repeated by the kernel only after a second.
const CONNECT_WITHIN: Duration = Duration::from_millis(40);
/// Outside of the measurement.
const NO_HURRY: Duration = Duration::from_secs(5);
const COMMIT_WITHIN: Duration = Duration::from_millis(300);
/// More would be in each other's way: the first backends of a server have much to do.
const AT_ONCE: usize = 3;
const STEADY_AFTER: u32 = 20;
/// Nobody waits longer than this for a move.
const AT_MOST: Duration = Duration::from_secs(300);

const TABLE: &str = "create table if not exists siaga_bench (at timestamptz not null)";
/// The start of the postmaster tells which server confirmed it.
const INSERT: &str =
    "insert into siaga_bench (at) values (now()) returning pg_postmaster_start_time()::text";

/// What was seen so far.
#[derive(Default)]
struct Seen {
    first: Option<String>,
    commits: u32,
    last: i64,
    refused: u32,
    running: usize,
    new: Option<i64>,
}

/// Runs until another server confirmed a commit.
pub fn run(dsn: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .doing("start the client")?;
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, measure(dsn))
}

async fn measure(dsn: &str) -> Result<()> {
    let config: Config = dsn.parse().map_err(|e| unexpected(format!("{dsn}: {e}")))?;
    let address = address_of(&config)?;
    query(&config, address, TABLE, NO_HURRY)
        .await
        .map_err(unexpected)?;
    let seen = Rc::new(RefCell::new(Seen::default()));
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let begun = Moment::now();
    let mut steady = false;
    loop {
        ticks.tick().await;
        let (commits, running, new, last, refused) = {
            let s = seen.borrow();
            (s.commits, s.running, s.new, s.last, s.refused)
        };
        if !steady && commits >= STEADY_AFTER {
            steady = true;
            say("steady")?;
        }
        if let Some(at) = new {
            return say(&format!("new {at} {last} {refused}"));
        }
        if Moment::now().since(begun) > AT_MOST.as_secs_f64() * 1e3 {
            return Err(unexpected("no other server ever answered"));
        }
        if running < AT_ONCE {
            seen.borrow_mut().running += 1;
            tokio::task::spawn_local(attempt(config.clone(), address, seen.clone()));
        }
    }
}

async fn attempt(config: Config, address: SocketAddr, seen: Rc<RefCell<Seen>>) {
    let answer = timeout(
        COMMIT_WITHIN,
        query(&config, address, INSERT, CONNECT_WITHIN),
    )
    .await;
    let at = Moment::now().0;
    let mut seen = seen.borrow_mut();
    seen.running -= 1;
    match answer {
        Ok(Ok(server)) => {
            seen.commits += 1;
            match &seen.first {
                None => seen.first = server,
                Some(first) if Some(first) != server.as_ref() => {
                    seen.new.get_or_insert(at);
                }
                Some(_) => {}
            }
            if seen.new.is_none() {
                seen.last = at;
            }
        }
        _ => seen.refused += 1,
    }
}

/// The address of the first host of a DSN, which the lab gives as numbers.
fn address_of(config: &Config) -> Result<SocketAddr> {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    config
        .get_hosts()
        .iter()
        .find_map(|host| match host {
            tokio_postgres::config::Host::Tcp(name) => {
                Some(SocketAddr::new(name.parse().ok()?, port))
            }
            tokio_postgres::config::Host::Unix(_) => None,
        })
        .ok_or_else(|| unexpected("the lab's DSN names no address"))
}

/// One connection, one statement; the first column of its first row. It returns after the commit was confirmed.
async fn query(
    config: &Config,
    address: SocketAddr,
    statement: &str,
    connect_within: Duration,
) -> std::result::Result<Option<String>, String> {
    let stream = timeout(connect_within, TcpStream::connect(address))
        .await
        .map_err(|_| "no connection in time".to_owned())?
        .map_err(|e| e.to_string())?;
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    let (client, connection) = config
        .connect_raw(stream, NoTls)
        .await
        .map_err(|e| e.to_string())?;
    let connection = tokio::task::spawn_local(connection);
    let rows = client.simple_query(statement).await;
    drop(client);
    connection.abort();
    let first = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    Ok(rows.map_err(|e| e.to_string())?.into_iter().find_map(first))
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .doing("report")
}

/// How much one statement of [`fill`] writes, in rows of about half a kilobyte.
const ROWS_AT_ONCE: u32 = 20_000;

/// Writes at least so many megabytes of WAL through the address, in a table that is emptied first. No checkpoint comes
/// between, as long as this stays well below PostgreSQL's `max_wal_size`.
pub fn fill(dsn: &str, megabytes: u64) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .doing("start the client")?;
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        let config: Config = dsn.parse().map_err(|e| unexpected(format!("{dsn}: {e}")))?;
        let address = address_of(&config)?;
        let ask = async |statement: &str| query(&config, address, statement, NO_HURRY).await.map_err(unexpected);
        ask("create table if not exists siaga_bench_fill (n int, text text)").await?;
        ask("truncate siaga_bench_fill").await?;
        let begin = ask("select pg_current_wal_insert_lsn()").await?.unwrap_or_default();
        let insert = format!(
            "insert into siaga_bench_fill select n, repeat(md5(random()::text), 16) from generate_series(1, {ROWS_AT_ONCE}) n"
        );
        let written = format!("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '{begin}')::bigint / 1048576");
        loop {
            ask(&insert).await?;
            let megabytes_now = ask(&written).await?.and_then(|n| n.parse::<u64>().ok());
            if megabytes_now.is_none_or(|now| now >= megabytes) {
                return Ok(());
            }
        }
    })
}
