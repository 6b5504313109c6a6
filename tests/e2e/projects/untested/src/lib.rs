//! Greets.

/// Returns a greeting.
pub fn greeting(name: &str) -> String {
    format!("Good day, {name}.")
}
