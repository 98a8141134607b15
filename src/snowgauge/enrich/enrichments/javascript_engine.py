"""One JavaScript engine with one script in it: QuickJS-ng (ECMAScript 2023) with limits of time and memory.

A script has no clock beyond ``Date``, no files and no network. Events go in and changes come out as JSON, see
``javascript_event.js``, which says what a script finds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from snowgauge.events.enriched import ATOMIC_FIELDS

_OWN_LINES = 100_000  # our own code starts at this line, which tells it from the script's in a stack trace
_NUMBER = "[1-9][0-9]{0,8}"
_IGLU_URI = (
    f"^iglu:[a-zA-Z0-9_.-]{{1,128}}/[a-zA-Z0-9_-]{{1,128}}/[a-zA-Z0-9_-]+/{_NUMBER}-(?:0|{_NUMBER})-(?:0|{_NUMBER})$"
)
_PLACE = re.compile(r"<input>:(\d+):(\d+)")
_LONE_SURROGATE = re.compile(r"(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


class Answer(msgspec.Struct):
    """What one call of the script gave. At most one of ``error``, ``dropped`` and ``unreadable`` is set.

    ``changed`` holds columns by name, ``result`` what ``process`` returned; ``erased`` whether the script asked for
    the entities of earlier enrichments to be removed; ``unreadable`` a result that JSON cannot hold (a function).
    """

    result: Any = None
    error: str | None = None
    dropped: bool = False
    unreadable: bool = False
    changed: dict[str, Any] = {}
    erased: bool = False
    printed: list[str] = []


class ScriptError(Exception):
    """A script that cannot be compiled, or that fails while its top level runs."""


_decode = msgspec.json.Decoder(Answer).decode


@cache
def _event_code() -> str:
    return "\n" * (_OWN_LINES - 1) + files(__package__).joinpath("javascript_event.js").read_text("utf-8")


class Engine:
    """Compiles ``script`` and runs it on events. Globals of the script live as long as the engine does.

    A script that went over a limit leaves an engine in an unknown state: a new one is made for the next event, so that
    the script's top level runs once more and its globals start afresh.
    """

    def __init__(self, script: str, config: dict[str, Any], *, seconds: float, memory: int) -> None:
        self._script = script
        self._config = json.dumps(config)
        self._seconds = seconds
        self._memory = memory
        self._run: Callable[[str], str] | None = self._start()

    def _start(self) -> Callable[[str], str]:
        import quickjs

        context = quickjs.Context()
        context.set_memory_limit(self._memory)
        kinds = json.dumps([[field.name, field.kind] for field in ATOMIC_FIELDS])
        run: Callable[[Any], Any] = context.eval(_event_code())(kinds, _IGLU_URI, self._config)
        context.set_time_limit(self._seconds)
        try:
            context.eval(self._script)
            run(context.eval("(event, params, headers) => process(event, params, headers)"))
        except quickjs.JSException as error:
            raise ScriptError(self._described(str(error))) from None
        return run

    def __call__(self, event: str) -> Answer:
        """Run the script on one event (the JSON object that ``javascript_event.js`` takes)."""
        import quickjs

        try:
            if self._run is None:
                self._run = self._start()
            text = self._run(event)
        except ScriptError as error:
            return Answer(error=str(error))
        except quickjs.JSException as error:
            self._run = None
            return Answer(error=self._described(str(error)))
        try:
            answer = _decode(text)
        except msgspec.DecodeError:
            # a lone surrogate is legal in JavaScript and in JSON, and in no UTF-8
            answer = _decode(_LONE_SURROGATE.sub("\\1\ufffd", text))
        if answer.error is not None and "out of memory" in answer.error:
            self._run = None
            answer.error = self._described(answer.error)
        return answer

    def _described(self, message: str) -> str:
        """The engine's error in one line, with the place in the script."""
        first, _, trace = message.partition("\n")
        if first == "InternalError: interrupted":
            return f"the script took longer than {self._seconds:g} s"
        if first.startswith("InternalError: out of memory"):
            return f"the script needs more than {self._memory // 1024} KiB of memory"
        for place in _PLACE.finditer(trace):
            if int(place[1]) < _OWN_LINES:
                return f"{first} in <eval> at line number {place[1]} at column number {place[2]}"
        return first
