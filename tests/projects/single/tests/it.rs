#[test]
#[ignore]
fn it() {}
