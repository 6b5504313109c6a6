"""rustci reads a Rust project and writes the GitHub Actions workflows it deserves."""

__version__ = "0.1.0"
