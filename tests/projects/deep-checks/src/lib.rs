//! A pool of bytes that threads share by hand.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes a pool holds.
pub const SIZE: usize = if cfg!(miri) { 8 } else { 1024 };

/// Bytes that are handed out once.
pub struct Pool {
    bytes: UnsafeCell<[u8; SIZE]>,
    next: AtomicUsize,
}

// SAFETY: each byte is handed out to one caller only.
unsafe impl Sync for Pool {}

impl Pool {
    /// Makes a pool of zeros.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: UnsafeCell::new([0; SIZE]), next: AtomicUsize::new(0) }
    }

    /// Hands out a byte that nobody else has, or `None` once all are gone.
    #[allow(clippy::mut_from_ref)]
    pub fn take(&self) -> Option<&mut u8> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        // SAFETY: `place` is inside, and no other call got the same.
        (place < SIZE).then(|| unsafe { &mut *self.bytes.get().cast::<u8>().add(place) })
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the length that the first byte of `packet` tells, if the packet is that long.
#[must_use]
pub fn length(packet: &[u8]) -> Option<usize> {
    let (first, rest) = packet.split_first()?;
    let told = usize::from(*first);
    (told <= rest.len()).then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_handed_out_once() {
        static POOL: Pool = Pool::new();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..SIZE / 2 {
                        *POOL.take().unwrap() += 1;
                    }
                });
            }
        });
        assert!(POOL.take().is_none());
    }

    #[test]
    fn a_packet_tells_its_length() {
        assert_eq!(length(&[2, 0, 0]), Some(2));
        assert_eq!(length(&[1, 0, 0]), Some(1));
        assert_eq!(length(&[3, 0, 0]), None);
        assert_eq!(length(&[]), None);
    }
}
