#![no_std]

pub unsafe fn raw() {}
