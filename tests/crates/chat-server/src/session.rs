//! One connected client: its socket, its heartbeat and its end.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use crate::protocol;
use crate::registry::Client;

/// How long a client may take to answer our close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// When a silent client counts as gone.
///
/// Pings are counted rather than seconds, so that a machine that slept does not lose all its clients when it wakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// The time between two pings; must not be zero.
    pub interval: Duration,
    /// How many pings in a row may stay without any sign of life.
    pub max_missed: u32,
}

impl Heartbeat {
    /// The longest that a client stays connected without any sign of life.
    pub fn idle_timeout(&self) -> Duration {
        self.interval.saturating_mul(self.max_missed.saturating_add(2))
    }
}

impl Default for Heartbeat {
    /// A ping every 15 seconds, of which two may be missed.
    fn default() -> Self {
        Self { interval: Duration::from_secs(15), max_missed: 2 }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Disconnected,
    Evicted,
    Idle,
    Shutdown,
}

impl Ending {
    /// What the client is told, if it is still there.
    fn close_frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Disconnected => return None,
            Self::Evicted => (close_code::AGAIN, "reading too slowly"),
            Self::Idle => (close_code::POLICY, "no answer to pings"),
            Self::Shutdown => (close_code::AWAY, "server is shutting down"),
        };
        Some(CloseFrame { code, reason: reason.into() })
    }
}

/// Serves one client until either side ends it.
pub(crate) async fn serve(
    mut socket: WebSocket,
    mut client: Client,
    heartbeat: Heartbeat,
    mut shutdown: watch::Receiver<bool>,
) {
    log!(debug, "{client} connected");
    let ending = converse(&mut socket, &mut client, heartbeat, &mut shutdown).await;
    log!(debug, "{client} ended: {ending:?}");
    drop(client); // the others need not wait for the closing handshake
    if let Some(frame) = ending.close_frame() {
        let _ = timeout(CLOSE_TIMEOUT, close(&mut socket, frame)).await;
    }
}

async fn converse(
    socket: &mut WebSocket,
    client: &mut Client,
    heartbeat: Heartbeat,
    shutdown: &mut watch::Receiver<bool>,
) -> Ending {
    let mut ticks = interval_at(Instant::now() + heartbeat.interval, heartbeat.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut missed = 0;
    loop {
        let outgoing = tokio::select! {
            received = socket.recv() => match received {
                Some(Ok(message)) => {
                    missed = 0;
                    receive(message, client);
                    continue;
                }
                Some(Err(_)) | None => return Ending::Disconnected,
            },
            queued = client.recv() => match queued {
                Some(text) => Message::Text(text),
                None => return Ending::Evicted,
            },
            _ = ticks.tick() => {
                if missed > heartbeat.max_missed {
                    return Ending::Idle;
                }
                missed += 1;
                Message::Ping(Default::default())
            }
            _ = shutdown.wait_for(|begun| *begun) => return Ending::Shutdown,
        };
        // A peer that stopped reading must not hold the session longer than one that is silent.
        match timeout(heartbeat.idle_timeout(), socket.send(outgoing)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Ending::Disconnected,
            Err(_) => return Ending::Idle,
        }
    }
}

fn receive(message: Message, client: &Client) {
    match message {
        Message::Text(text) => match protocol::decode(&text) {
            Ok(frame) => client.handle(frame),
            Err(error) => client.reject(error.to_string()),
        },
        Message::Binary(_) => client.reject("frames are JSON text, not binary"),
        // Answered by the WebSocket library.
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
    }
}

/// Closes in the orderly way: dropping a socket with unread input would reset it, and the reason could be lost.
async fn close(socket: &mut WebSocket, frame: CloseFrame) -> Result<(), axum::Error> {
    socket.send(Message::Close(Some(frame))).await?;
    while let Some(message) = socket.recv().await {
        message?;
    }
    Ok(())
}
