"""One event from the request to the row: what came in, what each step made of it, where it is now.

The request of a failed or waiting event is kept whole. That of a good event is not kept once it is stored: it is
rebuilt from the row, and running it again shows what today's configuration does, which is said so (``source``).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal
from urllib.parse import quote

import orjson

from snowgauge.actions.deployment import Deployment
from snowgauge.enrich.explain import Explanation
from snowgauge.enrich.transform.parameters import PARAMETERS
from snowgauge.errors import ActionRefused, PayloadRecordError, SnowgaugeError
from snowgauge.events import payload_record
from snowgauge.events.outcome import Dropped, Enriched, Failed
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.timestamps import parse_ms
from snowgauge.store.base import Filter, Selection

Place = Literal["good", "failed", "incomplete", "waiting"]
_MOST_WAITING = 20_000


@dataclass(frozen=True)
class Request:
    """The request as the collector kept it, or rebuilt."""

    method: str
    path: str
    querystring: str | None
    content_type: str | None
    body: str | None
    headers: list[str]
    ip_address: str | None
    user_agent: str | None
    referer: str | None
    hostname: str | None
    network_user_id: str | None
    received_at: int


@dataclass(frozen=True)
class Step:
    """``changed`` are the columns a step set, ``failure`` what went wrong in it."""

    name: str
    microseconds: int
    changed: dict[str, Any]
    entities: list[dict[str, Any]]
    failure: list[dict[str, Any]]


@dataclass(frozen=True)
class Run:
    """One event of the request, run through the pipeline's steps now."""

    outcome: str
    event_id: str | None
    reason: str | None
    parameters: dict[str, str | None]
    steps: list[Step]
    failures: list[dict[str, Any]]


@dataclass(frozen=True)
class XRay:
    """``places``: where the event is. ``source`` says where the request comes from: kept, or rebuilt from the row."""

    id: str
    places: list[Place]
    source: Literal["kept", "rebuilt", "none"]
    request: Request | None
    runs: list[Run]
    stored: dict[str, Any] | None
    failed: dict[str, Any] | None
    note: str = ""
    others: int = 0


def xray(deployment: Deployment, wanted: str) -> XRay:
    """By the id of an event or of a failure. Raises ``ActionRefused`` when it is nowhere."""
    wanted = wanted.strip().lower()
    store = deployment.store
    good = store.event(wanted)
    incomplete = next(iter(_some(deployment, "incomplete", wanted)), None)
    failed = store.failed_event(wanted) or next(iter(_some(deployment, "failed", wanted)), None)
    waiting = _waiting(deployment, wanted)
    at: dict[Place, Any] = {"good": good, "failed": failed, "incomplete": incomplete, "waiting": waiting}
    places = [place for place, found in at.items() if found is not None]
    if not places:
        raise ActionRefused(
            f"no event {wanted[:80]}: it is not stored, has not failed and does not wait. An event_id is a UUID",
            status=404,
        )
    record = waiting or (base64.b64decode(failed["record"]) if failed and failed.get("record") else None)
    event_id = str(failed.get("event_id") or "") if failed else wanted
    row = good or incomplete
    if record is None and row is None:
        return XRay(wanted, places, "none", None, [], None, failed, "The request was not kept with this failure.")
    source: Literal["kept", "rebuilt"] = "kept"
    if record is None:
        assert row is not None
        source, record = "rebuilt", payload_record.encode(rebuilt(row))
    try:
        request = _request(payload_record.decode(record))
    except PayloadRecordError as error:
        return XRay(wanted, places, source, None, [], row, failed, f"The record cannot be read: {error}")
    runs, note = _runs(deployment, record)
    ours = [run for run in runs if run.event_id in (wanted, event_id)] or runs
    return XRay(wanted, places, source, request, ours, row, failed, note, len(runs) - len(ours))


def _some(deployment: Deployment, kind: Any, event_id: str) -> list[dict[str, Any]]:
    try:
        return deployment.store.events(kind, Selection(filters=[Filter("event_id", "in", [event_id])]), limit=1)
    except SnowgaugeError:
        return []  # not a UUID: no store has it


def _waiting(deployment: Deployment, event_id: str) -> bytes | None:
    """The record that still waits in the event log and names this id."""
    needle = event_id.encode()
    for entry in islice(deployment.eventlog.peek(_MOST_WAITING), _MOST_WAITING):
        if entry.kind == "payload" and needle in entry.body.lower():
            return entry.body
    return None


def _runs(deployment: Deployment, record: bytes) -> tuple[list[Run], str]:
    if deployment.lend_enricher is None:
        return [], "No enricher is at hand here, so the steps cannot be shown."
    try:
        with deployment.lend_enricher() as enricher:
            return [_run(one) for one in enricher.explain(record)], ""
    except SnowgaugeError as error:
        return [], f"The steps cannot be shown: {error}"


def _run(explained: Explanation) -> Run:
    steps = [Step(step.name, step.microseconds, step.set, step.entities, step.failure) for step in explained.steps]
    outcome = explained.outcome
    failures: list[dict[str, Any]] = []
    match outcome:
        case Enriched():
            word, event_id, reason = "enriched", outcome.event.event_id, None
        case Failed():
            word, event_id, reason = "failed", outcome.failure.event_id, outcome.failure.message
            found = outcome.failure.data.get("failure", {})
            failures = list(found.get("messages", [])) if isinstance(found, dict) else []
        case Dropped():
            word, event_id, reason = "dropped", None, outcome.reason
    return Run(word, event_id, reason, dict(outcome.parameters), steps, [_plain(one) for one in failures])


def _plain(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"message": value}


def _request(payload: CollectorPayload) -> Request:
    return Request(
        "POST" if payload.body else "GET", payload.path or "", payload.querystring, payload.content_type, payload.body,
        list(payload.headers or []), payload.ip_address, payload.user_agent, payload.referer_uri, payload.hostname,
        payload.network_user_id, payload.timestamp,
    )  # fmt: skip


_MILLIS = {"dtm": "dvce_created_tstamp", "stm": "dvce_sent_tstamp", "ttm": "true_tstamp"}
_EVENTS = {"page_view": "pv", "page_ping": "pp", "struct": "se", "unstruct": "ue", "transaction": "tr",
           "transaction_item": "ti"}  # fmt: skip
_NOT_SENT = frozenset({"ip", "ua", "nuid", "tnuid", "cv", "cx", "ue_px", "ti_na", "res", "vp", "ds", "tid"})


def rebuilt(row: dict[str, Any]) -> CollectorPayload:
    """A request that could have brought this row: tracker parameters read back from their columns."""
    parameters: dict[str, str] = {}
    for name, columns in PARAMETERS.items():
        value = row.get(columns[0])
        if name in _NOT_SENT or name.startswith("ev_") or value is None:
            continue
        if name == "e":
            parameters[name] = _EVENTS.get(str(value), str(value))
        elif name in _MILLIS:
            parameters[name] = str(parse_ms(str(value)))
        elif name in ("co", "ue_pr"):
            parameters[name] = orjson.dumps(value).decode()
        else:
            parameters[name] = ("1" if value else "0") if isinstance(value, bool) else str(value)
    for name, (width, height) in (
        ("res", ("dvce_screenwidth", "dvce_screenheight")),
        ("vp", ("br_viewwidth", "br_viewheight")),
        ("ds", ("doc_width", "doc_height")),
    ):
        if row.get(width) is not None and row.get(height) is not None:
            parameters[name] = f"{row[width]}x{row[height]}"
    return CollectorPayload(
        timestamp=parse_ms(str(row.get("collector_tstamp") or "1970-01-01 00:00:00.000")),
        ip_address=row.get("user_ipaddress"),
        user_agent=row.get("useragent"),
        network_user_id=row.get("network_userid"),
        collector=row.get("v_collector"),
        referer_uri=row.get("page_url"),
        path="/i",
        querystring="&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items()),
    )
