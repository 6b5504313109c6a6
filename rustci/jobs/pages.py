"""Builds the book (mdBook) on every change, and publishes it on GitHub Pages.

Off unless asked for: Pages has to be switched on first (Settings → Pages → Source: GitHub Actions).
The book is built on pull requests too, and published from the default branch alone.
Wants a `book.toml`, at the root or in `docs`. The job that publishes has the rights to, and builds
nothing. Takes about a minute.
"""

from rustci.jobs.base import Verdict, given, linux_runner, tool
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Permission, Setup, Trouble

ID = "pages"
TITLE = "Publish the book"
WORKFLOW = "pages"

TROUBLES = (
    Trouble(
        symptom="`Get Pages site failed` or a 404 at `Publish`",
        cause="Pages is off, or publishes a branch.",
        fix="Choose GitHub Actions as the source under Settings → Pages.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Only where it is asked for, and there is a book."""
    found = given(project, "book.toml", "docs/book.toml")
    if not found:
        return Verdict(on=False, possible=False, reason="no `book.toml`")
    return Verdict(on=False, reason=f"`{found}` is there; Pages has to be switched on first")


def build(project: Project, config: Config) -> Job:
    """Return the job that publishes, after the one that builds."""
    label = linux_runner(config)
    found = given(project, "book.toml", "docs/book.toml") or "book.toml"
    book = Job(
        id="book",
        name="Book",
        why=Verbatim("A chapter that does not build is found before it is published."),
        runner=label,
        timeout=10,
        env={"BOOK": found.rpartition("/")[0] or "."},
        setup=Setup(rust=False, cache=False, tools=(tool("mdbook"),)),
    )
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Only this job may publish, and it runs none of the project's code."),
        runner=label,
        timeout=10,
        permissions=(
            Permission(
                scope=Verbatim("pages"), level=Verbatim("write"), reason=Verbatim("publishes")
            ),
            Permission(
                scope=Verbatim("id-token"),
                level=Verbatim("write"),
                reason=Verbatim("proves where the page is from"),
            ),
        ),
        needs=(book.id,),
        events=("push",),
        environment="github-pages",
        setup=Setup(rust=False, cache=False),
        parts=(book,),
        troubles=TROUBLES,
    )
