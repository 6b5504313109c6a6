//! Rooms as clients see them, over real sockets.

mod common;

use chat_server::protocol::{ClientFrame, ErrorCode, ServerFrame};
use common::{TestClient, TestServer, config, message, room, user};
use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::Message;

async fn recv_error(client: &mut TestClient) -> (ErrorCode, String) {
    match client.recv().await {
        ServerFrame::Error { code, detail } => (code, detail),
        frame => panic!("expected an error, got {frame:?}"),
    }
}

#[tokio::test]
async fn a_message_reaches_everyone_in_the_room() {
    let server = TestServer::start(config()).await;
    let (mut ana, _) = server.join("lobby", "ana").await;
    let (mut bob, welcome) = server.join("lobby", "bob").await;

    let members = vec![user("ana"), user("bob")];
    assert_eq!(welcome, ServerFrame::Welcome { room: room("lobby"), members });
    let joined = ServerFrame::Joined { room: room("lobby"), user: user("bob") };
    assert_eq!(ana.recv().await, joined);

    ana.say("lobby", "hello").await;
    bob.recv().await;
    bob.say("lobby", "hi").await;

    for frame in [message("lobby", "ana", "hello", 1), message("lobby", "bob", "hi", 2)] {
        assert_eq!(ana.recv().await, frame);
    }
    assert_eq!(bob.recv().await, message("lobby", "bob", "hi", 2));
}

#[tokio::test]
async fn rooms_do_not_hear_each_other() {
    let server = TestServer::start(config()).await;
    let (mut ana, _) = server.join("red", "ana").await;
    let (mut bob, _) = server.join("blue", "bob").await;

    ana.say("red", "only for red").await;
    assert_eq!(ana.recv().await, message("red", "ana", "only for red", 1));
    bob.say("blue", "only for blue").await;

    // Had the red message reached the blue room, it would come first.
    assert_eq!(bob.recv().await, message("blue", "bob", "only for blue", 1));
    ana.say("blue", "not a member").await;
    assert_eq!(recv_error(&mut ana).await.0, ErrorCode::NotInRoom);
}

#[tokio::test]
async fn one_client_can_be_in_several_rooms() {
    let server = TestServer::start(config()).await;
    let (mut ana, _) = server.join("red", "ana").await;
    ana.send(ClientFrame::Join { room: room("blue"), user: user("anna") }).await;
    ana.recv().await;

    ana.say("red", "one").await;
    ana.say("blue", "two").await;

    assert_eq!(ana.recv().await, message("red", "ana", "one", 1));
    assert_eq!(ana.recv().await, message("blue", "anna", "two", 1));
}

#[tokio::test]
async fn whoever_left_hears_nothing_more() {
    let server = TestServer::start(config()).await;
    let (mut ana, _) = server.join("lobby", "ana").await;
    let (mut bob, _) = server.join("lobby", "bob").await;
    ana.recv().await;

    bob.send(ClientFrame::Leave { room: room("lobby") }).await;

    let left = ServerFrame::Left { room: room("lobby"), user: user("bob") };
    assert_eq!(bob.recv().await, left);
    assert_eq!(ana.recv().await, left);
    ana.say("lobby", "gone?").await;
    ana.recv().await;
    bob.say("lobby", "still here").await;
    assert_eq!(recv_error(&mut bob).await.0, ErrorCode::NotInRoom);
}

#[tokio::test]
async fn a_lost_connection_counts_as_leaving() {
    let server = TestServer::start(config()).await;
    let (mut ana, _) = server.join("lobby", "ana").await;
    let (bob, _) = server.join("lobby", "bob").await;
    ana.recv().await;

    drop(bob);

    let left = ServerFrame::Left { room: room("lobby"), user: user("bob") };
    assert_eq!(ana.recv().await, left);
}

#[tokio::test]
async fn typing_is_shown_to_the_others() {
    let server = TestServer::start(config()).await;
    let (mut ana, _) = server.join("lobby", "ana").await;
    let (mut bob, _) = server.join("lobby", "bob").await;

    ana.send(ClientFrame::Typing { room: room("lobby"), active: true }).await;

    let typing = ServerFrame::Typing { room: room("lobby"), user: user("ana"), active: true };
    assert_eq!(bob.recv().await, typing);
}

#[tokio::test]
async fn malformed_frames_are_refused_and_the_connection_stays() {
    let server = TestServer::start(config()).await;
    let (mut ana, _) = server.join("lobby", "ana").await;

    let too_long = format!(r#"{{"type":"message","room":"lobby","text":"{}"}}"#, "x".repeat(5000));
    for text in ["not json", "{}", r#"{"type":"leave","room":"NO"}"#, too_long.as_str()] {
        ana.send_text(text).await;
        assert_eq!(recv_error(&mut ana).await.0, ErrorCode::Malformed, "{text}");
    }
    ana.socket.send(Message::binary(vec![0xff, 0x00])).await.unwrap();
    let refused = (ErrorCode::Malformed, "frames are JSON text, not binary".to_owned());
    assert_eq!(recv_error(&mut ana).await, refused);

    ana.say("lobby", "still here").await;
    assert_eq!(ana.recv().await, message("lobby", "ana", "still here", 1));
}

#[tokio::test]
async fn a_huge_message_ends_the_connection_of_its_sender_only() {
    let server = TestServer::start(config()).await;
    let (mut ana, _) = server.join("lobby", "ana").await;
    let (mut mallory, _) = server.join("lobby", "mallory").await;
    ana.recv().await;

    // The server may hang up before all of it is sent.
    let _ = mallory.socket.send(Message::text("x".repeat(1 << 20))).await;

    let left = ServerFrame::Left { room: room("lobby"), user: user("mallory") };
    assert_eq!(ana.recv().await, left);
}

#[cfg(feature = "history")]
#[tokio::test]
async fn whoever_joins_receives_what_was_said_before() {
    let server = TestServer::start(config()).await;
    let (mut ana, _) = server.join("lobby", "ana").await;
    ana.say("lobby", "anyone?").await;
    ana.recv().await;

    let (mut bob, _) = server.join("lobby", "bob").await;

    assert_eq!(bob.recv().await, message("lobby", "ana", "anyone?", 1));
}
