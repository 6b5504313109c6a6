"""Where rustci's files are, relative to the repository root."""

CONFIG = ".github/rustci.toml"
"""The answers."""
WORKFLOWS = ".github/workflows"
DEPENDABOT = ".github/dependabot.yml"
PROGRAMS = ".github/rustci/"
"""Programs of rustci's that the workflows run: taken whole, never merged."""
