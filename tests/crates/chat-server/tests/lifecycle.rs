//! Heartbeats, eviction, shutdown and the plain HTTP routes.

mod common;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use chat_server::protocol::ServerFrame;
use chat_server::{Config, Heartbeat};
use common::{TestServer, config, message, patiently, room, user};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

fn heartbeat(interval_ms: u64, max_missed: u32) -> Config {
    let interval = Duration::from_millis(interval_ms);
    Config { heartbeat: Heartbeat { interval, max_missed }, ..config() }
}

/// The body of the answer to a GET request.
async fn get(addr: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    patiently(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_disconnected() {
    let server = TestServer::start(heartbeat(200, 2)).await;
    let (mut ana, _) = server.join("lobby", "ana").await;
    let (dead, _) = server.join("lobby", "dead").await;
    ana.recv().await;

    // Below the WebSocket layer nobody answers the pings.
    let mut raw = dead.socket.into_inner();

    let left = ServerFrame::Left { room: room("lobby"), user: user("dead") };
    assert_eq!(ana.recv().await, left);
    let mut received = Vec::new();
    patiently(raw.read_to_end(&mut received)).await.unwrap();
    let close = [&[0x88, 20][..], &1008_u16.to_be_bytes(), b"no answer to pings"].concat();
    assert!(received.ends_with(&close), "{received:?}");
}

#[tokio::test]
async fn a_client_that_answers_pings_stays() {
    let server = TestServer::start(heartbeat(100, 10)).await;
    let (mut ana, _) = server.join("lobby", "ana").await;

    // More pings than may be missed.
    for _ in 0..15 {
        assert!(matches!(ana.next().await, Some(Message::Ping(_))));
    }

    ana.say("lobby", "still here").await;
    assert_eq!(ana.recv().await, message("lobby", "ana", "still here", 1));
}

#[tokio::test]
async fn a_client_that_stops_reading_is_evicted() {
    let server = TestServer::start(Config { outbox_frames: 8, ..config() }).await;
    let (mut ana, _) = server.join("lobby", "ana").await;
    let (stuck, _) = server.join("lobby", "stuck").await;
    ana.recv().await;

    // The system's socket buffers hold a few megabytes before the outbox fills.
    let text = "x".repeat(4096);
    let left = ServerFrame::Left { room: room("lobby"), user: user("stuck") };
    let mut seen = false;
    for _ in 0..20_000 {
        ana.say("lobby", &text).await;
        seen = ana.recv().await == left;
        if seen {
            break;
        }
    }

    assert!(seen, "80 MB were queued for a client that reads nothing");
    assert_eq!(server.registry.stats().evictions, 1);
    drop(stuck);
}

#[tokio::test]
async fn shutdown_tells_every_client_and_then_returns() {
    let server = TestServer::start(config()).await;
    let (mut ana, _) = server.join("lobby", "ana").await;
    let mut newcomer = server.connect().await;
    let (addr, registry) = (server.addr, server.registry.clone());

    let running = server.stop();

    for client in [&mut ana, &mut newcomer] {
        let close = client.recv_close().await;
        assert_eq!(close.code, CloseCode::Away);
        assert_eq!(close.reason.as_str(), "server is shutting down");
    }
    patiently(running).await.unwrap().unwrap();
    assert_eq!(registry.stats().clients, 0);
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn shutdown_does_not_wait_for_clients_that_never_answer() {
    let grace = Duration::from_millis(100);
    let server = TestServer::start(Config { grace, ..config() }).await;
    let (deaf, _) = server.join("lobby", "deaf").await;

    let result = patiently(server.stop()).await.unwrap();

    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::TimedOut);
    drop(deaf);
}

#[tokio::test]
async fn health_is_reported() {
    let server = TestServer::start(config()).await;

    assert_eq!(get(server.addr, "/healthz").await, "ok\n");
}

#[cfg(feature = "metrics")]
#[tokio::test]
async fn metrics_count_clients_rooms_and_messages() {
    let server = TestServer::start(config()).await;
    let (mut ana, _) = server.join("lobby", "ana").await;
    ana.say("lobby", "hello").await;
    ana.recv().await;

    let body = get(server.addr, "/metrics").await;

    for sample in ["chat_clients 1", "chat_rooms 1", "chat_messages_total 1"] {
        assert!(body.lines().any(|line| line == sample), "{body}");
    }
}
