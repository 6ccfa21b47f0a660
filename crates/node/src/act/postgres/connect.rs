//! A connection to the server through its unix socket, as the account it runs as.

use rustix::net::sockopt::socket_peercred;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use rustix::process::Uid;
use siaga_model::Why;
use siaga_model::config::Database;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// What came of a check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Out of recovery, and a write was committed and flushed.
    Ready,
    /// It serves reads only.
    InRecovery,
    /// It answers, not now: starting up, shutting down, too many clients.
    NotNow(Why),
    /// It answers, and the check can't be made: the check's user may not log in, or there is no such database.
    CannotCheck(Why),
    /// There is no socket, nobody listens there, or somebody else does.
    NoServer(Why),
    /// No answer in time.
    Silent,
}

/// One roundtrip: the write happens only out of recovery. A transactional message is WAL like any other write, and its
/// commit waits for the flush.
pub(crate) const CHECK: &str = "select pg_is_in_recovery(), case when not pg_is_in_recovery() \
                     then pg_logical_emit_message(true, 'siaga', 'ready')::text end";

/// The check's user may be the superuser: a name in a statement is PostgreSQL's own one, whatever the owner of a database
/// put on its search path. What a client sets as it connects beats the settings of databases and roles. Temporary objects
/// come first where they are not named.
const OWN_NAMES: &str = "-c search_path=pg_catalog,pg_temp";

/// Asks the server whose postmaster is `postmaster` whether it is ready.
pub fn check(
    rt: &Handle,
    config: &Database,
    uid: u32,
    postmaster: i32,
    within: Duration,
) -> Answer {
    let asked = query(rt, config, uid, postmaster, CHECK, within);
    match asked {
        Ok(value) if value.as_deref() == Some("f") => Answer::Ready,
        Ok(_) => Answer::InRecovery,
        Err(answer) => answer,
    }
}

/// Runs one statement and gives the first column of its first row. The error is never [`Answer::Ready`].
pub fn query(
    rt: &Handle,
    config: &Database,
    uid: u32,
    postmaster: i32,
    statement: &str,
    within: Duration,
) -> Result<Option<String>, Answer> {
    let stream = open_as(uid, config)?;
    // Another cluster may listen at the same place.
    match socket_peercred(&stream) {
        Ok(peer) if peer.pid.as_raw_nonzero().get() == postmaster => {}
        Ok(peer) => {
            let pid = peer.pid.as_raw_nonzero();
            return Err(Answer::NoServer(Why::AnotherListens { pid: pid.get() }));
        }
        Err(e) => return Err(Answer::NoServer(Why::system(e))),
    }
    let asked =
        async { tokio::time::timeout(within, ask(stream, config, statement, within)).await };
    rt.block_on(asked).unwrap_or(Err(Answer::Silent))
}

/// Does any server answer there? For a client it is all the same which.
pub fn answers(rt: &Handle, config: &Database, uid: u32, within: Duration) -> bool {
    let Ok(stream) = open_as(uid, config) else {
        return false;
    };
    let asked =
        async { tokio::time::timeout(within, ask(stream, config, "select 1", within)).await };
    matches!(rt.block_on(asked), Ok(Ok(_)))
}

async fn ask(
    stream: OwnedFd,
    config: &Database,
    statement: &str,
    within: Duration,
) -> Result<Option<String>, Answer> {
    // A server goes on with a statement whose client is gone.
    let most = format!("-c statement_timeout={}", within.as_millis().max(1));
    let stream = std::os::unix::net::UnixStream::from(stream);
    let stream =
        tokio::net::UnixStream::from_std(stream).map_err(|e| Answer::NoServer(Why::system(e)))?;
    let (client, connection) = tokio_postgres::Config::new()
        .user(&config.check_user)
        .dbname(&config.check_database)
        .application_name("siaga")
        // A synchronous standby that is away must not make a server look dead that is ready.
        .options(format!("-c synchronous_commit=local {OWN_NAMES} {most}"))
        .connect_raw(stream, NoTls)
        .await
        .map_err(|e| meaning(&e))?;
    let connection = tokio::spawn(connection);
    let rows = client.simple_query(statement).await;
    drop(client);
    connection.abort();
    let first = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    Ok(rows.map_err(|e| meaning(&e))?.into_iter().find_map(first))
}

/// Whether an error passes by itself, told by its SQLSTATE class.
fn meaning(error: &tokio_postgres::Error) -> Answer {
    let Some(said) = error.as_db_error() else {
        return Answer::NotNow(Why::system(error));
    };
    let text = Why::System(format!("{} ({})", said.message(), said.code().code()));
    match said.code().code().get(..2) {
        // Not allowed to log in; no such database; not allowed to do it; unknown function.
        Some("28" | "3D" | "42") => Answer::CannotCheck(text),
        _ => Answer::NotNow(text),
    }
}

/// Why a statement was not carried out.
pub fn unanswered(answer: Answer, within: Duration) -> Why {
    match answer {
        Answer::NotNow(why) | Answer::CannotCheck(why) | Answer::NoServer(why) => why,
        Answer::InRecovery => Why::ReadOnlyRecovery,
        Answer::Ready | Answer::Silent => super::no_answer(within),
    }
}

/// Connects with the effective user id `uid`, which peer authentication sees. The id is switched on a thread of its
/// own by the bare system call, which concerns that thread alone; the thread ends at once.
fn open_as(uid: u32, config: &Database) -> Result<OwnedFd, Answer> {
    let path = config.socket_dir.join(format!(".s.PGSQL.{}", config.port));
    let address = SocketAddrUnix::new(&path).map_err(|e| Answer::NoServer(Why::system(e)))?;
    let shown = path.display().to_string();
    let work = move || {
        rustix::thread::set_thread_res_uid(None, Uid::from_raw(uid), None)?;
        // Not blocking: a stopped server with a full queue must not stop us.
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        connect(&socket, &address).map(|()| socket)
    };
    let thread = std::thread::Builder::new()
        .name("pg-connect".into())
        .spawn(work);
    let thread = thread.map_err(|e| {
        Answer::NoServer(Why::ThreadFailed {
            said: e.to_string(),
        })
    })?;
    match thread.join() {
        Ok(Ok(socket)) => Ok(socket),
        Ok(Err(rustix::io::Errno::AGAIN)) => Err(Answer::Silent),
        Ok(Err(e)) => Err(Answer::NoServer(Why::system(format!("{shown}: {e}")))),
        Err(_) => Err(Answer::NoServer(Why::ThreadFailed { said: shown })),
    }
}
