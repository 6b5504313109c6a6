//! Prints its arguments in capitals.

fn main() {
    let text: Vec<String> = std::env::args().skip(1).collect();
    println!("{}", words::words(&text.join(" ")).join(" ").to_uppercase());
}
