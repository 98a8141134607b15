"""Snowplow's event-recovery configuration (``recoveries/jsonschema/4-0-0``), read unchanged (event-recovery 0.7.2).

Keys are schema URIs of bad rows; model, revision and addition may each be ``*``. The steps of *all* flows whose
conditions hold are taken, in the order of the file: that is what the tool does, although its documentation says that
the first flow wins. A bad row that no flow matches is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import orjson

from snowgauge.actions.failed.java_regex import java_regex
from snowgauge.actions.failed.recovery_paths import RecoveryPath, parse_path
from snowgauge.actions.failed.recovery_steps import Step, StepFailed, step_of
from snowgauge.errors import ActionRefused
from snowgauge.events.selfdescribing import SchemaCriterion, SchemaKey

_SCHEMA = "iglu:com.snowplowanalytics.snowplow/recoveries/jsonschema/"
_NAME = re.compile("[a-zA-Z0-9-]+")


class Condition(msgspec.Struct):
    """``Test``: the value at a path of the bad row's data equals, matches, or has a size. A missing path is false."""

    path: RecoveryPath
    kind: str
    wanted: Any

    def holds(self, data: Mapping[str, Any]) -> bool:
        found = self.path.values(data)
        return bool(found) and all(self._matches(value) for value in found)

    def _matches(self, value: Any) -> bool:
        if self.kind == "value":
            return bool(value == self.wanted) and isinstance(value, bool) == isinstance(self.wanted, bool)
        if self.kind == "regex":
            return self.wanted.search(orjson.dumps(value).decode()) is not None
        size = _size(value)
        operator, number = self.wanted
        if size is None:
            return False
        return bool(size == number if operator == "eq" else size > number if operator == "gt" else size < number)


class Flow(msgspec.Struct):
    name: str
    conditions: list[Condition]
    steps: list[Step]


class RecoveryConfig(msgspec.Struct):
    """Flows by criterion, in the order of the file."""

    flows: list[tuple[SchemaCriterion, Flow]]

    def matching(self, schema: str, data: Mapping[str, Any]) -> list[Flow]:
        key = SchemaKey.parse(schema)
        return [
            flow
            for criterion, flow in self.flows
            if criterion.matches(key) and all(condition.holds(data) for condition in flow.conditions)
        ]

    def edited(self, schema: str, data: Mapping[str, Any]) -> Any:
        """``payload`` of a bad row after the steps of all matching flows; ``None`` when no flow matches.

        Raises ``StepFailed``.
        """
        flows = self.matching(schema, data)
        if not flows:
            return None
        payload = orjson.loads(orjson.dumps(data.get("payload")))
        for flow in flows:
            for step in flow.steps:
                try:
                    payload = step.apply(payload)
                except StepFailed as failed:
                    raise StepFailed(f"flow {flow.name}: {failed}") from None
        return payload


def read_config(file: Path) -> RecoveryConfig:
    """Raises ``ActionRefused`` that names the place."""
    try:
        document = orjson.loads(file.read_bytes())
    except OSError as error:
        raise ActionRefused(f"{file}: cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise ActionRefused(f"{file}: is not JSON: {error}") from None
    try:
        return config_of(document)
    except ActionRefused as error:
        raise ActionRefused(f"{file}: {error}") from None


def config_of(document: Any) -> RecoveryConfig:
    if not isinstance(document, dict) or not str(document.get("schema")).startswith(_SCHEMA):
        raise ActionRefused(f"schema must be {_SCHEMA}4-0-0, found {_shown(document)}")
    data = document.get("data")
    if not isinstance(data, dict):
        raise ActionRefused(f"data must hold flows by schema, found {data!r}")
    flows: list[tuple[SchemaCriterion, Flow]] = []
    for uri, items in data.items():
        try:
            criterion = SchemaCriterion.parse(uri)
        except ValueError as error:
            raise ActionRefused(str(error)) from None
        if not isinstance(items, list):
            raise ActionRefused(f"{uri}: expected a list of flows, found {items!r}")
        flows += [(criterion, _flow(item, f"{uri}[{at}]")) for at, item in enumerate(items)]
    return RecoveryConfig(flows)


def _flow(item: Any, place: str) -> Flow:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not _NAME.fullmatch(item["name"]):
        raise ActionRefused(f"{place}: a flow needs a name of letters, digits and dashes")
    place = f"{place} ({item['name']})"
    conditions = [_condition(each, f"{place}.conditions[{at}]") for at, each in enumerate(_list(item, "conditions"))]
    steps = [step_of(each, f"{place}.steps[{at}]") for at, each in enumerate(_list(item, "steps"))]
    return Flow(item["name"], conditions, steps)


def _list(item: Mapping[str, Any], name: str) -> Sequence[Any]:
    found = item.get(name) or []
    if not isinstance(found, list):
        raise ActionRefused(f"{item['name']}.{name} must be a list, found {found!r}")
    return found


def _condition(item: Any, place: str) -> Condition:
    if not isinstance(item, dict) or item.get("op") != "Test" or not isinstance(item.get("value"), dict):
        raise ActionRefused(f'{place}: expected {{"op": "Test", "path": …, "value": …}}, found {item!r}')
    path = parse_path(item.get("path"), place)
    matcher = item["value"]
    if "regex" in matcher:
        return Condition(path, "regex", java_regex(matcher["regex"], place))
    if "size" in matcher:
        size = matcher["size"]
        if not isinstance(size, dict) or len(size) != 1 or next(iter(size)) not in ("eq", "gt", "lt"):
            raise ActionRefused(f"{place}: size takes eq, gt or lt, found {size!r}")
        return Condition(path, "size", next(iter(size.items())))
    if "value" in matcher:
        return Condition(path, "value", matcher["value"])
    raise ActionRefused(f"{place}: the matcher must be value, regex or size, found {matcher!r}")


def _size(value: Any) -> float | None:
    if isinstance(value, str | list):
        return len(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(-(-value // 1))  # rounded up
    return None


def _shown(document: Any) -> str:
    return repr(document.get("schema")) if isinstance(document, dict) else repr(document)[:60]
