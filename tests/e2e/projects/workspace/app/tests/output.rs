use std::process::Command;

#[test]
fn the_area_is_printed() {
    let output = Command::new(env!("CARGO_BIN_EXE_shapes"))
        .output()
        .expect("the program runs");
    assert_eq!(output.stdout, b"3.14\n");
}
