//! Says back what it hears, over Socket.IO.

use axum::Router;
use axum::routing::get;
use socketioxide::SocketIo;
use socketioxide::extract::{Data, SocketRef};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", async |socket: SocketRef| {
        socket.on("message", async |socket: SocketRef, Data::<String>(text)| {
            if let Err(error) = socket.emit("message", &text) {
                eprintln!("{error}");
            }
        });
    });
    let app = Router::new().route("/health", get(async || "well")).layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await
}
