//! A WebSocket chat server: named rooms, typing notices, heartbeats and graceful shutdown.
//!
//! - [`protocol`]: the frames that clients and server exchange, as JSON text.
//! - [`registry`]: who is in which room and who receives what; it knows nothing of sockets.
//! - [`Server`]: the HTTP and WebSocket side, from [`Server::bind`] to the last closed session.
//!
//! # Example
//!
//! ```
//! use chat_server::{Config, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let config = Config { addr: ([127, 0, 0, 1], 0).into(), ..Config::default() };
//! let server = Server::bind(config).await?;
//! println!("listening on ws://{}/ws", server.local_addr());
//!
//! // Runs until the future resolves: a signal in `main.rs`, at once in this example.
//! server.run(async {}).await
//! # }
//! ```
//!
//! # Features
//!
//! All are off by default and go together in any combination.
//!
//! - `history`: whoever joins a room first receives its last messages.
//! - `metrics`: counters at `/metrics`, in the Prometheus text format.
//! - `tracing`: logs through the `tracing` crate.

#![warn(missing_docs)]

#[macro_use]
mod logging;
#[cfg(feature = "metrics")]
mod metrics;
pub mod protocol;
pub mod registry;
mod server;
mod session;

pub use server::{Config, Server};
pub use session::Heartbeat;
