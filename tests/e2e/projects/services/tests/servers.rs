use std::env;
use stores::{address, asks_for_encryption, ping};

#[test]
fn redis_answers() {
    let url = env::var("REDIS_URL").expect("REDIS_URL is set");
    assert_eq!(ping(address(&url)).expect("Redis runs"), "+PONG");
}

#[test]
fn postgres_answers() {
    let url = env::var("DATABASE_URL").expect("DATABASE_URL is set");
    let answer = asks_for_encryption(address(&url)).expect("PostgreSQL runs");
    assert!(b"SN".contains(&answer));
}
