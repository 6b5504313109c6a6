//! The length that stands in front of a message.

/// The longest message that fits into memory.
pub const LONGEST: u64 = usize::MAX as u64;

/// Returns how long a message is, in the bytes that are sent.
#[cfg(target_pointer_width = "64")]
pub fn length(message: &[u8]) -> [u8; 8] {
    message.len().to_le_bytes()
}

/// Returns how long a message is, in the bytes that are sent.
#[cfg(not(target_pointer_width = "64"))]
pub fn length(message: &[u8]) -> [u8; 8] {
    (message.len() as u64).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_sent_in_eight_bytes() {
        assert_eq!(length(b"abc"), [3, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn the_longest_message_has_an_address() {
        assert!(usize::try_from(LONGEST).is_ok());
    }
}
