use ring::Ring;
use std::hint::black_box;

fn main() {
    let mut ring = Ring::<u64, 64>::new();
    for element in 0..1_000 {
        black_box(ring.push(black_box(element)));
    }
}
