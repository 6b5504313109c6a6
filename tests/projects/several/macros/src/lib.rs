//! ```
//! use macros;
//! ```
