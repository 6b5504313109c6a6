//! What must hold for every frame and for every sequence of requests.

use std::collections::{BTreeMap, HashMap};

use chat_server::protocol::{
    ClientFrame, ErrorCode, RoomName, ServerFrame, Text, UserName, decode, encode,
};
use chat_server::registry::{Client, Registry};
use proptest::prelude::*;
use proptest::sample::Index;

fn rooms() -> impl Strategy<Value = RoomName> {
    "[a-z0-9_-]{1,64}".prop_map(|name| RoomName::new(name).unwrap())
}

fn users() -> impl Strategy<Value = UserName> {
    any::<String>().prop_filter_map("not a name", |name| {
        UserName::new(name.chars().take(32).collect::<String>()).ok()
    })
}

fn texts() -> impl Strategy<Value = Text> {
    any::<String>().prop_filter_map("not a text", |text| Text::new(text).ok())
}

fn client_frames() -> impl Strategy<Value = ClientFrame> {
    prop_oneof![
        (rooms(), users()).prop_map(|(room, user)| ClientFrame::Join { room, user }),
        rooms().prop_map(|room| ClientFrame::Leave { room }),
        (rooms(), texts()).prop_map(|(room, text)| ClientFrame::Message { room, text }),
        (rooms(), any::<bool>()).prop_map(|(room, active)| ClientFrame::Typing { room, active }),
    ]
}

fn error_codes() -> impl Strategy<Value = ErrorCode> {
    prop_oneof![
        Just(ErrorCode::Malformed),
        Just(ErrorCode::NotInRoom),
        Just(ErrorCode::AlreadyInRoom),
        Just(ErrorCode::NameTaken),
        Just(ErrorCode::TooManyRooms),
    ]
}

fn server_frames() -> impl Strategy<Value = ServerFrame> {
    prop_oneof![
        (rooms(), prop::collection::vec(users(), 0..5))
            .prop_map(|(room, members)| ServerFrame::Welcome { room, members }),
        (rooms(), users()).prop_map(|(room, user)| ServerFrame::Joined { room, user }),
        (rooms(), users()).prop_map(|(room, user)| ServerFrame::Left { room, user }),
        (rooms(), users(), texts(), any::<u64>())
            .prop_map(|(room, user, text, seq)| ServerFrame::Message { room, user, text, seq }),
        (rooms(), users(), any::<bool>()).prop_map(|(room, user, active)| ServerFrame::Typing {
            room,
            user,
            active
        }),
        (error_codes(), any::<String>())
            .prop_map(|(code, detail)| ServerFrame::Error { code, detail }),
    ]
}

/// What one of a few clients does in one of a few rooms.
#[derive(Debug, Clone, Copy)]
enum Action {
    Join,
    Leave,
    Say,
    Reconnect,
}

const CLIENTS: usize = 4;
const ROOMS: usize = 3;

fn steps() -> impl Strategy<Value = Vec<(usize, usize, Action)>> {
    let action = prop_oneof![
        3 => Just(Action::Join),
        1 => Just(Action::Leave),
        4 => Just(Action::Say),
        1 => Just(Action::Reconnect),
    ];
    prop::collection::vec((0..CLIENTS, 0..ROOMS, action), 0..60)
}

fn room(n: usize) -> RoomName {
    RoomName::new(format!("room-{n}")).unwrap()
}

fn user(n: usize) -> UserName {
    UserName::new(format!("user-{n}")).unwrap()
}

/// The rooms of the messages that wait for the client, with their numbers.
fn messages(client: &mut Client) -> Vec<(RoomName, u64)> {
    std::iter::from_fn(|| client.try_recv())
        .filter_map(|frame| match serde_json::from_str(&frame).unwrap() {
            ServerFrame::Message { room, seq, .. } => Some((room, seq)),
            _ => None,
        })
        .collect()
}

proptest! {
    #[test]
    fn client_frames_survive_the_wire(frame in client_frames()) {
        let text = serde_json::to_string(&frame).unwrap();

        prop_assert_eq!(decode(&text).unwrap(), frame);
    }

    #[test]
    fn server_frames_survive_the_wire(frame in server_frames()) {
        prop_assert_eq!(serde_json::from_str::<ServerFrame>(&encode(&frame)).unwrap(), frame);
    }

    #[test]
    fn a_damaged_frame_is_refused_or_read_as_a_valid_one(
        frame in client_frames(), place in any::<Index>(), damage in any::<char>(),
    ) {
        let mut text: Vec<char> = serde_json::to_string(&frame).unwrap().chars().collect();
        let place = place.index(text.len());
        text[place] = damage;

        if let Ok(read) = decode(&String::from_iter(text)) {
            let again = serde_json::to_string(&read).unwrap();
            prop_assert_eq!(decode(&again).unwrap(), read);
        }
    }

    #[test]
    fn a_message_reaches_the_members_of_its_room_and_nobody_else(steps in steps()) {
        let registry = Registry::default();
        let mut clients: Vec<_> = (0..CLIENTS).map(|_| registry.connect()).collect();
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut last_seq: HashMap<usize, u64> = HashMap::new();

        for (who, place, action) in steps {
            let present = members.entry(place).or_default();
            let was_in = present.contains(&who);
            let mut expected = vec![Vec::new(); CLIENTS];
            match action {
                Action::Join => {
                    clients[who].handle(ClientFrame::Join { room: room(place), user: user(who) });
                    if !was_in {
                        present.push(who);
                    }
                }
                Action::Leave => {
                    clients[who].handle(ClientFrame::Leave { room: room(place) });
                    present.retain(|other| *other != who);
                }
                Action::Say => {
                    let text = Text::new("hello").unwrap();
                    clients[who].handle(ClientFrame::Message { room: room(place), text });
                    if was_in {
                        let seq = last_seq.entry(place).or_default();
                        *seq += 1;
                        for member in present.iter() {
                            expected[*member].push((room(place), *seq));
                        }
                    }
                }
                Action::Reconnect => {
                    clients[who] = registry.connect();
                    members.values_mut().for_each(|room| room.retain(|other| *other != who));
                }
            }
            // An empty room is forgotten, and its numbers with it.
            members.retain(|_, room| !room.is_empty());
            last_seq.retain(|room, _| members.contains_key(room));

            let received: Vec<_> = clients.iter_mut().map(messages).collect();
            if !matches!(action, Action::Join) { // a join may replay history
                prop_assert_eq!(received, expected);
            }
            prop_assert_eq!(registry.stats().rooms, members.len() as u64);
            prop_assert_eq!(registry.stats().clients, CLIENTS as u64);
        }
    }
}
