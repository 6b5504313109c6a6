//! Who is in which room, and who receives what.
//!
//! Routing never waits: every client has a bounded outbox, and a client whose outbox is full is evicted, so that
//! one slow reader cannot hold up a room.
//!
//! ```
//! use chat_server::protocol::{ClientFrame, RoomName, UserName};
//! use chat_server::registry::Registry;
//!
//! let registry = Registry::default();
//! let mut ana = registry.connect();
//! let (room, user) = (RoomName::new("lobby").unwrap(), UserName::new("ana").unwrap());
//! ana.handle(ClientFrame::Join { room, user });
//!
//! let frame = ana.try_recv().unwrap();
//! assert_eq!(frame.as_str(), r#"{"type":"welcome","room":"lobby","members":["ana"]}"#);
//!
//! drop(ana); // leaves every room, and the registry forgets rooms that nobody is in
//! assert_eq!(registry.stats().rooms, 0);
//! ```

#[cfg(feature = "history")]
use std::collections::VecDeque;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::protocol::{ClientFrame, ErrorCode, RoomName, ServerFrame, Text, UserName, encode};

/// How many frames may wait for one client, unless [`Registry::new`] is told otherwise.
pub const OUTBOX_FRAMES: usize = 256;

/// In how many rooms a client can be at once.
pub const ROOMS_PER_CLIENT: usize = 16;

/// How many messages a room remembers for those who join later.
#[cfg(feature = "history")]
pub const HISTORY_MESSAGES: usize = 50;

/// What the registry counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Clients connected now.
    pub clients: u64,
    /// Rooms with at least one member now.
    pub rooms: u64,
    /// Messages routed since the start.
    pub messages: u64,
    /// Clients evicted since the start because they read too slowly.
    pub evictions: u64,
}

/// All clients and rooms; clones share them.
#[derive(Debug, Clone)]
pub struct Registry {
    state: Arc<Mutex<State>>,
    outbox_frames: usize,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new(OUTBOX_FRAMES)
    }
}

impl Registry {
    /// An empty registry whose clients may each have that many frames waiting.
    ///
    /// # Panics
    ///
    /// If `outbox_frames` is zero.
    pub fn new(outbox_frames: usize) -> Self {
        assert!(outbox_frames > 0, "an outbox must hold at least one frame");
        Self { state: Arc::default(), outbox_frames }
    }

    /// Admits a client, which is in no room yet.
    pub fn connect(&self) -> Client {
        let (sender, outbox) = mpsc::channel(self.outbox_frames);
        let id = self.lock().admit(sender);
        Client { id, outbox, registry: self.clone() }
    }

    /// The counters as they are now.
    pub fn stats(&self) -> Stats {
        self.lock().stats()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must not take every other session down with it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connected client; dropping it makes it leave its rooms.
#[derive(Debug)]
pub struct Client {
    id: ClientId,
    outbox: Receiver<Utf8Bytes>,
    registry: Registry,
}

impl Client {
    /// Does what the client asks for; a refusal goes to the client as an error frame.
    pub fn handle(&self, frame: ClientFrame) {
        let mut state = self.registry.lock();
        if let Err(refusal) = state.handle(self.id, frame) {
            state.tell(self.id, &ServerFrame::from(refusal));
        }
    }

    /// Tells the client that what it sent is not a frame.
    pub fn reject(&self, detail: impl Into<String>) {
        let frame = ServerFrame::Error { code: ErrorCode::Malformed, detail: detail.into() };
        self.registry.lock().tell(self.id, &frame);
    }

    /// The next encoded frame for this client, or `None` once it was evicted.
    ///
    /// Cancel safe: no frame is lost when the future is dropped.
    pub async fn recv(&mut self) -> Option<Utf8Bytes> {
        self.outbox.recv().await
    }

    /// The next encoded frame, if one is waiting.
    pub fn try_recv(&mut self) -> Option<Utf8Bytes> {
        self.outbox.try_recv().ok()
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}", self.id.0)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.registry.lock().disconnect(self.id);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct ClientId(u64);

#[derive(Debug)]
struct Connection {
    outbox: Sender<Utf8Bytes>,
    rooms: HashSet<RoomName>,
}

#[derive(Debug, Default)]
struct Room {
    members: HashMap<ClientId, UserName>,
    last_seq: u64,
    #[cfg(feature = "history")]
    history: VecDeque<Utf8Bytes>,
}

impl Room {
    fn names(&self) -> Vec<UserName> {
        let mut names: Vec<_> = self.members.values().cloned().collect();
        names.sort_unstable();
        names
    }

    #[cfg(feature = "history")]
    fn remember(&mut self, message: Utf8Bytes) {
        if self.history.len() == HISTORY_MESSAGES {
            self.history.pop_front();
        }
        self.history.push_back(message);
    }
}

#[derive(Debug)]
enum Refusal {
    NotInRoom(RoomName),
    AlreadyInRoom(RoomName),
    NameTaken(UserName),
    TooManyRooms,
}

impl From<Refusal> for ServerFrame {
    fn from(refusal: Refusal) -> Self {
        let (code, detail) = match refusal {
            Refusal::NotInRoom(room) => (ErrorCode::NotInRoom, format!("join {room} first")),
            Refusal::AlreadyInRoom(room) => {
                (ErrorCode::AlreadyInRoom, format!("already in {room}"))
            }
            Refusal::NameTaken(user) => (ErrorCode::NameTaken, format!("{user} is taken")),
            Refusal::TooManyRooms => {
                (ErrorCode::TooManyRooms, format!("at most {ROOMS_PER_CLIENT} rooms at once"))
            }
        };
        Self::Error { code, detail }
    }
}

#[derive(Debug, Default)]
struct State {
    clients: HashMap<ClientId, Connection>,
    rooms: HashMap<RoomName, Room>,
    last_id: u64,
    messages: u64,
    evictions: u64,
}

impl State {
    fn stats(&self) -> Stats {
        Stats {
            clients: self.clients.len() as u64,
            rooms: self.rooms.len() as u64,
            messages: self.messages,
            evictions: self.evictions,
        }
    }

    fn admit(&mut self, outbox: Sender<Utf8Bytes>) -> ClientId {
        self.last_id += 1;
        let id = ClientId(self.last_id);
        self.clients.insert(id, Connection { outbox, rooms: HashSet::new() });
        id
    }

    fn handle(&mut self, id: ClientId, frame: ClientFrame) -> Result<(), Refusal> {
        if !self.clients.contains_key(&id) {
            return Ok(()); // evicted, but its session has not noticed yet
        }
        match frame {
            ClientFrame::Join { room, user } => self.join(id, room, user),
            ClientFrame::Leave { room } => self.leave(id, room),
            ClientFrame::Message { room, text } => self.message(id, room, text),
            ClientFrame::Typing { room, active } => self.typing(id, room, active),
        }
    }

    fn join(&mut self, id: ClientId, room: RoomName, user: UserName) -> Result<(), Refusal> {
        self.enter(id, &room, &user)?;
        let entered = self.rooms.entry(room.clone()).or_default();
        entered.members.insert(id, user.clone());
        let members = entered.names();
        #[cfg(feature = "history")]
        let history = entered.history.clone();

        self.tell(id, &ServerFrame::Welcome { room: room.clone(), members });
        #[cfg(feature = "history")]
        for message in &history {
            self.deliver(vec![id], message);
        }
        let joined = ServerFrame::Joined { room: room.clone(), user };
        self.tell_others(&room, id, &joined);
        Ok(())
    }

    /// Notes a new room on the client's side, unless a rule forbids it.
    fn enter(&mut self, id: ClientId, room: &RoomName, user: &UserName) -> Result<(), Refusal> {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(()) };
        if client.rooms.contains(room) {
            return Err(Refusal::AlreadyInRoom(room.clone()));
        }
        if client.rooms.len() == ROOMS_PER_CLIENT {
            return Err(Refusal::TooManyRooms);
        }
        if self.rooms.get(room).is_some_and(|r| r.members.values().any(|name| name == user)) {
            return Err(Refusal::NameTaken(user.clone()));
        }
        client.rooms.insert(room.clone());
        Ok(())
    }

    fn leave(&mut self, id: ClientId, room: RoomName) -> Result<(), Refusal> {
        let (_, user) = self.member(&room, id)?;
        if let Some(client) = self.clients.get_mut(&id) {
            client.rooms.remove(&room);
        }
        self.remove_member(&room, id);
        let left = ServerFrame::Left { room: room.clone(), user };
        self.tell(id, &left);
        self.tell_others(&room, id, &left);
        Ok(())
    }

    fn message(&mut self, id: ClientId, room: RoomName, text: Text) -> Result<(), Refusal> {
        let (target, user) = self.member(&room, id)?;
        target.last_seq += 1;
        let message = ServerFrame::Message { room, user, text, seq: target.last_seq };
        let encoded = Utf8Bytes::from(encode(&message));
        #[cfg(feature = "history")]
        target.remember(encoded.clone());
        let receivers = target.members.keys().copied().collect();
        self.messages += 1;
        self.deliver(receivers, &encoded);
        Ok(())
    }

    fn typing(&mut self, id: ClientId, room: RoomName, active: bool) -> Result<(), Refusal> {
        let (_, user) = self.member(&room, id)?;
        let typing = ServerFrame::Typing { room: room.clone(), user, active };
        self.tell_others(&room, id, &typing);
        Ok(())
    }

    /// The room, and the name that the client goes by in it.
    fn member(&mut self, room: &RoomName, id: ClientId) -> Result<(&mut Room, UserName), Refusal> {
        self.rooms
            .get_mut(room)
            .and_then(|found| found.members.get(&id).cloned().map(|user| (found, user)))
            .ok_or_else(|| Refusal::NotInRoom(room.clone()))
    }

    fn remove_member(&mut self, room: &RoomName, id: ClientId) -> Option<UserName> {
        let members = &mut self.rooms.get_mut(room)?.members;
        let user = members.remove(&id);
        if members.is_empty() {
            self.rooms.remove(room);
        }
        user
    }

    fn tell(&mut self, id: ClientId, frame: &ServerFrame) {
        self.deliver(vec![id], &encode(frame).into());
    }

    fn tell_others(&mut self, room: &RoomName, id: ClientId, frame: &ServerFrame) {
        let Some(room) = self.rooms.get(room) else { return };
        let others = room.members.keys().copied().filter(|member| *member != id).collect();
        self.deliver(others, &encode(frame).into());
    }

    /// Queues a frame, encoded once for all, and evicts the clients that have no space for it.
    fn deliver(&mut self, receivers: Vec<ClientId>, frame: &Utf8Bytes) {
        let full = self.queue(receivers, frame);
        self.evict(full);
    }

    /// Queues a frame and returns the clients that have no space for it.
    fn queue(&self, receivers: Vec<ClientId>, frame: &Utf8Bytes) -> Vec<ClientId> {
        let is_full = |id: &ClientId| {
            self.clients
                .get(id)
                .is_some_and(|client| client.outbox.try_send(frame.clone()).is_err())
        };
        receivers.into_iter().filter(is_full).collect()
    }

    /// Forgets slow clients, and in turn those that have no space for the news of it.
    fn evict(&mut self, mut slow: Vec<ClientId>) {
        while let Some(id) = slow.pop() {
            if self.clients.contains_key(&id) {
                self.evictions += 1;
                slow.extend(self.forget(id));
            }
        }
    }

    fn disconnect(&mut self, id: ClientId) {
        let slow = self.forget(id);
        self.evict(slow);
    }

    /// Removes a client, tells its rooms, and returns the clients that had no space for that.
    fn forget(&mut self, id: ClientId) -> Vec<ClientId> {
        let mut slow = Vec::new();
        let rooms = self.clients.remove(&id).map(|client| client.rooms).unwrap_or_default();
        for room in rooms {
            let Some(user) = self.remove_member(&room, id) else { continue };
            let Some(remaining) = self.rooms.get(&room) else { continue };
            let receivers = remaining.members.keys().copied().collect();
            let left = encode(&ServerFrame::Left { room, user });
            slow.extend(self.queue(receivers, &left.into()));
        }
        slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomName {
        RoomName::new(name).unwrap()
    }

    fn user(name: &str) -> UserName {
        UserName::new(name).unwrap()
    }

    fn join(client: &Client, to: &str, name: &str) {
        client.handle(ClientFrame::Join { room: room(to), user: user(name) });
    }

    fn say(client: &Client, to: &str, text: &str) {
        client.handle(ClientFrame::Message { room: room(to), text: Text::new(text).unwrap() });
    }

    /// Everything that waits for the client.
    fn drain(client: &mut Client) -> Vec<ServerFrame> {
        std::iter::from_fn(|| client.try_recv())
            .map(|frame| serde_json::from_str(&frame).unwrap())
            .collect()
    }

    fn error_code(client: &mut Client) -> ErrorCode {
        match drain(client).as_slice() {
            [ServerFrame::Error { code, .. }] => *code,
            frames => panic!("expected one error, got {frames:?}"),
        }
    }

    #[test]
    fn members_hear_of_joins_and_departures() {
        let registry = Registry::default();
        let mut ana = registry.connect();
        let bob = registry.connect();
        join(&ana, "lobby", "ana");
        drain(&mut ana);

        join(&bob, "lobby", "bob");
        drop(bob);

        let (room, user) = (room("lobby"), user("bob"));
        let joined = ServerFrame::Joined { room: room.clone(), user: user.clone() };
        assert_eq!(drain(&mut ana), [joined, ServerFrame::Left { room, user }]);
    }

    #[test]
    fn typing_is_told_to_the_others_only() {
        let registry = Registry::default();
        let (mut ana, mut bob) = (registry.connect(), registry.connect());
        join(&ana, "lobby", "ana");
        join(&bob, "lobby", "bob");
        drain(&mut ana);
        drain(&mut bob);

        ana.handle(ClientFrame::Typing { room: room("lobby"), active: true });

        let typing = ServerFrame::Typing { room: room("lobby"), user: user("ana"), active: true };
        assert_eq!(drain(&mut bob), [typing]);
        assert_eq!(drain(&mut ana), []);
    }

    #[test]
    fn a_room_is_joined_once() {
        let mut ana = Registry::default().connect();
        join(&ana, "lobby", "ana");
        drain(&mut ana);

        join(&ana, "lobby", "anna");

        assert_eq!(error_code(&mut ana), ErrorCode::AlreadyInRoom);
    }

    #[test]
    fn a_name_is_unique_in_its_room_and_free_again_afterwards() {
        let registry = Registry::default();
        let (ana, mut other) = (registry.connect(), registry.connect());
        join(&ana, "lobby", "ana");

        join(&other, "lobby", "ana");
        assert_eq!(error_code(&mut other), ErrorCode::NameTaken);

        drop(ana);
        join(&other, "lobby", "ana");
        assert!(matches!(drain(&mut other).as_slice(), [ServerFrame::Welcome { .. }]));
    }

    #[test]
    fn a_client_is_in_a_limited_number_of_rooms() {
        let mut ana = Registry::default().connect();
        for n in 0..ROOMS_PER_CLIENT {
            join(&ana, &format!("room-{n}"), "ana");
        }
        drain(&mut ana);

        join(&ana, "one-more", "ana");

        assert_eq!(error_code(&mut ana), ErrorCode::TooManyRooms);
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_evicted() {
        let registry = Registry::new(4);
        let (mut ana, mut slow) = (registry.connect(), registry.connect());
        join(&ana, "lobby", "ana");
        join(&slow, "lobby", "slow");

        for n in 0..4 {
            drain(&mut ana);
            say(&ana, "lobby", &n.to_string());
        }

        let left = ServerFrame::Left { room: room("lobby"), user: user("slow") };
        assert!(drain(&mut ana).contains(&left));
        assert_eq!((registry.stats().clients, registry.stats().evictions), (1, 1));
        assert_eq!(drain(&mut slow).len(), 4);
        assert_eq!(slow.recv().await, None);
        join(&slow, "lobby", "slow");
        assert_eq!(drain(&mut ana), []);
    }

    #[cfg(feature = "history")]
    #[test]
    fn whoever_joins_receives_the_last_messages_in_order() {
        let registry = Registry::default();
        let (mut ana, mut bob) = (registry.connect(), registry.connect());
        join(&ana, "lobby", "ana");
        for n in 1..=HISTORY_MESSAGES + 5 {
            say(&ana, "lobby", &n.to_string());
            drain(&mut ana);
        }

        join(&bob, "lobby", "bob");

        let texts: Vec<_> = drain(&mut bob)
            .into_iter()
            .filter_map(|frame| match frame {
                ServerFrame::Message { text, .. } => Some(text.to_string()),
                _ => None,
            })
            .collect();
        let expected: Vec<_> = (6..=HISTORY_MESSAGES + 5).map(|n| n.to_string()).collect();
        assert_eq!(texts, expected);
    }
}
