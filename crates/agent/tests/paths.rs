//! Several paths to one agent: a question is not a handshake on each of them.
#![allow(clippy::unwrap_used)]

mod common;

use axum::routing::get;
use common::{SECOND, first_with, join_node};
use siaga_agent::transport::PeerClient;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Passes on to `to`, and counts the connections.
async fn counted(to: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            seen.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut to = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    (address, count)
}

#[tokio::test]
async fn questions_share_warm_connections() {
    // A long poll: far longer than the second path is waited with.
    let long = || async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        axum::Json(1)
    };
    let a = first_with(axum::Router::new().route("/v1/long", get(long))).await;
    let b = join_node(&a, "backup").await;
    let (one, on_one) = counted(a.address).await;
    let (two, on_two) = counted(a.address).await;
    let paths = vec![one, two];
    let client = PeerClient::new(&b.live, &b.pins, paths, "serverdb".into()).unwrap();
    for _ in 0..4 {
        client.get::<i32>("/v1/long", 5 * SECOND).await.unwrap();
    }
    // The answer that came second brought its connection back.
    let (one, two) = (on_one.load(Ordering::SeqCst), on_two.load(Ordering::SeqCst));
    assert!(one <= 2 && two <= 2, "{one} and {two} connections");
    for _ in 0..20 {
        client.get::<String>("/v1/who", SECOND).await.unwrap();
    }
    let more = on_one.load(Ordering::SeqCst) + on_two.load(Ordering::SeqCst) - one - two;
    assert!(more <= 1, "{more} handshakes for twenty questions");
}

#[tokio::test]
async fn a_question_of_life_is_asked_over_every_path_at_once() {
    let a = common::first().await;
    let b = join_node(&a, "backup").await;
    let (one, on_one) = counted(a.address).await;
    let (two, on_two) = counted(a.address).await;
    let paths = vec![one, two];
    let client = PeerClient::new(&b.live, &b.pins, paths, "serverdb".into()).unwrap();
    client
        .get_over_all::<String>("/v1/who", SECOND)
        .await
        .unwrap();
    // The first answer came at once, and the other path was asked all the same.
    let both = async {
        while on_one.load(Ordering::SeqCst) == 0 || on_two.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(5 * SECOND, both).await.unwrap();
}
