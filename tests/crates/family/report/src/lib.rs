//! Reports.

/// Returns a line for a report.
#[must_use]
pub fn line(name: &str, value: usize) -> String {
    format!("{name}: {value}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_has_both() {
        assert_eq!(super::line("words", 2), "words: 2");
    }
}
