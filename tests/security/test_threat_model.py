"""Every promise of the threat model names tests, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
NAMED = re.compile(r"`(tests/[\w/.]+\.py)::(\w+)`")


def promises():
    """Each row below the heading: the promise, and what stands beside it."""
    part = PAGE.read_text("utf-8").partition("\n## Promises\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").rsplit("|", 1) for line in part.splitlines() if line.startswith("| ")]
    return [(promise.strip(), proofs) for promise, proofs in rows if promise.strip() != "promise"]


def functions(file):
    return {node.name for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}


def test_there_are_promises_for_every_door():
    assert len(promises()) >= 20


@pytest.mark.parametrize(("promise", "proofs"), promises(), ids=lambda value: value[:40])
def test_a_promise_names_tests_that_exist(promise, proofs):
    named = NAMED.findall(proofs)
    assert named, f"no test is named for: {promise}"
    for path, name in named:
        file = ROOT / path
        assert file.is_file(), path
        assert name in functions(file), f"{path} has no {name}"
        assert name.startswith("test_")
