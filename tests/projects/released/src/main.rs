//! Counts the words of standard input.

use std::io;

fn main() -> io::Result<()> {
    println!("{}", counter::words(&io::read_to_string(io::stdin())?));
    Ok(())
}
