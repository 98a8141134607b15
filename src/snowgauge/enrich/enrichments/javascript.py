"""JavaScript: a script of the user's own looks at each event, changes it, attaches entities or drops it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from snowgauge.enrich.enrichments.base import PLACES, DropEvent, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.javascript_engine import Engine, ScriptError
from snowgauge.enrich.enrichments.json_text import TOO_DEEP, compact, deeper_than
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.enrich.transform.base64_text import decode_text
from snowgauge.errors import EnrichmentFailure, SelfDescribingError
from snowgauge.events.enriched import ATOMIC_FIELD, ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.enriched_tsv import narrowed
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.timestamps import parse_ms, tsv_text
from snowgauge.events.tsv_text import tsv_safe
from snowgauge.telemetry.logs import logger

_CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"
_UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
_TO_SCRIPT: dict[str, Callable[[Any], Any]] = {"timestamp": tsv_text, "boolean": int}
_PLAIN = tuple(
    (field.name, _TO_SCRIPT.get(field.kind)) for field in ATOMIC_FIELDS if field.kind not in ("event", "entities")
)
_log = logger("enrichment")


class JavaScript(Enrichment):
    """Runs ``process(event, params, headers)`` of the user's script on every event.

    The script is Base64 text in the configuration, or a bare ``.js`` file in the enrichments folder. Several may be
    active; they run in the order of their files. A script is compiled and its top level is run once; its globals live
    on from event to event. The engine is QuickJS-ng: ECMAScript 2023, no files, no network, no Java classes.

    ``event`` has ``getX()`` and ``setX(value)`` for every column (``getApp_id``, ``setUser_id``; null clears);
    ``getContexts()``, ``getUnstruct_event()``, ``getDerived_contexts()`` give JSON text or null and the first two have
    setters that take such text; ``drop()`` ends the script and removes the event without a trace but a count;
    ``eraseDerived_contexts()`` removes what earlier enrichments attached. ``params`` is ``config`` of the
    configuration, one object for all events; ``headers`` are the request's ``Name: value`` lines.

    What ``process`` returns is null or an array of self-describing JSON, attached as entities, all or none. A setter
    that is given something of a wrong type throws a ``TypeError``. What the script changed before it threw stays
    changed; a script that was stopped at a limit (time per event, memory) changed nothing.

    Sets any column. Fails with ``Error during execution of JavaScript function: [...]``, ``Could not parse output
    JSON of Javascript function. Error: [...]``, ``Output of JavaScript function [...] could be parsed as JSON but is
    not read as an array``, ``Resulting contexts are not self-desribing. Error(s): [...]``. A script that does not
    compile stops the start; with ``enrichments.exit_on_js_compile_error`` off every event fails with ``Error compiling
    JavaScript function: [...]`` instead. Source: enrich 6.10, whose engine (Nashorn) gives the messages their form.
    """

    config = "iglu:com.snowplowanalytics.snowplow/javascript_script_config/jsonschema/1-0-*"
    identifier = "Javascript enrichment"
    runs_at = PLACES["javascript_script_config"]
    repeats = True
    fields = ("*",)
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow/javascript_script_config/jsonschema/1-0-1",
        "data": {
            "name": "javascript_script_config",
            "vendor": "com.snowplowanalytics.snowplow",
            "enabled": True,
            "parameters": {
                # const process = (event, params) => { if (event.getApp_id() === params.old) event.setApp_id("new"); };
                "script": (
                    "Y29uc3QgcHJvY2VzcyA9IChldmVudCwgcGFyYW1zKSA9PiB7IGlmIChldmVudC5nZXRBcHBfaWQoKSA9PT0gcGFyYW1zLm9sZCkg"
                    "ZXZlbnQuc2V0QXBwX2lkKCJuZXciKTsgfTs"
                ),
                "config": {"old": "shop-2019"},
            },
        },
    }

    def __init__(self, engine: Engine | str, max_json_depth: int) -> None:
        """``engine`` is a text where the script does not compile: why."""
        self._engine = engine
        self._max_depth = max_json_depth

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> JavaScript:
        read = Parameters(parameters)
        script = decode_text(read.text("script", empty=True))
        config = read["config"].values if "config" in read else {}
        if not script.strip():
            raise ValueError("Provided script for JS enrichment is empty (parameters.script, decoded from Base64)")
        try:
            engine = Engine(script, dict(config), seconds=means.script_seconds, memory=means.script_memory)
        except ScriptError as error:
            why = f"Error compiling JavaScript function: [{error}]"
            if means.exit_on_compile_error:
                raise ValueError(why) from None
            _log.warning("javascript_does_not_compile", reason=str(error), events="all fail with it")
            return cls(why, means.max_json_depth)
        return cls(engine, means.max_json_depth)

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        if isinstance(self._engine, str):
            raise EnrichmentFailure(self._engine)
        answer = self._engine(_as_json(event, source))
        for line in answer.printed:
            _log.debug("javascript_printed", line=line)
        if answer.dropped:
            raise DropEvent("JavaScript enrichment")
        self._apply(answer.changed, event)
        if answer.error is not None:
            raise EnrichmentFailure(f"Error during execution of JavaScript function: [{answer.error}]")
        if answer.unreadable:
            raise EnrichmentFailure(
                "Could not parse output JSON of Javascript function. Error: "
                "[invalid json: expected json value got 'undefi...' (line 1, column 1)]"
            )
        entities = self._entities(answer.result)
        if answer.erased:
            source.entities.clear()
        return entities

    def _entities(self, result: Any) -> list[SelfDescribing]:
        if result is None:
            return []
        if not isinstance(result, list):
            raise EnrichmentFailure(
                f"Output of JavaScript function [{compact(result)}] could be parsed as JSON but is not read as an array"
            )
        entities, wrong = [], []
        if deeper_than(result, self._max_depth):
            raise EnrichmentFailure(f"Could not parse output JSON of Javascript function. Error: [{TOO_DEEP}]")
        for item in result:
            try:
                entities.append(SelfDescribing.parse(item))
            except SelfDescribingError as error:
                wrong.append(f"error code:[{error.code}],json:[{compact(error.json)}]")
        if wrong:
            raise EnrichmentFailure(f"Resulting contexts are not self-desribing. Error(s): [{';'.join(wrong)}]")
        return entities

    def _apply(self, changed: dict[str, Any], event: EnrichedEvent) -> None:
        # new objects for the JSON columns tell the caller to validate them once more
        for name, value in changed.items():
            kind = ATOMIC_FIELD[name].kind
            if kind == "entities":
                wrapped = [] if value is None else _unwrapped(value, self._max_depth, name)
                event.contexts = [SelfDescribing.parse(item) for item in wrapped]
            elif kind == "event":
                data = None if value is None else _unwrapped(value, self._max_depth, name)
                event.unstruct_event = None if data is None else SelfDescribing.parse(data)
            else:
                setattr(event, name, None if value is None else _COLUMN[kind](value))


def _timestamp(text: str) -> int:
    try:
        return parse_ms(text)
    except ValueError:
        raise EnrichmentFailure(
            f"Error during execution of JavaScript function: [{text!r} is no date and time]"
        ) from None


def _decimal(text: str) -> str:
    number = Decimal(text)
    plain = int(number.as_tuple().exponent) > 0
    return format(number, "f") if plain else str(number)


_COLUMN: dict[str, Callable[[Any], Any]] = {
    "string": tsv_safe,
    "uuid": str.lower,
    "timestamp": _timestamp,
    "int": int,
    "boolean": bool,
    "decimal": _decimal,
    "float": narrowed,
}


def _as_json(event: EnrichedEvent, source: EnrichmentSource) -> str:
    """The columns that are set, as ``javascript_event.js`` takes them; the headers stand under the empty name."""
    state: dict[str, Any] = {"": source.headers}
    for name, convert in _PLAIN:
        value = getattr(event, name)
        if value is not None:
            state[name] = value if convert is None else convert(value)
    if event.contexts:
        state["contexts"] = _wrapped(event.contexts)
    if source.entities:
        state["derived_contexts"] = _wrapped(source.entities)
    if event.unstruct_event is not None:
        state["unstruct_event"] = f'{{"schema":"{_UNSTRUCT}","data":{event.unstruct_event.json_text()}}}'
    try:
        return msgspec.json.encode(state).decode()
    except UnicodeEncodeError:  # a lone surrogate, which only \u escapes can write
        return json.dumps(state)


def _wrapped(entities: Sequence[SelfDescribing]) -> str:
    return f'{{"schema":"{_CONTEXTS}","data":[{",".join([entity.json_text() for entity in entities])}]}}'


def _unwrapped(text: str, max_depth: int, name: str) -> Any:
    data = json.loads(text)["data"]
    if deeper_than(data, max_depth):
        raise EnrichmentFailure(f"Error during execution of JavaScript function: [invalid {name} json]")
    return data
