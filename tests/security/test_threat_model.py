"""Every promise of the threat model names tests that pytest finds, runs and can be failed by.

``proves_nothing`` looks at a test's source: one that asserts nothing, itself or through what it calls in its own file,
is no proof, and neither is one that is always skipped or expected to fail.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
NAMED = re.compile(r"`(tests/[\w/.]+\.py)::(\w+)`")
RAISING = {"raises", "warns", "fail", "wait_until", "assert_never"}
"""Calls that fail a test as ``assert`` does."""


def promises():
    """Each row below the heading: the promise, and what stands beside it."""
    part = PAGE.read_text("utf-8").partition("\n## Promises\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").rsplit("|", 1) for line in part.splitlines() if line.startswith("| ")]
    return [(promise.strip(), proofs) for promise, proofs in rows if promise.strip() != "promise"]


NODES = sorted({f"{path}::{name}" for _, proofs in promises() for path, name in NAMED.findall(proofs)})


def proves_nothing(source: str, name: str) -> str:
    """Why the test called ``name`` in a file of this source could not fail; empty: it could."""
    functions = {node.name: node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
    for decorator in functions[name].decorator_list:
        mark = ast.unparse(decorator)
        if mark.startswith("pytest.mark.skip") and "reason=" not in mark:
            return f"it is skipped without a reason: {mark}"
        if re.match(r"pytest\.mark\.(skip\b(?!if)|xfail)", mark):
            return f"it never has to pass: {mark}"
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        seen.add(current)
        for node in ast.walk(functions[current]):
            if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
                return ""
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in RAISING:
                    return ""
                if called in functions and called not in seen:
                    waiting.append(called)
    return "it asserts nothing"


@pytest.fixture(scope="module")
def collected():
    """What pytest finds of the named tests, without their parameters."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", *NODES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line and " " not in line[:6]}
    return found, done.stdout + done.stderr


def test_there_are_promises_for_every_door():
    assert len(promises()) >= 20


def test_no_promise_is_without_a_test():
    assert [promise for promise, proofs in promises() if not NAMED.findall(proofs)] == []


@pytest.mark.parametrize("node", NODES)
def test_a_named_test_is_found_and_can_fail(collected, node):
    found, told = collected
    assert node in found, f"pytest does not find {node}:\n{told[-3000:]}"
    path, _, name = node.partition("::")
    why = proves_nothing((ROOT / path).read_text("utf-8"), name)
    assert not why, f"{node} proves nothing: {why}"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def test_it():\n    work()", "it asserts nothing"),
        ("def test_it():\n    assert True", "it asserts nothing"),
        ("@pytest.mark.skip\ndef test_it():\n    assert work()", "it is skipped without a reason"),
        ("@pytest.mark.skipif(OLD)\ndef test_it():\n    assert work()", "it is skipped without a reason"),
        ("@pytest.mark.skip(reason='later')\ndef test_it():\n    assert work()", "it never has to pass"),
        ("@pytest.mark.xfail(reason='later')\ndef test_it():\n    assert work()", "it never has to pass"),
        ("def check():\n    work()\ndef test_it():\n    check()", "it asserts nothing"),
        ("def check():\n    assert work()\ndef test_it():\n    check()", ""),
        ("def test_it():\n    with pytest.raises(OSError):\n        work()", ""),
        ("@pytest.mark.skipif(OLD, reason='needs new')\ndef test_it():\n    assert work()", ""),
    ],
)
def test_what_proves_nothing(source, why):
    found = proves_nothing(source, "test_it")
    assert found.startswith(why)
    assert bool(found) == bool(why)
