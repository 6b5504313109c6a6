// #![no_std]
#![no_std]
extern crate std;
