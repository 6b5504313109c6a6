"""Names that a benchmark can have and that a report must not fall for."""

from __future__ import annotations

NAMES = (
    "a|b",
    "a\\|b",
    "`code` ``two``",
    "**bold** _it_ ~~no~~",
    "[link](https://example.com)",
    "https://example.com www.example.com",
    "@octocat and me@example.com",
    "#1 GH-1 :smile:",
    "<script>alert(1)</script>",
    "<!-- comment",
    "</details></table>",
    "&lt; &amp; &#64;",
    "one\ntwo\r\nthree\u2028four",
    "::error::gone%0Awrong",
    "```\n# title",
    "| --- |",
    "../../etc/passwd",
    "nul\x00 bell\x07 escape\x1b[31m",
    "right\u202eleft",
    "half \ud800 a pair",
    "\ufffe\uffff",
    "x" * 10_000,
    "日本語 🦀",
    "",
    " ",
    "'\"]]>",
)
