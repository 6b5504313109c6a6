//! A ring buffer that forgets its oldest element when it is full. See [`Ring`].

/// A ring of at most `N` elements.
///
/// ```
/// let mut ring = ring::Ring::<u32, 2>::new();
/// ring.push(1);
/// ring.push(2);
/// ring.push(3);
/// assert_eq!(ring.iter().copied().collect::<Vec<_>>(), [2, 3]);
/// ```
#[derive(Clone, Debug)]
pub struct Ring<T, const N: usize> {
    slots: [Option<T>; N],
    start: usize,
    len: usize,
}

impl<T, const N: usize> Ring<T, N> {
    /// Makes an empty ring.
    pub fn new() -> Self {
        Self {
            slots: [const { None }; N],
            start: 0,
            len: 0,
        }
    }

    /// Adds an element; a full ring gives its oldest one back.
    pub fn push(&mut self, element: T) -> Option<T> {
        let full = self.len == N;
        let slot = (self.start + self.len) % N;
        let oldest = self.slots[slot].replace(element);
        if full {
            self.start = (self.start + 1) % N;
        } else {
            self.len += 1;
        }
        oldest
    }

    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Tells whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Goes from the oldest element to the newest.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len).filter_map(move |i| self.slots[(self.start + i) % N].as_ref())
    }
}

impl<T, const N: usize> Default for Ring<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "sum")]
impl<const N: usize> Ring<u64, N> {
    /// Returns the sum of all elements, see [`Ring::iter`].
    pub fn sum(&self) -> u64 {
        self.iter().sum()
    }
}

#[cfg(feature = "text")]
impl<T: std::fmt::Display, const N: usize> Ring<T, N> {
    /// Returns the elements with blanks between them.
    pub fn text(&self) -> String {
        let words: Vec<String> = self.iter().map(ToString::to_string).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_gives_its_oldest_element_back() {
        let mut ring = Ring::<u8, 2>::new();
        assert_eq!(ring.push(1), None);
        assert_eq!(ring.push(2), None);
        assert_eq!(ring.push(3), Some(1));
    }

    #[test]
    fn an_empty_ring_is_empty() {
        assert!(Ring::<u8, 2>::default().is_empty());
    }
}
