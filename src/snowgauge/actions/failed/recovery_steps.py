"""Steps of Snowplow's event-recovery configuration: Replace, Remove, Cast, Add (event-recovery 0.7.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import orjson

from snowgauge.actions.failed.java_regex import java_regex
from snowgauge.actions.failed.recovery_paths import PathMissing, RecoveryPath, parse_path
from snowgauge.errors import ActionRefused

_TYPES = ("String", "Numeric", "Boolean", "Array")


class StepFailed(Exception):
    """A step that the tool refuses; the event is not recovered by it."""


class Step(msgspec.Struct):
    """``act`` turns the value at the path into another, or raises ``StepFailed``."""

    op: str
    path: RecoveryPath
    act: Callable[[Any], Any]

    def apply(self, payload: Any) -> Any:
        try:
            return self.path.change(payload, self.act)
        except PathMissing:
            raise StepFailed(f"{self.op} {self.path.text}: there is nothing at this path") from None
        except StepFailed as failed:
            raise StepFailed(f"{self.op} {self.path.text}: {failed}") from None


def step_of(item: Any, place: str) -> Step:
    """Raises ``ActionRefused``."""
    if not isinstance(item, dict):
        raise ActionRefused(f"{place}: expected a step, found {item!r}")
    op = item.get("op")
    path = parse_path(item.get("path"), place)
    if op in ("Replace", "Remove"):
        if op == "Replace" and "value" not in item:
            raise ActionRefused(f"{place}: Replace needs a value")
        match = item.get("match")
        pattern = None if match is None else java_regex(match, place)
        value = "" if op == "Remove" else item["value"]
        return Step(op, path, lambda found: replaced(found, pattern, value))
    if op == "Cast":
        before, after = item.get("from"), item.get("to")
        if before not in _TYPES or after not in _TYPES:
            raise ActionRefused(f"{place}: Cast goes from and to one of {', '.join(_TYPES)}")
        return Step(op, path, lambda found: cast(found, str(before), str(after)))
    if op == "Add":
        if "value" not in item:
            raise ActionRefused(f"{place}: Add needs a value")
        return Step(op, path, lambda found: added(found, item["value"]))
    raise ActionRefused(f"{place}: op must be Replace, Remove, Cast or Add, found {op!r}")


def replaced(found: Any, pattern: re.Pattern[str] | None, value: Any) -> Any:
    if found is None:
        found = ""
    if isinstance(found, str):
        if pattern is None:
            return value
        if not isinstance(value, str):
            raise StepFailed(f"the match can only be replaced by text, not by {value!r}")
        return _substituted(pattern, value, found)
    if isinstance(found, bool):
        if not isinstance(value, bool):
            raise StepFailed(f"{found!r} can only be replaced by true or false, not by {value!r}")
        return value
    if isinstance(found, int | float):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise StepFailed(f"{found!r} can only be replaced by a number, not by {value!r}")
        return value
    if isinstance(found, list):
        return _in_array(found, pattern, value)
    return _in_text(found, pattern, value, dict)


def _in_array(found: list[Any], pattern: re.Pattern[str] | None, value: Any) -> list[Any]:
    if pattern is None:
        return value if isinstance(value, list) else [value]
    if isinstance(value, list):
        kept = [item for item in found if pattern.search(_text(item)) is None]
        return [*kept, *value]
    changed: list[Any] = _in_text(found, pattern, value, list)
    return changed


def _in_text(found: Any, pattern: re.Pattern[str] | None, value: Any, kind: type) -> Any:
    """A replacement in the JSON text of a value, which must be of the same kind afterwards."""
    if pattern is None:
        if isinstance(value, kind):
            return value
        raise StepFailed(f"an object can only be replaced by an object, not by {value!r}")
    replacement = value if isinstance(value, str) else orjson.dumps(value).decode()
    try:
        changed = orjson.loads(_substituted(pattern, replacement, orjson.dumps(found).decode()))
    except orjson.JSONDecodeError as error:
        raise StepFailed(f"the replaced text is no JSON: {error}") from None
    if not isinstance(changed, kind):
        raise StepFailed(f"the replaced text is {changed!r}, which is of another type")
    return changed


def cast(found: Any, before: str, after: str) -> Any:
    if _type_of(found) != before:
        raise StepFailed(f"expected {before}, found {_text(found)[:100]}")
    if after == "Array":
        return found if before == "Array" else [found]
    if after == "String":
        return _text(found)
    if before == "Numeric" and after == "Boolean":
        return found != 0
    if before == "Boolean" and after == "Numeric":
        return int(found)
    if before == "String" and after == "Numeric":
        try:
            return float(found)
        except ValueError:
            raise StepFailed(f"{found!r} is no number") from None
    raise StepFailed(f"{before} cannot be cast to {after}")


def added(found: Any, value: Any) -> Any:
    if found is None:
        return value
    if isinstance(found, str) and isinstance(value, str):
        return found + value
    if isinstance(found, list):
        return [*found, *value] if isinstance(value, list) else [*found, value]
    if isinstance(found, dict) and isinstance(value, dict):
        return {**found, **value}
    if _type_of(found) == _type_of(value) == "Numeric":
        return found + value
    raise StepFailed(f"{value!r} cannot be added to {_text(found)[:100]}")


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    return "String" if isinstance(value, str) else "Numeric" if isinstance(value, int | float) else (
        "Array" if isinstance(value, list) else "Object"
    )  # fmt: skip


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _substituted(pattern: re.Pattern[str], replacement: str, text: str) -> str:
    try:
        return pattern.sub(_java_template(replacement), text)
    except (re.error, IndexError) as error:
        raise StepFailed(f"the replacement {replacement!r} does not fit the match: {error}") from None


def _java_template(text: str) -> str:
    """``$1`` and ``${name}`` of Java as Python writes them; a backslash in front makes a sign plain."""

    def one(found: re.Match[str]) -> str:
        if found["plain"] is not None:
            return found["plain"].replace("\\", "\\\\")
        return rf"\g<{found['number'] or found['name']}>"

    return re.sub(r"\\(?P<plain>.)|\$(?P<number>\d)|\$\{(?P<name>\w+)\}", one, text, flags=re.DOTALL)
