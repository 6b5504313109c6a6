//! The first words that are said to a PostgreSQL and to a Redis server.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// Returns `host:port` of a URL like `redis://user:password@host:port/path`.
pub fn address(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    host.rsplit_once('@').map_or(host, |(_, host)| host)
}

/// Asks Redis whether it is there and returns its answer. Fails when it cannot be reached.
pub fn ping(address: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).trim_end().to_owned())
}

/// Asks PostgreSQL for an encrypted session and returns its answer, `S` or `N`.
pub fn asks_for_encryption(address: &str) -> io::Result<u8> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])?;
    let mut answer = [0];
    stream.read_exact(&mut answer)?;
    Ok(answer[0])
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_address_is_read_from_the_url() {
        assert_eq!(
            super::address("redis://u:p@127.0.0.1:6379/0"),
            "127.0.0.1:6379"
        );
    }
}
