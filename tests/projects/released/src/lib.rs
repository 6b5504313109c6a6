//! Counts words.

/// Returns how many words `text` has.
///
/// ```
/// assert_eq!(counter::words("one two"), 2);
/// ```
#[must_use]
pub fn words(text: &str) -> usize {
    text.split_whitespace().count()
}
