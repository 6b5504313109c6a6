"""Small real repositories with real benchmarks: a crate `criterion` of our own stands in for the
published one, so that cargo has one file to compile and needs no network."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

MANIFEST = """\
[package]
name = "tiny"
version = "0.1.0"
edition = "2021"
[lib]
bench = false
[dev-dependencies]
criterion = { path = "criterion" }
[[bench]]
name = "speed"
harness = false
[workspace]
"""
HARNESS = r"""
use std::{env, fs, hint::black_box, path::PathBuf, time::Instant};
pub fn bench(name: &str, work: impl Fn(u64) -> u64) {
    let arguments: Vec<String> = env::args().collect();
    if arguments.iter().any(|each| each == "--list") {
        println!("{name}: benchmark");
        return;
    }
    let filter = arguments.last().filter(|last| last.starts_with('^'));
    if filter.is_some_and(|filter| !filter.contains(name)) {
        return;
    }
    let home = env::var("CRITERION_HOME").expect("CRITERION_HOME");
    let new = PathBuf::from(home).join(name).join("new");
    fs::create_dir_all(&new).unwrap();
    let times: Vec<String> = (0..10)
        .map(|_| {
            let started = Instant::now();
            black_box(work(black_box(20_000)));
            started.elapsed().as_nanos().to_string()
        })
        .collect();
    let about = format!(
        r#"{{"group_id":"{name}","directory_name":"{name}","title":"{name}"}}"#
    );
    fs::write(new.join("benchmark.json"), about).unwrap();
    let counts = ["1"; 10].join(",");
    let sample = format!(r#"{{"iters":[{counts}],"times":[{}]}}"#, times.join(","));
    fs::write(new.join("sample.json"), sample).unwrap();
}
"""
LIBRARY = """
pub fn sum(n: u64) -> u64 {
    (0..n).fold(1, |a, b| std::hint::black_box(a.rotate_left(3) ^ b))
}
"""
BENCH = """
fn main() {
    criterion::bench("sum", tiny::sum);
}
"""
FILES = {
    "Cargo.toml": MANIFEST,
    "README.md": "# tiny\n",
    "benches/speed.rs": BENCH,
    "criterion/Cargo.toml": (
        '[package]\nname = "criterion"\nversion = "0.7.0"\nedition = "2021"\n'
    ),
    "criterion/src/lib.rs": HARNESS,
    "src/lib.rs": LIBRARY,
}


def git(project: Path, *arguments: str) -> str:
    """Run git as somebody and return what it prints."""
    person = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    argv = ["git", *person, *arguments]
    done = subprocess.run(argv, cwd=project, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(project: Path, files: Mapping[str, str] = FILES) -> str:
    """Make a repository with these files and return its commit."""
    project.mkdir(parents=True)
    git(project, "init", "--quiet")
    return commit(project, files)


def commit(project: Path, files: Mapping[str, str]) -> str:
    """Write files, commit everything and return the commit."""
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "change")
    return git(project, "rev-parse", "HEAD")
