//! A server in this process and clients with real sockets.

#![allow(dead_code, reason = "each test target uses its own part")]

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use chat_server::protocol::{ClientFrame, RoomName, ServerFrame, Text, UserName};
use chat_server::registry::Registry;
use chat_server::{Config, Server};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Far longer than anything takes; a test that gets here has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The defaults, on a port that the system chooses.
pub fn config() -> Config {
    Config { addr: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::default() }
}

pub struct TestServer {
    pub addr: SocketAddr,
    pub registry: Registry,
    stop: oneshot::Sender<()>,
    running: JoinHandle<io::Result<()>>,
}

impl TestServer {
    pub async fn start(config: Config) -> Self {
        let server = Server::bind(config).await.unwrap();
        let (addr, registry) = (server.local_addr(), server.registry());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self { addr, registry, stop, running }
    }

    pub async fn connect(&self) -> TestClient {
        TestClient::connect(self.addr).await
    }

    /// A client that is in the room, and the welcome that it received.
    pub async fn join(&self, to: &str, name: &str) -> (TestClient, ServerFrame) {
        let mut client = self.connect().await;
        client.send(ClientFrame::Join { room: room(to), user: user(name) }).await;
        let welcome = client.recv().await;
        (client, welcome)
    }

    /// Begins the shutdown and returns what `run` will return.
    pub fn stop(self) -> JoinHandle<io::Result<()>> {
        self.stop.send(()).unwrap();
        self.running
    }
}

pub struct TestClient {
    pub socket: WebSocketStream<TcpStream>,
}

impl TestClient {
    pub async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (socket, _) = client_async(format!("ws://{addr}/ws"), stream).await.unwrap();
        Self { socket }
    }

    pub async fn send(&mut self, frame: ClientFrame) {
        self.send_text(&serde_json::to_string(&frame).unwrap()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub async fn say(&mut self, to: &str, text: &str) {
        self.send(ClientFrame::Message { room: room(to), text: Text::new(text).unwrap() }).await;
    }

    /// The next WebSocket message of any kind; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Message> {
        patiently(self.socket.next()).await.map(|message| message.unwrap())
    }

    /// The next frame of the protocol, answering pings on the way.
    pub async fn recv(&mut self) -> ServerFrame {
        let frame = async {
            loop {
                match self.next().await {
                    Some(Message::Text(text)) => return serde_json::from_str(&text).unwrap(),
                    Some(Message::Ping(_)) => {}
                    other => panic!("expected a frame, got {other:?}"),
                }
            }
        };
        patiently(frame).await
    }

    /// Reads up to the close frame, and to the end of the stream.
    pub async fn recv_close(&mut self) -> CloseFrame {
        let close = async {
            loop {
                if let Message::Close(frame) = self.next().await.expect("no close frame") {
                    assert_eq!(self.next().await, None);
                    return frame.expect("a close frame with a reason");
                }
            }
        };
        patiently(close).await
    }
}

/// The future's output, unless it takes longer than anything should.
pub async fn patiently<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("nothing came in time")
}

pub fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

pub fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

/// The frame that everyone in the room receives for a message.
pub fn message(to: &str, from: &str, text: &str, seq: u64) -> ServerFrame {
    ServerFrame::Message { room: room(to), user: user(from), text: Text::new(text).unwrap(), seq }
}
