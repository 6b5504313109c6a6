"""Where rustci's files are, relative to the repository root."""

CONFIG = ".github/rustci.toml"
"""The answers."""
WORKFLOWS = ".github/workflows"
DEPENDABOT = ".github/dependabot.yml"
