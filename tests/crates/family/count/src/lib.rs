//! Counts words.

/// Returns the number of words in a text.
#[must_use]
pub fn count(text: &str) -> usize {
    words::words(text).len()
}

#[cfg(test)]
mod tests {
    #[test]
    fn three_words_are_three() {
        assert_eq!(super::count("one two three"), 3);
    }
}
