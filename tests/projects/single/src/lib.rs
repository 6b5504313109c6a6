//! A crate.
//!
//! ```
//! assert_eq!(single_crate::one(), 1);
//! ```

/// Gives one.
pub fn one() -> u8 {
    // unsafe { } in a comment and "unsafe {" in a string are no unsafe code
    let _ = "unsafe { }";
    let _ = r#"unsafe { " }"#;
    1
}

#[cfg(test)]
mod tests {
    #[test]
    fn one() {
        assert_eq!(super::one(), 1);
    }

    #[test]
    #[ignore = "slow"]
    fn slow() {}
}
