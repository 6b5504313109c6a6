//! Slow tests, run with `cargo test --release -- --ignored`.

mod common;

use std::sync::Arc;

use chat_server::protocol::ServerFrame;
use common::{TestClient, TestServer, config};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Both ends of every socket are in this process, and 1024 open files are a common limit.
const ROOMS: usize = 20;
const CLIENTS_PER_ROOM: usize = 20;
const MESSAGES_PER_CLIENT: usize = 25;

/// Says its messages, each after the last one came back, and returns the numbers of all it heard.
async fn chat(client: &mut TestClient, room: &str, name: &str) -> Vec<u64> {
    let mut heard = Vec::new();
    let mut said = 0;
    client.say(room, "0").await;
    while heard.len() < CLIENTS_PER_ROOM * MESSAGES_PER_CLIENT {
        let ServerFrame::Message { user, seq, .. } = client.recv().await else { continue };
        heard.push(seq);
        if user.as_str() == name {
            said += 1;
            if said < MESSAGES_PER_CLIENT {
                client.say(room, &said.to_string()).await;
            }
        }
    }
    heard
}

#[ignore = "slow: 400 clients, 200,000 deliveries"]
#[tokio::test(flavor = "multi_thread")]
async fn every_client_hears_every_message_in_order() {
    let server = TestServer::start(config()).await;
    let all_joined = Arc::new(Barrier::new(ROOMS * CLIENTS_PER_ROOM));
    let all_done = Arc::new(Barrier::new(ROOMS * CLIENTS_PER_ROOM));
    let mut clients = JoinSet::new();
    for n in 0..ROOMS * CLIENTS_PER_ROOM {
        let (room, name) = (format!("room-{}", n % ROOMS), format!("user-{n}"));
        let (mut client, _) = server.join(&room, &name).await;
        let (all_joined, all_done) = (all_joined.clone(), all_done.clone());
        clients.spawn(async move {
            all_joined.wait().await;
            let heard = chat(&mut client, &room, &name).await;
            all_done.wait().await;
            heard
        });
    }

    let expected: Vec<u64> = (1..=(CLIENTS_PER_ROOM * MESSAGES_PER_CLIENT) as u64).collect();
    while let Some(heard) = clients.join_next().await {
        assert_eq!(heard.unwrap(), expected);
    }
    assert_eq!(server.registry.stats().evictions, 0);
}
