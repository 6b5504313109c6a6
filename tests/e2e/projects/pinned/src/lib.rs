//! Keeps within limits.

/// Returns the value, or the limit that it is beyond.
pub fn within(value: i64, low: i64, high: i64) -> i64 {
    value.clamp(low, high)
}

#[cfg(test)]
mod tests {
    #[test]
    fn limits_hold() {
        assert_eq!(super::within(7, 0, 5), 5);
    }
}
