//! The frames on the wire: one JSON object with a `type` in each WebSocket text message.
//!
//! Names and texts are checked while a frame is decoded, so that no other module ever sees a bad one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value that broke the rules of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    what: &'static str,
    rule: &'static str,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}", self.what, self.rule)
    }
}

impl std::error::Error for Invalid {}

/// Defines a string type whose values all keep one rule.
macro_rules! checked_string {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $is_valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Checks the rule: ", $rule, ".")]
            pub fn new(value: impl Into<String>) -> Result<Self, Invalid> {
                let value = value.into();
                let is_valid: fn(&str) -> bool = $is_valid;
                if is_valid(&value) {
                    Ok(Self(value))
                } else {
                    Err(Invalid { what: $what, rule: $rule })
                }
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(value: String) -> Result<Self, Invalid> {
                Self::new(value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_string!(
    /// The name of a room.
    ///
    /// ```
    /// use chat_server::protocol::RoomName;
    ///
    /// assert_eq!(RoomName::new("rust-users").unwrap().as_str(), "rust-users");
    /// assert!(RoomName::new("Rust users").is_err());
    /// ```
    RoomName,
    "a room name",
    "1 to 64 characters of a-z, 0-9, '-' and '_'",
    |s| (1..=64).contains(&s.len())
        && s.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
);

checked_string!(
    /// The name that a user goes by in a room.
    UserName,
    "a user name",
    "1 to 32 characters, without control characters and without blanks at its ends",
    |s| (1..=32).contains(&s.chars().count()) && s.trim() == s && !s.chars().any(char::is_control)
);

checked_string!(
    /// What a user says.
    Text,
    "a text",
    "1 to 4096 bytes and more than blanks",
    |s| s.len() <= 4096 && !s.trim().is_empty()
);

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    /// Enter a room under a name that nobody else has there.
    Join {
        /// The room, made if it does not exist.
        room: RoomName,
        /// The name to go by.
        user: UserName,
    },
    /// Leave a room.
    Leave {
        /// The room to leave.
        room: RoomName,
    },
    /// Say something to everyone in a room.
    Message {
        /// A room that the client has joined.
        room: RoomName,
        /// What to say.
        text: Text,
    },
    /// Start or stop typing.
    Typing {
        /// A room that the client has joined.
        room: RoomName,
        /// Whether the user is typing now.
        active: bool,
    },
}

/// What the server tells a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to a join.
    Welcome {
        /// The room that was joined.
        room: RoomName,
        /// Everyone in it, sorted, the new member included.
        members: Vec<UserName>,
    },
    /// Somebody else entered the room.
    Joined {
        /// The room.
        room: RoomName,
        /// Who entered it.
        user: UserName,
    },
    /// Somebody left the room; the one who asked to leave receives it as well.
    Left {
        /// The room.
        room: RoomName,
        /// Who left it.
        user: UserName,
    },
    /// Somebody said something; the sender receives it as well.
    Message {
        /// The room.
        room: RoomName,
        /// Who said it.
        user: UserName,
        /// What was said.
        text: Text,
        /// Counts the room's messages from 1, in the same order for everyone.
        seq: u64,
    },
    /// Somebody else started or stopped typing.
    Typing {
        /// The room.
        room: RoomName,
        /// Who types.
        user: UserName,
        /// Whether the user is typing now.
        active: bool,
    },
    /// The last request was refused; the connection stays open.
    Error {
        /// The reason, for programs.
        code: ErrorCode,
        /// The reason, for people.
        detail: String,
    },
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not a frame of this protocol.
    Malformed,
    /// The client is not in that room.
    NotInRoom,
    /// The client is in that room already.
    AlreadyInRoom,
    /// Somebody else in the room has that name.
    NameTaken,
    /// The client is in as many rooms as it may be.
    TooManyRooms,
}

/// Decodes what a client sent.
///
/// ```
/// use chat_server::protocol::{ClientFrame, RoomName, decode};
///
/// let frame = decode(r#"{"type": "leave", "room": "lobby"}"#).unwrap();
/// assert_eq!(frame, ClientFrame::Leave { room: RoomName::new("lobby").unwrap() });
/// ```
pub fn decode(text: &str) -> Result<ClientFrame, serde_json::Error> {
    serde_json::from_str(text)
}

/// Encodes a frame for a client.
///
/// ```
/// use chat_server::protocol::{ErrorCode, ServerFrame, encode};
///
/// let frame = ServerFrame::Error { code: ErrorCode::NotInRoom, detail: "join first".into() };
/// assert_eq!(encode(&frame), r#"{"type":"error","code":"not_in_room","detail":"join first"}"#);
/// ```
pub fn encode(frame: &ServerFrame) -> String {
    serde_json::to_string(frame).expect("frames hold only strings, numbers and booleans")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_frame_is_read_from_json() {
        let frame = decode(r#"{"type":"message","room":"lobby","text":"hello"}"#).unwrap();

        let room = RoomName::new("lobby").unwrap();
        assert_eq!(frame, ClientFrame::Message { room, text: Text::new("hello").unwrap() });
    }

    #[test]
    fn frames_that_break_the_protocol_are_refused() {
        for text in [
            "",
            "[]",
            r#"{"room":"lobby"}"#,
            r#"{"type":"shout","room":"lobby"}"#,
            r#"{"type":"leave"}"#,
            r#"{"type":"leave","room":"lobby","extra":1}"#,
            r#"{"type":"typing","room":"lobby","active":"yes"}"#,
            r#"{"type":"leave","room":"../etc"}"#,
        ] {
            assert!(decode(text).is_err(), "accepted {text:?}");
        }
    }

    #[test]
    fn the_error_names_the_rule_that_was_broken() {
        let error = decode(r#"{"type":"leave","room":"Lobby"}"#).unwrap_err().to_string();

        assert!(error.starts_with("a room name must be 1 to 64 characters"), "{error}");
    }

    #[test]
    fn names_are_checked_at_their_limits() {
        assert!(RoomName::new("a".repeat(64)).is_ok());
        assert!(RoomName::new("a".repeat(65)).is_err());
        assert!(RoomName::new("").is_err());
        assert!(UserName::new("ü".repeat(32)).is_ok());
        assert!(UserName::new("ü".repeat(33)).is_err());
        assert!(UserName::new(" ana").is_err());
        assert!(UserName::new("a\u{7}na").is_err());
    }

    #[test]
    fn texts_are_checked_at_their_limits() {
        assert!(Text::new("x".repeat(4096)).is_ok());
        assert!(Text::new("x".repeat(4097)).is_err());
        assert!(Text::new(" \n").is_err());
    }
}
