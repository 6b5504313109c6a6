//! Writes figures.

/// Returns the decimal digits of a number.
///
/// ```
/// assert_eq!(figures::digits(42), "42");
/// ```
pub fn digits(number: u64) -> String {
    itoa::Buffer::new().format(number).to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn zero_has_a_digit() {
        assert_eq!(super::digits(0), "0");
    }
}
