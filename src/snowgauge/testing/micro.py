"""Snowplow Micro for tests, from this package: starts it, asks it, and says readably what came and what did not.

    with Micro() as micro:
        ...                                     # the page under test sends to micro.url
        micro.assert_sent({"event": "page_view", "page_title": "Chairs"})

``assert_sent`` says *exactly these events, in this order*: more, fewer or other events fail the test, and so does an
event that failed validation. An expectation names only what matters of an event; see :func:`differences`.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Expected = Mapping[str, Any]
_NOTHING = object()
_START_SECONDS = 60.0
_COMMAND = (sys.executable, "-m", "snowgauge", "micro")


class MicroClient:
    """Asks a Micro that runs already: this package's, or Snowplow's own."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port

    # ---- questions --------------------------------------------------------------------------------------------

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=30)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {} if sent is None else {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask(self, path: str, body: Any = None) -> Any:
        """The JSON at ``/micro/<path>``; a body makes it a POST. Raises ``RuntimeError`` for any status but 200."""
        status, text = self.request("GET" if body is None else "POST", f"/micro/{path}", body)
        if status != 200:
            raise RuntimeError(f"/micro/{path} answered {status}: {text[:300].decode(errors='replace')}")
        return json.loads(text)

    def reset(self) -> None:
        """Forget every event."""
        status, text = self.request("GET", "/micro/reset")
        if status != 200:
            raise RuntimeError(f"/micro/reset answered {status}: {text[:300].decode(errors='replace')}")

    def all(self) -> dict[str, int]:
        """``total``, ``good`` and ``bad``."""
        found: dict[str, int] = self.ask("all")
        return found

    def good(self, **filters: Any) -> list[dict[str, Any]]:
        """Good events, newest first. Filters: ``event_type``, ``schema``, ``contexts``, ``limit``."""
        found: list[dict[str, Any]] = self.ask("good", filters or None)
        return found

    def bad(self, **filters: Any) -> list[dict[str, Any]]:
        """Failures, newest first. Filters: ``vendor``, ``version``, ``limit``."""
        found: list[dict[str, Any]] = self.ask("bad", filters or None)
        return found

    def sent(self) -> list[dict[str, Any]]:
        """Good events in the order in which they came."""
        return self.good()[::-1]

    def wait_for(self, count: int, *, within: float = 5.0) -> list[dict[str, Any]]:
        """Good events in order, once there are ``count`` good and bad ones; after ``within`` seconds what there is."""
        deadline = time.monotonic() + within
        while self.all()["total"] < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.sent()

    # ---- assertions -------------------------------------------------------------------------------------------

    def assert_sent(self, *expected: Expected, within: float = 5.0, settle: float = 0.0) -> list[dict[str, Any]]:
        """Exactly these events came, in this order, and nothing failed. Returns them.

        Waits up to ``within`` seconds for as many; then ``settle`` seconds more for events too many, which a page that
        sends after a delay would need.
        """
        self.wait_for(len(expected), within=within)
        if settle:
            time.sleep(settle)
        sent, bad = self.sent(), self.bad()
        problem = compare(expected, sent, bad)
        if problem:
            raise AssertionError(problem)
        return sent

    def assert_no_bad(self) -> None:
        """No event failed."""
        bad = self.bad()
        if bad:
            raise AssertionError("\n".join([f"{len(bad)} failed event(s):", *_bad_lines(bad)]))

    def assert_nothing_sent(self, *, settle: float = 0.0) -> None:
        """No event came, good or bad."""
        self.assert_sent(settle=settle)


class Micro(MicroClient):
    """``snowgauge micro`` in a process of its own, on a free port of loopback, for as long as the ``with`` block runs.

    ``arguments`` are further options of the command; what it says goes to ``log``.
    """

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        # bound and never listening: nobody else is given this port, and the collector's SO_REUSEPORT lets it join
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind(("127.0.0.1", 0))
        super().__init__(f"http://127.0.0.1:{self._held.getsockname()[1]}")
        self._arguments = arguments
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.log = ""

    def start(self) -> Micro:
        self._folder = tempfile.TemporaryDirectory(prefix="snowgauge-micro-test-")
        log_file = Path(self._folder.name) / "log"
        with log_file.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [*_COMMAND, "--host", "127.0.0.1", "--port", str(self._port), *self._arguments],
                env=dict(os.environ) | dict(self._environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder.name,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._up():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.log = log_file.read_text(errors="replace")
                self.stop()
                raise RuntimeError(f"snowgauge micro did not start:\n{self.log[-2000:]}")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._folder is not None:
            file = Path(self._folder.name) / "log"
            if file.exists():
                self.log = file.read_text(errors="replace")
            self._folder.cleanup()
            self._folder = None
        self._held.close()

    def _up(self) -> bool:
        try:
            return self.request("GET", "/health")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def __enter__(self) -> Micro:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


# ---- what differs, in words -------------------------------------------------------------------------------------


def compare(expected: Sequence[Expected], sent: Sequence[Mapping[str, Any]], bad: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong, as text with a line per event; empty: all is as expected."""
    pairs = _aligned(expected, sent)
    lines: list[str] = []
    wrong = bool(bad)
    for wanted, event in pairs:
        if event is None:
            assert wanted is not None
            wrong = True
            lines.append(f"  - missing     {_wanted(wanted)}")
        elif wanted is None:
            wrong = True
            lines.append(f"  + unexpected  {describe(event)}")
        else:
            found = differences(wanted, event)
            wrong = wrong or bool(found)
            lines.append(f"  {'!' if found else ' '} {'differs' if found else 'as expected':<11} {describe(event)}")
            lines += [f"      {line}" for line in found]
    if not wrong:
        return ""
    head = f"expected {len(expected)} event(s), {len(sent)} came" + (f", {len(bad)} failed" if bad else "")
    return "\n".join([head, *lines, *(["failed:", *_bad_lines(bad)] if bad else [])])


def differences(expected: Expected, event: Mapping[str, Any]) -> list[str]:
    """Where an event of ``/micro/good`` is not as expected, one line each.

    Keys of an expectation: any column of the event (``event``, ``app_id``, ``page_title``, ...); ``schema`` and
    ``data`` of the self-describing event; ``contexts``, a map from schema URI to the data of such an entity, or a list
    of URIs; ``parameters`` as sent. Objects match when what is named in them does; a list must be as long as expected;
    a function (``str.isdigit``) and a compiled pattern are asked about the value; ``...`` is anything but null.
    """
    out: list[str] = []
    columns = event["event"]
    for key, wanted in expected.items():
        if key == "schema":
            _compare(out, "schema", wanted, event["schema"])
        elif key == "data":
            own = columns.get("unstruct_event") or {}
            _compare(out, "data", wanted, own.get("data", {}).get("data", _NOTHING))
        elif key == "contexts":
            _entities(out, wanted, event)
        elif key == "parameters":
            _compare(out, "parameters", wanted, event["rawEvent"]["parameters"])
        elif key in columns:
            _compare(out, key, wanted, columns[key])
        else:
            out.append(f"{key}: an event has no such column")
    return out


def _entities(out: list[str], wanted: Any, event: Mapping[str, Any]) -> None:
    have = (event["event"].get("contexts") or {}).get("data", [])
    seen = [entity["schema"] for entity in have]
    if not isinstance(wanted, Mapping):
        wanted = {uri: {} for uri in wanted}
    for uri, data in wanted.items():
        candidates = [entity["data"] for entity in have if entity["schema"] == uri]
        if not candidates:
            out.append(f"contexts: {uri} is not there, found {', '.join(seen) or 'none'}")
            continue
        tries: list[list[str]] = []
        for candidate in candidates:
            found: list[str] = []
            _compare(found, f"contexts[{uri}]", data, candidate)
            tries.append(found)
        best: list[str] = min(tries, key=len)
        out += best


def _compare(out: list[str], path: str, wanted: Any, found: Any) -> None:
    if wanted is ...:
        if found is None or found is _NOTHING:
            out.append(f"{path}: expected anything, found nothing")
    elif isinstance(wanted, re.Pattern):
        if not (isinstance(found, str) and wanted.search(found)):
            out.append(f"{path}: expected to match {wanted.pattern!r}, found {_shown(found)}")
    elif callable(wanted):
        if found is _NOTHING or not wanted(found):
            out.append(f"{path}: {getattr(wanted, '__name__', wanted)} says no to {_shown(found)}")
    elif isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key, value in wanted.items():
            _compare(out, f"{path}.{key}", value, found.get(key, _NOTHING))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, value in enumerate(wanted):
            _compare(out, f"{path}[{index}]", value, found[index])
    elif found is _NOTHING or wanted != found or isinstance(wanted, bool) != isinstance(found, bool):
        out.append(f"{path}: expected {_shown(wanted)}, found {_shown(found)}")


def describe(event: Mapping[str, Any]) -> str:
    """An event in a few words."""
    columns = event["event"]
    name = columns.get("event_name") or columns.get("event") or "?"
    words = [str(name)]
    own = columns.get("unstruct_event")
    if own:
        words.append(json.dumps(own["data"]["data"], ensure_ascii=False))
    if columns.get("event") == "struct":
        parts = [columns.get(f"se_{part}") for part in ("category", "action", "label")]
        words.append(" / ".join(str(part) for part in parts if part))
    words += [str(columns[key]) for key in ("page_title", "page_url") if columns.get(key)][:1]
    text = " ".join(words)
    return text if len(text) <= 160 else text[:157] + "..."


def _aligned(
    expected: Sequence[Expected], sent: Sequence[Mapping[str, Any]]
) -> list[tuple[Expected | None, Mapping[str, Any] | None]]:
    """Expectations beside events so that as many as possible agree, in order; what is left over is paired by place."""
    agree = [[not differences(wanted, event) for event in sent] for wanted in expected]
    longest = [[0] * (len(sent) + 1) for _ in range(len(expected) + 1)]
    for i in range(len(expected) - 1, -1, -1):
        for j in range(len(sent) - 1, -1, -1):
            longest[i][j] = longest[i + 1][j + 1] + 1 if agree[i][j] else max(longest[i + 1][j], longest[i][j + 1])
    pairs: list[tuple[Expected | None, Mapping[str, Any] | None]] = []
    i = j = 0
    while i < len(expected) or j < len(sent):
        gap_i, gap_j = i, j
        while i < len(expected) and j < len(sent) and not agree[i][j]:
            if longest[i + 1][j] >= longest[i][j + 1]:
                i += 1
            else:
                j += 1
        if i >= len(expected) or j >= len(sent):
            i, j = len(expected), len(sent)
        apart_i, apart_j = list(expected[gap_i:i]), list(sent[gap_j:j])
        for k in range(max(len(apart_i), len(apart_j))):
            pairs.append((apart_i[k] if k < len(apart_i) else None, apart_j[k] if k < len(apart_j) else None))
        if i < len(expected) and j < len(sent):
            pairs.append((expected[i], sent[j]))
            i, j = i + 1, j + 1
    return pairs


def _wanted(expected: Expected) -> str:
    return ", ".join(f"{key}={_shown(value)}" for key, value in expected.items())


def _shown(value: Any) -> str:
    if value is _NOTHING:
        return "nothing"
    if isinstance(value, re.Pattern):
        return f"/{value.pattern}/"
    if callable(value):
        return getattr(value, "__name__", repr(value))
    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."


def _bad_lines(bad: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for failure in bad:
        for text in failure["errors"][1:]:
            row = json.loads(text)
            kind = row["schema"].split("/")[1]
            said = row["data"]["failure"]
            messages = said.get("messages", said) if isinstance(said, dict) else said
            for message in messages if isinstance(messages, list) else [messages]:
                lines.append(f"  x {kind}: {_reason(message)}")
    return lines


def _reason(message: Any) -> str:
    error = message.get("error") if isinstance(message, dict) else None
    if isinstance(error, dict):
        reports = error.get("dataReports") or error.get("schemaIssues")
        said = "; ".join(str(report["message"]) for report in reports) if reports else str(error.get("error"))
        return f"{message.get('schemaKey', '')} {said}".strip()
    return json.dumps(message, ensure_ascii=False)[:500]


Check = Callable[[Any], bool]
"""A function that an expectation may hold instead of a value."""
