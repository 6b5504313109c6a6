"""The release workflow: what has to agree before anything is published, run as written."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from rustci.errors import ConfigError
from rustci.project import Project
from tests.house import parse
from tests.strategies import copied, read, rendered

RELEASE = ".github/workflows/release.yml"
ON = {"jobs.release": True}
COMMIT = "c0ffee" * 6 + "c0ff"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return read(copied("released", tmp_path_factory.mktemp("release")))


def script(project: Project, job: str, step: str) -> str:
    steps = parse(rendered(project, ON)[RELEASE])["jobs"][job]["steps"]
    [found] = (each["run"] for each in steps if each.get("name") == step)
    return str(found)


def run(text: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a step as the runner does."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
    environment = os.environ | {"PACKAGES": "counter", **variables}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


# Tag, version and changelog


@pytest.mark.parametrize(
    ("ref", "heading", "code", "told"),
    [
        ("refs/tags/v0.2.0", "## [0.2.0]", 0, ""),
        ("refs/tags/v0.2.0", "## v0.2.0 (today)", 0, ""),
        ("refs/tags/v0.3.0", "## [0.2.0]", 1, "tag v0.3.0 is not the version 0.2.0"),
        ("refs/tags/v0.2.0", "## [0.2.0-rc.1]", 1, "no heading for 0.2.0"),
        ("refs/tags/v0.2.0", "## 0x2.0", 1, "no heading for 0.2.0"),
        ("refs/pull/1/merge", "## [0.1.9]", 0, "::warning::CHANGELOG.md has no heading for 0.2.0"),
    ],
)
def test_tag_version_and_changelog_have_to_agree(
    ref: str, heading: str, code: int, told: str, project: Project, tmp_path: Path
) -> None:
    folder = copied("released", tmp_path)
    changelog = folder / "CHANGELOG.md"
    changelog.write_text(changelog.read_text("utf-8").replace("## [0.2.0]", heading), "utf-8")
    text = script(project, "verify", "Compare tag, version and changelog")
    done = run(text, folder, GITHUB_REF=ref, GITHUB_REF_NAME=ref.rpartition("/")[2])
    assert done.returncode == code, done
    assert told in done.stdout


# Dependencies that crates.io replaces


@pytest.mark.parametrize(
    ("ref", "added", "code", "told"),
    [
        ("refs/tags/v0.2.0", "", 0, ""),
        (
            "refs/tags/v0.2.0",
            '[dependencies]\nlog = { version = "0.4", git = "https://example.com/log" }\n',
            1,
            "::error::counter takes log from git",
        ),
        (
            "refs/pull/1/merge",
            '[build-dependencies]\nlog = { version = "0.4", git = "https://example.com/log" }\n',
            0,
            "::warning::counter takes log from git",
        ),
        (
            "refs/tags/v0.2.0",
            '[dev-dependencies]\nlog = { version = "0.4", git = "https://example.com/log" }\n',
            0,
            "",
        ),
        (
            "refs/tags/v0.2.0",
            '[patch.crates-io]\nlog = { git = "https://example.com/log" }\n',
            0,
            "::warning::[patch] holds here alone",
        ),
    ],
)
def test_a_dependency_that_crates_io_replaces_is_told(
    ref: str, added: str, code: int, told: str, project: Project, tmp_path: Path
) -> None:
    folder = copied("released", tmp_path)
    manifest = folder / "Cargo.toml"
    manifest.write_text(f"{manifest.read_text('utf-8')}\n{added}", "utf-8")
    text = script(project, "verify", "Look for dependencies that crates.io replaces")
    done = run(text, folder, GITHUB_REF=ref)
    assert done.returncode == code, done
    assert done.stdout.startswith(told) if told else not done.stdout


# CI of the very commit


class Api(BaseHTTPRequestHandler):
    """Answers each look at the runs of `ci.yml` with the next of `states`, then with the last."""

    states: ClassVar[list[str | None]] = []
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(f"{self.path} {self.headers['Authorization']}")
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        runs = [] if state is None else [{"status": state, "conclusion": None}]
        if state in {"success", "failure", "cancelled"}:
            runs = [{"status": "completed", "conclusion": state}]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"workflow_runs": runs}).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[str]:
    Api.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["success"], 0),
        (["queued", "in_progress", "success"], 0),
        ([None, "success"], 0),
        (["failure"], 1),
        (["cancelled"], 1),
        (["in_progress", "failure"], 1),
        ([None], 1),
        (["in_progress"], 1),
    ],
)
def test_only_a_commit_that_ci_passed_is_released(
    states: list[str | None], code: int, project: Project, api: str, tmp_path: Path
) -> None:
    Api.states[:] = states
    # Its waiting is what this test has no time for.
    text = script(project, "verify", "Wait until CI was green for this commit")
    assert text.count("sleep 30") == 1
    done = run(
        text.replace("sleep 30", "sleep 0"),
        tmp_path,
        GITHUB_API_URL=api,
        GITHUB_REPOSITORY="octocat/counter",
        GITHUB_SHA=COMMIT,
        BRANCH="main",
        CHECKS="4",
        TOKEN="secret",
        no_proxy="127.0.0.1",
    )
    assert done.returncode == code, done
    assert "secret" not in done.stdout + done.stderr
    [path, token] = Api.asked[0].split(" ", 1)
    assert token == "Bearer secret"
    assert f"head_sha={COMMIT}&branch=main&event=push" in path
    assert len(Api.asked) <= 4
    if code:
        assert f"::error::CI on main was not green for {COMMIT}" in done.stdout


def test_an_api_that_cannot_be_asked_fails(project: Project, tmp_path: Path) -> None:
    text = script(project, "verify", "Wait until CI was green for this commit")
    done = run(
        text.replace("--retry 5", ""),
        tmp_path,
        GITHUB_API_URL="http://127.0.0.1:9",
        GITHUB_REPOSITORY="octocat/counter",
        GITHUB_SHA=COMMIT,
        BRANCH="main",
        CHECKS="1",
        TOKEN="secret",
        no_proxy="127.0.0.1",
    )
    assert done.returncode != 0


# The archives


def test_an_archive_holds_the_binary_and_what_goes_with_it(
    project: Project, tmp_path: Path
) -> None:
    folder, temp = copied("released", tmp_path), tmp_path / "temp"
    temp.mkdir()
    binary = folder / "counter"
    binary.write_bytes(b"\x7fELF")
    built = [{"executable": None}, {"executable": str(binary)}]
    (temp / "built.json").write_text("\n".join(map(json.dumps, built)), "utf-8")
    text = script(project, "binaries", "Pack")
    done = run(text, folder, RUNNER_TEMP=str(temp), NAME="counter", TARGET="x-y-z")
    assert done.returncode == 0, done
    with tarfile.open(temp / "archives" / "counter-x-y-z.tar.gz") as archive:
        names = {Path(name).name for name in archive.getnames()}
    assert names == {"counter-x-y-z", "counter", "README.md", "CHANGELOG.md"}
    sums = script(project, "release", "Write the checksums")
    assert run(sums, temp / "archives").returncode == 0
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=temp / "archives", check=False).returncode == 0


def test_an_archive_without_a_binary_is_refused(project: Project, tmp_path: Path) -> None:
    folder = copied("released", tmp_path)
    # What Cargo says where the binaries need features that are not on: it leaves them out.
    (tmp_path / "built.json").write_text('{"reason": "build-finished", "success": true}', "utf-8")
    text = script(project, "binaries", "Pack")
    done = run(text, folder, RUNNER_TEMP=str(tmp_path), NAME="counter", TARGET="x-y-z")
    assert done.returncode == 1, done
    assert "::error::No binary was compiled" in done.stdout
    assert not (tmp_path / "archives").exists()


# The workflow


def test_no_release_job_reads_a_cache_and_only_the_last_may_write(project: Project) -> None:
    jobs = parse(rendered(project, ON)[RELEASE])["jobs"]
    assert list(jobs) == ["verify", "binaries", "publish", "release"]
    assert "cache" not in json.dumps(jobs)
    writers = [name for name, job in jobs.items() if job["permissions"].get("contents") == "write"]
    assert writers == ["release"]
    assert jobs["publish"]["environment"] == "release"
    assert jobs["release"]["needs"] == ["verify", "binaries", "publish"]


def test_a_target_without_a_runner_is_refused(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"`release.targets` names `mips-unknown-linux-gnu`"):
        rendered(project, ON | {"release.targets": ("mips-unknown-linux-gnu",)})
