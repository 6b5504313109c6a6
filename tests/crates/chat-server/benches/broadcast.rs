//! One message over real sockets, from its sender to the last reader, on the loopback interface.

use std::net::SocketAddr;

use chat_server::{Config, Server};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

type Socket = WebSocketStream<TcpStream>;

async fn start_server() -> SocketAddr {
    let config = Config { addr: ([127, 0, 0, 1], 0).into(), ..Config::default() };
    let server = Server::bind(config).await.unwrap();
    let addr = server.local_addr();
    tokio::spawn(server.run(std::future::pending()));
    addr
}

/// Reads until a message of the chat arrives.
async fn recv_message(socket: &mut Socket) {
    loop {
        let received = socket.next().await.unwrap().unwrap();
        if received.to_text().is_ok_and(|text| text.starts_with(r#"{"type":"message""#)) {
            return;
        }
    }
}

async fn join(addr: SocketAddr, name: usize) -> Socket {
    let stream = TcpStream::connect(addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut socket, _) = client_async(format!("ws://{addr}/ws"), stream).await.unwrap();
    let join = format!(r#"{{"type":"join","room":"lobby","user":"user-{name}"}}"#);
    socket.send(Message::text(join)).await.unwrap();
    socket.next().await.unwrap().unwrap();
    socket
}

async fn broadcast(clients: &mut [Socket]) {
    let message = r#"{"type":"message","room":"lobby","text":"hello"}"#;
    clients[0].send(Message::text(message)).await.unwrap();
    for client in clients {
        recv_message(client).await;
    }
}

fn broadcasting(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = c.benchmark_group("broadcast/loopback");
    for size in [2, 16] {
        let mut clients = runtime.block_on(async {
            let addr = start_server().await;
            let mut clients = Vec::new();
            for name in 0..size {
                clients.push(join(addr, name).await);
            }
            clients
        });
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| runtime.block_on(broadcast(&mut clients)));
        });
    }
    group.finish();
}

criterion_group!(benches, broadcasting);
criterion_main!(benches);
