//! Routing without sockets: from a request to the frames in the outboxes.

use chat_server::protocol::{ClientFrame, RoomName, Text, UserName};
use chat_server::registry::{Client, Registry};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn lobby() -> RoomName {
    RoomName::new("lobby").unwrap()
}

fn join(client: &Client, name: String) {
    client.handle(ClientFrame::Join { room: lobby(), user: UserName::new(name).unwrap() });
}

fn drain(clients: &mut [Client]) {
    for client in clients {
        while client.try_recv().is_some() {}
    }
}

/// A registry's clients, all in one room and with empty outboxes.
fn crowd(size: usize) -> Vec<Client> {
    let registry = Registry::new(size + 1);
    let mut clients: Vec<_> = (0..size).map(|_| registry.connect()).collect();
    for (n, client) in clients.iter().enumerate() {
        join(client, format!("user-{n}"));
    }
    drain(&mut clients);
    clients
}

fn message(c: &mut Criterion) {
    let text = Text::new("hello").unwrap();
    let mut group = c.benchmark_group("routing/message");
    for size in [1, 10, 100] {
        let mut clients = crowd(size);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_with_input(BenchmarkId::from_parameter(size), &text, |b, text| {
            b.iter(|| {
                clients[0].handle(ClientFrame::Message { room: lobby(), text: text.clone() });
                drain(&mut clients);
            });
        });
    }
    group.finish();
}

fn join_and_leave(c: &mut Criterion) {
    let mut clients = crowd(10);
    let newcomer = clients.pop().unwrap();
    newcomer.handle(ClientFrame::Leave { room: lobby() });
    clients.push(newcomer);

    c.bench_function("routing/join_and_leave", |b| {
        b.iter(|| {
            let newcomer = clients.last().unwrap();
            join(newcomer, "newcomer".to_owned());
            newcomer.handle(ClientFrame::Leave { room: lobby() });
            drain(&mut clients);
        });
    });
}

criterion_group!(benches, message, join_and_leave);
criterion_main!(benches);
