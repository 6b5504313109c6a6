//! Logging that costs nothing when the `tracing` feature is off.

/// Logs a formatted line; without the feature it is only checked by the compiler.
macro_rules! log {
    ($level:ident, $($message:tt)+) => {{
        #[cfg(feature = "tracing")]
        tracing::$level!($($message)+);
        #[cfg(not(feature = "tracing"))]
        let _ = || format_args!($($message)+).to_string();
    }};
}
