//! What the program prints.

use std::process::Command;

#[test]
fn it_shouts() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_shout"));
    let output = program.args(["a", "b"]).output().expect("it starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "A B");
}
