"""What: a newer rustci wrote the workflows than the one that checks them.

Why: the older one would call everything drift that the newer one added, and an update would undo
it.

Fix: `pip install --upgrade rustci`, or pin the version that the lock names in your CI.

Example: the lock was written by 0.3.0, this is 0.2.1.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from rustci import __version__
from rustci.checks.base import Context, Finding
from rustci.lock import PATH

ID = "version"
TITLE = "This rustci is older than the one that wrote the workflows"


def check(context: Context) -> Iterator[Finding]:
    """Yield a finding where the lock is newer than the tool."""
    if newer(context.lock.version):
        yield Finding(
            rule=ID,
            path=PATH,
            message=f"rustci {context.lock.version} wrote these files, and this is {__version__}",
            fix="pip install --upgrade rustci",
        )


def newer(version: str) -> bool:
    """Whether a version is newer than this rustci."""
    try:
        return Version(version) > Version(__version__)
    except InvalidVersion:
        return False
