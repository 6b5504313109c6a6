//! Counts the words of standard input.

use std::io::{self, Read};

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    println!("{}", count(&text));
    Ok(())
}

/// Counts what blanks part.
fn count(text: &str) -> usize {
    text.split_whitespace().count()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn words_are_counted() {
        assert_eq!(count("one  two\nthree"), 3);
    }
}
