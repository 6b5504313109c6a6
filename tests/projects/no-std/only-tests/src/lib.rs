#![cfg_attr(not(test), no_std)]

#[cfg(test)]
extern crate std;
