//! A checksum with a benchmark.

/// How often each byte is stirred in.
const STIRS: u32 = 20;

/// Returns the FNV-1a digest of some bytes, well stirred.
///
/// ```
/// assert_ne!(measured::digest(b"a"), measured::digest(b"b"));
/// ```
pub fn digest(bytes: &[u8]) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    for &byte in bytes {
        digest ^= u64::from(byte);
        for _ in 0..STIRS {
            digest = digest.wrapping_mul(0x0100_0000_01b3).rotate_left(5);
        }
    }
    digest
}
