//! The tables of a ledger.

pub mod schema;
