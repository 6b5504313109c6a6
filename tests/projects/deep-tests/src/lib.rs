//! A slot that one thread fills and another one empties.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering};

const EMPTY: u64 = u64::MAX;

/// Holds one number at most.
pub struct Slot(AtomicU64);

impl Slot {
    /// Makes an empty slot.
    pub fn new() -> Self {
        Slot(AtomicU64::new(EMPTY))
    }

    /// Puts a number in; false where one is in there.
    pub fn put(&self, number: u32) -> bool {
        self.0
            .compare_exchange(EMPTY, number.into(), Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Takes the number out.
    pub fn take(&self) -> Option<u32> {
        u32::try_from(self.0.swap(EMPTY, Ordering::AcqRel)).ok()
    }
}

impl Default for Slot {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes numbers with blanks between.
pub fn line(numbers: &[u32]) -> String {
    let mut text = String::with_capacity(11 * numbers.len());
    let mut buffer = itoa::Buffer::new();
    for number in numbers {
        text.push_str(buffer.format(*number));
        text.push(' ');
    }
    text.truncate(text.trim_end().len());
    text
}
