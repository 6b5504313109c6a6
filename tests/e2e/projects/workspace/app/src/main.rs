//! Prints the area of a circle.

use shapes_core::{Circle, Shape};

fn main() {
    println!("{:.2}", Circle { radius: 1.0 }.area());
}
