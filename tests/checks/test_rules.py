"""Each rule: silent on what rustci wrote, and with file and line on the edit that breaks it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from datetime import date

import pytest

from rustci import checks
from rustci.checks import RULES, section
from rustci.checks.base import Level, Rule
from rustci.errors import ConfigError
from tests.upkeep import CI, TODAY, Repository

ERROR, NOTE = Level.ERROR, Level.NOTE
JOBS_OF_THE_USER = """
  mine:
    runs-on: ubuntu-24.04
    permissions: {}
    timeout-minutes: 5
    steps:
      - run: "true"
"""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.ID)
def test_a_rule_is_documented(rule: Rule) -> None:
    assert all(section(rule, part) for part in ("What", "Why", "Fix", "Example"))
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.ID)
    assert rule.TITLE


def test_every_module_is_a_rule() -> None:
    names = {module.name for module in pkgutil.iter_modules(checks.__path__)} - {"base"}
    modules = [importlib.import_module(f"rustci.checks.{name}") for name in names]
    assert {module.__name__ for module in modules} == {rule.__name__ for rule in RULES}
    assert len({rule.ID for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.ID)
def test_a_rule_is_silent_on_what_rustci_wrote(rule: Rule, repository: Repository) -> None:
    assert repository.findings(rule.ID) == []


BREAKS = {
    "no limit": ("timeouts", r"^    timeout-minutes: 10\n", "", "  format:", ERROR),
    "too long": ("timeouts", "timeout-minutes: 10", "timeout-minutes: 900", "900", ERROR),
    "no permissions": ("permissions", r"^permissions: \{\}\n", "", "name: CI", None),
    "all": ("permissions", r"permissions: \{\}", "permissions: write-all", "write-all", ERROR),
    "one": ("permissions", r"permissions: \{\}", "permissions: {issues: write}", "issues", ERROR),
    "token": (
        "credentials",
        "persist-credentials: false",
        "persist-credentials: true",
        "- name: Check out",
        ERROR,
    ),
    "tag": ("pins", "actions/checkout@.*", "actions/checkout@v7", "checkout@v7", ERROR),
    "lie": ("pins", r"(checkout@\w+ # )v7\.0\.1", r"\1v6.0.0", "v6.0.0", ERROR),
    "unknown action": ("pins", "actions/checkout@", "someone/else@", "someone", NOTE),
    "gone": ("runners", "runs-on: ubuntu-24.04", "runs-on: ubuntu-20.04", "ubuntu-20.04", ERROR),
    "dying": ("runners", "runs-on: ubuntu-24.04", "runs-on: ubuntu-22.04", "ubuntu-22.04", NOTE),
    "moving": ("runners", "runs-on: ubuntu-24.04", "runs-on: ubuntu-latest", "ubuntu-latest", NOTE),
    "of a matrix": (
        "runners",
        "runner: .ubuntu-24.04",
        "runner: [ubuntu-20.04",
        "ubuntu-20.04",
        ERROR,
    ),
    "not needed": ("aggregate", r"needs: \[format, ", "needs: [", "needs: [", ERROR),
    "no such job": ("aggregate", r"needs: \[format, ", "needs: [format, gone, ", "needs: [", ERROR),
    "skipped": ("aggregate", "if: always..", "if: success()", "  ci:", ERROR),
    "added": ("aggregate", r"^jobs:\n", f"jobs:{JOBS_OF_THE_USER}", "needs: [", ERROR),
    "large": ("matrix", "toolchain: .stable.", f"toolchain: {[*range(90)]}", "  test:", ERROR),
    "long": ("matrix", "rustc --version", "${{ a }}" + "x" * 19_001, "${{ a }}x", ERROR),
    "tabs": ("readable", r"^jobs:\n", "jobs:\n\tx: 1\n", "\tx: 1", ERROR),
}


@pytest.mark.parametrize(("rule", "old", "new", "where", "level"), BREAKS.values(), ids=BREAKS)
def test_an_edit_that_breaks_a_rule(
    rule: str, old: str, new: str, where: str, level: Level | None, repository: Repository
) -> None:
    repository.edit(old, new)
    found = repository.findings(rule)
    if level is None:  # each job says for itself what it may do: nothing is granted
        assert found == []
        return
    assert [(f.path, f.line, f.level) for f in found] == [(CI, repository.line(where), level)]
    assert found[0].message
    assert found[0].fix


def test_a_job_without_permissions_gets_what_the_repository_allows(repository: Repository) -> None:
    repository.edit(r"^permissions: \{\}\n", "")
    repository.edit(r"^    permissions:\n      contents: read\n", "")
    assert [f.line for f in repository.findings("permissions")] == [1]


@pytest.mark.parametrize(
    ("cache", "command", "found"),
    [
        ("uses: Swatinem/rust-cache@v2", "cargo publish --locked", 1),
        ("uses: actions/cache/restore@v5", "gh release upload v1 x", 1),
        ("uses: actions/setup-go@v6", "cargo publish", 1),
        ("{uses: actions/setup-go@v6, with: {cache: false}}", "cargo publish", 0),
        ("{uses: actions/setup-node@v6, with: {cache: npm}}", "npm publish", 1),
        ("uses: actions/setup-node@v6", "npm publish", 0),
        ("uses: actions/cache/save@v5", "cargo publish", 0),
        ("uses: Swatinem/rust-cache@v2", "cargo publish --dry-run", 0),
        ("uses: Swatinem/rust-cache@v2", "'# cargo publish'", 0),
        ("run: cargo test", "cargo publish", 0),
    ],
)
def test_a_job_that_publishes_reads_no_cache(
    cache: str, command: str, found: int, repository: Repository
) -> None:
    steps = f"      - {cache}\n      - run: {command}\n"
    repository.edit(r"^jobs:\n", f"jobs:{JOBS_OF_THE_USER}{steps}")
    lines = [(f.path, f.line, f.level) for f in repository.findings("caches")]
    assert lines == [(CI, repository.line(cache), ERROR)] * found


def test_a_job_with_an_if_is_only_noted_by_the_aggregate(repository: Repository) -> None:
    repository.edit(r"^jobs:\n", f"jobs:{JOBS_OF_THE_USER}    if: github.ref_name == 'main'\n")
    assert [f.level for f in repository.findings("aggregate")] == [NOTE]


@pytest.mark.parametrize(
    ("today", "level"),
    [
        (TODAY, NOTE),
        (date(2027, 1, 16), NOTE),
        (date(2027, 1, 17), ERROR),
        (date(2027, 4, 17), ERROR),
    ],
    ids=str,
)
def test_a_deprecated_label_becomes_an_error_90_days_before_its_end(
    today: date, level: Level, repository: Repository
) -> None:
    repository.edit("runs-on: ubuntu-24.04", "runs-on: ubuntu-22.04")
    assert [f.level for f in repository.findings("runners", today)] == [level]


def test_a_pin_that_is_behind_becomes_an_error_with_time(repository: Repository) -> None:
    repository.edit("checkout@.*", f"checkout@{'a' * 40} # v7.0.0")
    soon, later = (repository.findings("pins", day) for day in (TODAY, date(2028, 1, 1)))
    assert [f.level for f in (*soon, *later)] == [NOTE, ERROR]
    assert "v7.0.1 is out" in soon[0].message


def test_a_newer_rustci_wrote_the_lock(repository: Repository) -> None:
    repository.wrote_last('version = "0.1.0"', 'version = "99.0.0"')
    assert ["99.0.0" in f.message for f in repository.findings("version")] == [True]


def test_unknown_workflows_are_listed(repository: Repository) -> None:
    repository.write("on: push\n", ".github/workflows/deploy.yaml")
    repository.write("no workflow", ".github/workflows/notes.txt")
    found = repository.findings("unknown-workflows")
    assert [(f.path, f.level) for f in found] == [(".github/workflows/deploy.yaml", NOTE)]


class TestIgnoring:
    def ignore(self, repository: Repository, text: str) -> None:
        config = ".github/rustci.toml"
        repository.write(f"{repository.read(config)}\n[checks.ignore]\n{text}\n", config)

    def test_with_a_reason(self, repository: Repository) -> None:
        repository.edit(r"^    timeout-minutes: 10\n", "")
        assert repository.run("check").code == 1
        self.ignore(repository, 'timeouts = "the runner has its own limit"')
        done = repository.run("check")
        assert done.code == 0
        assert "ignored: timeouts: the runner has its own limit" in done.out

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('timeouts = ""', "gives no reason"),
            ("timeouts = true", "gives no reason"),
            ('timeuots = "typo"', "did you mean `timeouts`?"),
        ],
    )
    def test_needs_a_reason_and_a_rule(
        self, text: str, message: str, repository: Repository
    ) -> None:
        self.ignore(repository, text)
        done = repository.run("check")
        line = repository.line(text, ".github/rustci.toml")
        assert done.code == 2
        assert message in done.err
        assert f".github/rustci.toml:{line}: " in done.err

    def test_other_options_are_refused(self, repository: Repository) -> None:
        repository.write("[checks]\nstrict = true\n", ".github/rustci.toml")
        with pytest.raises(ConfigError, match="no options but the table `ignore`"):
            checks.ignored(repository.root)
