//! The command as a process: its address, its signals and its exit codes.

#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{PATIENCE, TestClient};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

fn chat_server() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command
        .env_remove("CHAT_ADDR")
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A running server, killed when the test ends early.
struct Process {
    child: Child,
    addr: SocketAddr,
}

impl Process {
    fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addr = line.trim().strip_prefix("listening on ws://").unwrap();
        let addr = addr.strip_suffix("/ws").unwrap().parse().unwrap();
        Self { child, addr }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the server did not exit");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn assert_clean_exit_on(signal: &str) {
    let mut server = Process::spawn(chat_server().args(["--addr", "127.0.0.1:0"]));
    let mut client = TestClient::connect(server.addr).await;

    server.signal(signal);

    assert_eq!(client.recv_close().await.code, CloseCode::Away);
    assert_eq!(server.wait().code(), Some(0));
}

#[tokio::test]
async fn sigterm_closes_every_session_and_exits_with_success() {
    assert_clean_exit_on("TERM").await;
}

#[tokio::test]
async fn ctrl_c_closes_every_session_and_exits_with_success() {
    assert_clean_exit_on("INT").await;
}

#[test]
fn the_address_can_come_from_the_environment() {
    let server = Process::spawn(chat_server().env("CHAT_ADDR", "127.0.0.1:0"));

    assert_ne!(server.addr.port(), 0);
}

#[test]
fn a_bad_address_is_wrong_usage() {
    let output = chat_server().args(["--addr", "nowhere"]).output().unwrap();

    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("chat-server: --addr: \"nowhere\" is not an address"), "{stderr}");
}

#[test]
fn an_address_in_use_is_an_error() {
    let server = Process::spawn(chat_server().args(["--addr", "127.0.0.1:0"]));

    let output = chat_server().arg(format!("--addr={}", server.addr)).output().unwrap();

    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with(&format!("chat-server: {}: ", server.addr)), "{stderr}");
}

#[cfg(feature = "tracing")]
#[tokio::test]
async fn sessions_are_logged_at_debug_level() {
    let mut command = chat_server();
    let mut server =
        Process::spawn(command.args(["--addr", "127.0.0.1:0"]).env("RUST_LOG", "debug"));
    let mut client = TestClient::connect(server.addr).await;
    server.signal("TERM");
    client.recv_close().await;
    server.wait();

    let log = std::io::read_to_string(server.child.stderr.take().unwrap()).unwrap();

    for line in ["client 1 connected", "shutting down", "client 1 ended: Shutdown"] {
        assert!(log.contains(line), "{log}");
    }
}
