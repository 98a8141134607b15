"""The words that docs/style.md says to avoid do not appear where people read: documentation, help, settings, console.

Help texts and settings are read from the reference pages, which are made from the code.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AVOIDED = re.compile(
    r"\b(?:is|are|was|were|be|been|being|stays?) away\b"
    r"|\bby (?:itself|themselves)\b|\b(?:can|could) be had\b|\banew\b|\bwho(?:so)?ever\b|\b(?:some|every)body\b"
    r"|\bno more than that\b|\bfor ever\b",
    re.I,
)
_OWN_WORDS = ("docs/decisions/", "docs/style.md")
"""Decisions are a record of their time; the style guide names the words."""
PAGES = [
    page
    for page in [
        ROOT / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "web/src").rglob("*.ts*")),
        *sorted((ROOT / "src").rglob("*.py")),
    ]
    if not page.relative_to(ROOT).as_posix().startswith(_OWN_WORDS) and page.name != "schema.d.ts"
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_word_to_avoid(page: Path) -> None:
    lines = page.read_text("utf-8").splitlines()
    found = [f"{number}: {match[0]!r}" for number, line in enumerate(lines, 1) for match in AVOIDED.finditer(line)]
    assert not found, f"{page.relative_to(ROOT)}: {', '.join(found)}; docs/style.md says what to write instead"


def test_the_check_sees_each_of_them() -> None:
    text = "The store is away, comes back by itself, can be had anew by somebody, for ever, whoever"
    assert len(AVOIDED.findall(text)) == 7
