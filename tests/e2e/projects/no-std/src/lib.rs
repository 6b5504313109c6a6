//! Fletcher's checksum, without an allocator.
#![no_std]

#[cfg(feature = "std")]
extern crate std;

/// Returns the checksum of some bytes.
///
/// ```
/// assert_eq!(checksum::fletcher16(b"abcde"), 0xC8F0);
/// ```
pub fn fletcher16(bytes: &[u8]) -> u16 {
    let (mut low, mut high) = (0u16, 0u16);
    for &byte in bytes {
        low = (low + u16::from(byte)) % 255;
        high = (high + low) % 255;
    }
    high << 8 | low
}

/// Reads all bytes and returns their checksum. Fails as the reader does.
#[cfg(feature = "std")]
pub fn of_reader(mut reader: impl std::io::Read) -> std::io::Result<u16> {
    let mut bytes = std::vec::Vec::new();
    reader.read_to_end(&mut bytes)?;
    Ok(fletcher16(&bytes))
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_sums_up_to_nothing() {
        assert_eq!(super::fletcher16(b""), 0);
    }
}
