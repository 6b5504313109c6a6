#![cfg(not(loom))]

use bounded_slot::{line, Slot};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_line_reads_back(numbers: Vec<u32>) {
        let text = line(&numbers);
        let read: Vec<u32> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
        prop_assert_eq!(read, numbers);
    }
}

#[test]
fn the_first_lines() {
    insta::assert_snapshot!(line(&[0, 1, u32::MAX]), @"0 1 4294967295");
    insta::assert_snapshot!("squares", line(&[0, 1, 4, 9]));
}

#[test]
#[ignore = "takes seconds unoptimised"]
fn every_number_goes_through() {
    let slot = Slot::new();
    for number in 0..50_000_000 {
        assert!(slot.put(number));
        assert_eq!(slot.take(), Some(number));
    }
}
