//! Every interleaving of two threads, as `RUSTFLAGS="--cfg loom" cargo test --release --test model` runs it.
#![cfg(loom)]

use bounded_slot::Slot;
use loom::sync::Arc;
use loom::thread;

#[test]
fn one_of_two_takes_it() {
    loom::model(|| {
        let slot = Arc::new(Slot::new());
        assert!(slot.put(7));
        let other = Arc::clone(&slot);
        let thread = thread::spawn(move || other.take());
        let found = [slot.take(), thread.join().unwrap()];
        assert_eq!(found.iter().flatten().count(), 1);
    });
}
