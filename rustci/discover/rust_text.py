"""Questions to the text of a Rust file. Nothing is parsed and no macro is expanded.

Patterns start with a literal where they can: that is five times as fast as a word boundary.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_NOISE = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r'|r(#*)".*?"\1'
    r'|"[^"\\]*(?:\\.[^"\\]*)*"'
    r"|'(?:[^\\'\n]|\\(?:.|x..|u\{[^}]*\}))'",
    re.DOTALL,
)
"""Comments, raw strings, strings, characters (not lifetimes).

Each branch starts with a literal: that lets the regex engine skip to the next candidate."""
_CFG = re.compile(r"cfg(?:_attr)?!?\s*\(")
_CFG_LENGTH = 600
"""Characters of a `cfg(…)` that are looked at."""
_OS = re.compile(
    r'\btarget_(?:os|family)\s*=\s*"(linux|macos|windows|unix)"|(?<![\w"])(unix|windows)(?![\w"])'
)
_TEST = re.compile(r"#\[\s*(?:\w+::)*(?:test|rstest|test_case|quickcheck|gtest)\b|proptest!")
_TEST_MODULE = re.compile(r"#\[\s*cfg\s*\(\s*test\s*\)\s*\]\s*(?:pub\s+)?mod\b")
_IGNORE = re.compile(r"#\[\s*ignore\b")
_UNSAFE = re.compile(r"unsafe(?<!\wunsafe)\s*(?:\{|fn\b|impl\b|trait\b|extern\b)")
_FOREIGN = re.compile(r'extern\s*(?:"[^"]*"\s*)?\{')
_SHARED = re.compile(r"UnsafeCell\b|unsafe\s+impl\b[^{;]*?\b(?:Send|Sync)\s+for\b")
_MIRI = re.compile(r"\bmiri\b")
_LAYOUT = re.compile(r"\btarget_(?:endian|pointer_width)\b")
_NIGHTLY = re.compile(r"#!\[\s*feature\s*\(")
_NIGHTLY_IF = re.compile(r"#!\[\s*cfg_attr\s*\((?P<condition>[^\]]*?),\s*feature\s*\(")
_NO_STD = re.compile(r"#!\[\s*no_std\s*\]")
_NO_STD_IF = re.compile(r"#!\[\s*cfg_attr\s*\((?P<condition>[^\]]*),\s*no_std\s*\)?[^\]]*\]")
_EXTERN_STD = re.compile(
    r"(?P<gate>#\[\s*cfg\s*\([^\]]*\]\s*)?(?:\#\[[^\]]*\]\s*)*extern\s+crate\s+std\b"
)
_EXCLUSIVE = re.compile(
    r"#!?\[\s*cfg\s*\(\s*all\s*\((?P<all>[^()]*)\)\s*\)\s*\]\s*(?:(?:::)?(?:std|core)::)?compile_error!"
)
_DENY_WARNINGS = re.compile(
    r"#!\[\s*(?:cfg_attr\s*\([^\]]*,\s*)?(?:deny|forbid)\s*\([^)]*\bwarnings\b"
)
_FEATURE = re.compile(r'feature\s*=\s*"([^"]*)"')
_FENCE = re.compile(r"//[/!][ \t]*(?:```|~~~)[`~]*([^\n`]*)$", re.MULTILINE)
_README_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[`~]*([^\n`]*)$", re.MULTILINE)
_INCLUDED_DOC = re.compile(r'doc\s*=\s*include_str!\s*\(\s*"([^"]+)"')
_DOCTEST_WORD = re.compile(
    r"rust|should_panic|no_run|compile_fail|test_harness|standalone(?:_crate)?|edition\d{4}|E\d{4}"
)
SERVERS = (
    "axum::serve",
    "HttpServer::new",
    "warp::serve",
    "accept_async",
    "rocket::build",
    "Server::builder",
    "TcpListener::bind",
)
"""What a binary that listens on a socket calls."""
APART = ("dhat", "loom")
"""Crates whose tests need a run of their own."""
MODEL = "loom::model"
"""What a test of loom's calls."""

MIGRATIONS = ("migrate!", "embed_migrations!", "sqlx::test", "Migrator::new")
"""What brings a database up to date from within the program or its tests."""


def strip(text: str) -> str:
    """Return the code without comments, characters and raw strings; plain strings stay."""
    return _NOISE.sub(lambda match: match[0] if match[0][0] == '"' else " ", text)


def blank(text: str) -> str:
    """Return the code without comments, with every string emptied."""
    return _NOISE.sub('""', text)


def has_unsafe(code: str) -> bool:
    """Whether blanked code has an unsafe block, function, trait or implementation."""
    return _UNSAFE.search(code) is not None


def calls_foreign(code: str) -> bool:
    """Whether blanked code declares functions of other languages."""
    return _FOREIGN.search(code) is not None


def shares_state(code: str) -> bool:
    """Whether blanked code vouches itself that memory may be shared between threads."""
    return _SHARED.search(code) is not None


def knows_miri(code: str) -> bool:
    """Whether stripped code has a `cfg` on Miri."""
    return any(_MIRI.search(condition) for condition in _conditions(code))


def layouts(code: str) -> set[str]:
    """Return which of `target_endian` and `target_pointer_width` stripped code has a `cfg` on."""
    return {match[0] for condition in _conditions(code) for match in _LAYOUT.finditer(condition)}


def has_tests(code: str) -> bool:
    """Whether blanked code has a test function."""
    return _TEST.search(code) is not None


def count_ignored(code: str) -> int:
    """Return how many tests blanked code switches off unconditionally."""
    return len(_IGNORE.findall(code))


def is_nightly(code: str) -> bool:
    """Whether a crate root's blanked code needs an unstable feature under no condition."""
    return _NIGHTLY.search(code) is not None


def is_server(code: str) -> bool:
    """Whether blanked code opens a listening socket outside its test module."""
    outside = outside_tests(code)
    return any(call in outside for call in SERVERS)


def outside_tests(code: str) -> str:
    """Return what stands above the test module, which is the last thing in a file."""
    tests = _TEST_MODULE.search(code)
    return code[: tests.start()] if tests else code


def migrates(code: str) -> bool:
    """Whether blanked code brings a database up to date itself."""
    return any(word in code for word in MIGRATIONS)


def no_std(code: str) -> str | None:
    """Return `always`, `conditional` or None for a crate root's stripped code."""
    conditions = [match["condition"] for match in _NO_STD_IF.finditer(code)]
    if not conditions and not _NO_STD.search(code):
        return None
    standard = [match["gate"] for match in _EXTERN_STD.finditer(code)]
    if None in standard:
        return None
    by_choice = [text for text in (*conditions, *standard) if not _about_tests(text)]
    return "conditional" if by_choice else "always"


def _about_tests(condition: str) -> bool:
    words = set(re.findall(r"\w+", condition)) - {"cfg", "not", "any", "all"}
    return words <= {"test", "doc", "doctest", "docsrs", "rustdoc"}


def operating_systems(code: str) -> set[str]:
    """Return the operating systems that stripped code has a `cfg` for."""
    return {
        system
        for condition in _conditions(code)
        for match in _OS.finditer(condition)
        if (system := match[1] or match[2])
    }


def _conditions(code: str) -> Iterator[str]:
    """Yield what stands between the parentheses of each `cfg(…)`."""
    for match in _CFG.finditer(code):
        depth = 1
        window = code[match.end() : match.end() + _CFG_LENGTH]
        for at, character in enumerate(window):
            depth += (character == "(") - (character == ")")
            if depth == 0:
                yield window[:at]
                break


def calls_unix(code: str, crates: Iterable[str]) -> bool:
    """Whether blanked code uses Unix alone: its part of std, or one of these crates."""
    names = "|".join([r"std::os::(?:unix|linux|fd)", *map(re.escape, crates)])
    return re.search(rf"(?:{names})::", code) is not None


def calls(code: str, crate: str) -> bool:
    """Whether blanked code names something of a crate."""
    return re.search(rf"{crate}(?<!\w{crate})\s*::", code) is not None


def denies_warnings(code: str) -> bool:
    """Whether a crate root's stripped code makes errors of the compiler's warnings."""
    return _DENY_WARNINGS.search(code) is not None


def nightly_features(code: str) -> Iterator[str]:
    """Yield the package's features that switch on an unstable one of the compiler."""
    for match in _NIGHTLY_IF.finditer(code):
        # Under `all(…)` the feature alone does not do it: docs.rs, with its `cfg`, does.
        if not match["condition"].lstrip().startswith(("all", "not")):
            yield from _FEATURE.findall(match["condition"])


def exclusive_features(code: str) -> Iterator[tuple[str, ...]]:
    """Yield each set of features that may not be enabled together, sorted."""
    for match in _EXCLUSIVE.finditer(code):
        parts = [part.strip() for part in match["all"].split(",") if part.strip()]
        names = [found[1] for part in parts if (found := _FEATURE.fullmatch(part))]
        if len(names) == len(parts) > 1:
            yield tuple(sorted(names))


def has_doctests(text: str) -> bool:
    """Whether a source file's documentation has a code block that rustdoc compiles."""
    return _compiles(_FENCE.findall(text))


def readme_has_doctests(text: str) -> bool:
    """Whether Markdown that is included as documentation has such a block."""
    return _compiles(_README_FENCE.findall(text))


def included_documents(text: str) -> list[str]:
    """Return the files that `#[doc = include_str!(…)]` names."""
    return _INCLUDED_DOC.findall(text)


def _compiles(fences: Iterable[str]) -> bool:
    """Fences come in pairs: every other one opens a block and says its language."""
    return any(
        all(_DOCTEST_WORD.fullmatch(word) for word in re.split(r"[,\s]+", words.strip()) if word)
        for words in list(fences)[::2]
    )
