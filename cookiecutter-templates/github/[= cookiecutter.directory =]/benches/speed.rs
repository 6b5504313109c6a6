[% set starter = cookiecutter._plan.starter %]
[% if starter %]
//! Benchmarks of `[= starter.crate =]`: `cargo bench --bench speed`.
//!
//! What is measured so far is a stand-in. Put a call of `[= starter.crate =]` in its place, one that
//! its users wait for; criterion's book tells the rest: https://bheisler.github.io/criterion.rs/book/

[% if starter.oldest_edition %]
extern crate criterion;

[% endif %]
use criterion::{BenchmarkId, Criterion};

fn speed(c: &mut Criterion) {
    // Made once, outside of what is measured, and the same in every run: seeds are fixed.
    let input: Vec<u64> = (0..1_000).collect();
    c.bench_with_input(BenchmarkId::new("stand_in", 1_000), &input, |b, input| {
        // What the closure returns is kept, so the compiler cannot drop the work.
        b.iter(|| stand_in(input))
    });
}

// Replace this function: call `[= starter.crate =]` in the closure above.
fn stand_in(input: &[u64]) -> u64 {
    input.iter().fold(0, |sum, n| sum.rotate_left(5) ^ n)
}

criterion::criterion_group!(benches, speed);
criterion::criterion_main!(benches);
[% endif %]
