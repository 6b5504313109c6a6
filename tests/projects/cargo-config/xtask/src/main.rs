use std::process::Command;

fn main() {
    Command::new("cargo").args(["clippy", "--all-targets"]).status().unwrap();
    Command::new("cargo").arg("fmt").arg("--check").status().unwrap();
}
