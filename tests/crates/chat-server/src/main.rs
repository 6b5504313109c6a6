//! The `chat-server` command.

use std::env;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use chat_server::{Config, Server};

const USAGE: &str = "\
Usage: chat-server [--addr HOST:PORT]

Options:
  --addr HOST:PORT  where to listen [env: CHAT_ADDR] [default: 127.0.0.1:8080]
  -h, --help        print this help
  -V, --version     print the version";

#[derive(Debug, PartialEq, Eq)]
enum Command {
    Serve(SocketAddr),
    Help,
    Version,
}

#[tokio::main]
async fn main() -> ExitCode {
    match parse(env::args().skip(1), env::var("CHAT_ADDR").ok()) {
        Ok(Command::Serve(addr)) => match serve(addr).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&format!("{addr}: {error}"), 1),
        },
        Ok(Command::Help) => print(USAGE),
        Ok(Command::Version) => print(concat!("chat-server ", env!("CARGO_PKG_VERSION"))),
        Err(problem) => fail(&format!("{problem}\n\n{USAGE}"), 2),
    }
}

/// Reads the command line; `--addr` beats the environment.
fn parse(
    mut args: impl Iterator<Item = String>,
    env_addr: Option<String>,
) -> Result<Command, String> {
    let mut addr = env_addr.map(|value| (value, "CHAT_ADDR"));
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-h" | "--help" => return Ok(Command::Help),
            "-V" | "--version" => return Ok(Command::Version),
            "--addr" => addr = Some((args.next().ok_or("--addr needs a value")?, "--addr")),
            _ => match arg.strip_prefix("--addr=") {
                Some(value) => addr = Some((value.to_owned(), "--addr")),
                None => return Err(format!("unknown argument: {arg}")),
            },
        }
    }
    let Some((value, origin)) = addr else { return Ok(Command::Serve(Config::default().addr)) };
    let invalid = |_| format!("{origin}: {value:?} is not an address such as 127.0.0.1:8080");
    value.parse().map(Command::Serve).map_err(invalid)
}

async fn serve(addr: SocketAddr) -> io::Result<()> {
    #[cfg(feature = "tracing")]
    log_to_stderr();

    let shutdown = terminated()?;
    let server = Server::bind(Config { addr, ..Config::default() }).await?;
    println!("listening on ws://{}/ws", server.local_addr());
    server.run(shutdown).await
}

/// Logs from the level in `RUST_LOG` on; from `info` on where that is missing or not a level.
#[cfg(feature = "tracing")]
fn log_to_stderr() {
    let level = env::var("RUST_LOG").ok().and_then(|level| level.parse().ok());
    let level = level.unwrap_or(tracing::Level::INFO);
    tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).init();
}

/// Resolves on ctrl-c and on SIGTERM; both are caught from this call on, not only once it is awaited.
#[cfg(unix)]
fn terminated() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves on ctrl-c.
#[cfg(windows)]
fn terminated() -> io::Result<impl Future<Output = ()>> {
    let mut ctrl_c = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        ctrl_c.recv().await;
    })
}

fn print(text: &str) -> ExitCode {
    println!("{text}");
    ExitCode::SUCCESS
}

fn fail(message: &str, code: u8) -> ExitCode {
    eprintln!("chat-server: {message}");
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str, env_addr: Option<&str>) -> Result<Command, String> {
        parse(words.split_whitespace().map(str::to_owned), env_addr.map(str::to_owned))
    }

    fn serve_at(addr: &str) -> Result<Command, String> {
        Ok(Command::Serve(addr.parse().unwrap()))
    }

    #[test]
    fn the_address_comes_from_the_flag_then_the_environment_then_the_default() {
        let env = Some("127.0.0.1:2");
        assert_eq!(parse_words("--addr 127.0.0.1:1", env), serve_at("127.0.0.1:1"));
        assert_eq!(parse_words("--addr=127.0.0.1:1", env), serve_at("127.0.0.1:1"));
        assert_eq!(parse_words("", env), serve_at("127.0.0.1:2"));
        assert_eq!(parse_words("", None), serve_at("127.0.0.1:8080"));
    }

    #[test]
    fn help_and_version_win_over_a_bad_environment() {
        assert_eq!(parse_words("--help", Some("nonsense")), Ok(Command::Help));
        assert_eq!(parse_words("-V", Some("nonsense")), Ok(Command::Version));
    }

    #[test]
    fn a_bad_address_is_reported_with_its_origin() {
        let error = parse_words("", Some("nonsense")).unwrap_err();
        assert!(error.starts_with("CHAT_ADDR: \"nonsense\""), "{error}");
        let error = parse_words("--addr 80", None).unwrap_err();
        assert!(error.starts_with("--addr: \"80\""), "{error}");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert_eq!(parse_words("--addr", None), Err("--addr needs a value".to_owned()));
        assert_eq!(parse_words("--port 1", None), Err("unknown argument: --port".to_owned()));
    }
}
