//! Words of a text.

/// Returns the words of a text.
///
/// ```
/// assert_eq!(words::words("a b"), ["a", "b"]);
/// ```
#[must_use]
pub fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn blanks_are_skipped() {
        assert_eq!(super::words(" a  b "), ["a", "b"]);
    }
}
