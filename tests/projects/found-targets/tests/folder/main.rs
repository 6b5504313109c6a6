#[test]
fn in_folder() {}
