"""Micro 4.5's HTTP API as a small ASGI application: the same for Micro mode and for a running deployment.

Plain ASGI, because Micro mode has to start at once and FastAPI would take its time. Forms of older versions that test
suites still use are answered too (Micro 2 and 3): ``GET /micro/events``, ``value`` instead of ``values``, the JSON
summary of a reset for those who accept nothing but JSON, and CORS.
"""

from __future__ import annotations

import asyncio
import gzip
import mimetypes
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import resources
from typing import Any, NamedTuple, Protocol

import msgspec
import orjson

from snowgauge.actions.micro.contract import (
    BadFilter,
    GoodFilter,
    Instant,
    MicroEvents,
    PageQuery,
    TimeBucket,
    instant,
)
from snowgauge.errors import SchemaResolutionError, SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ENDPOINTS = (
    ("GET, POST", "/micro/all", "Counts: `total`, `good`, `bad`."),
    (
        "GET, POST",
        "/micro/good",
        "Good events, newest first. POST filters: `event_type`, `schema`, `contexts`, `limit`.",
    ),
    ("GET, POST", "/micro/bad", "Failures, newest first. POST filters: `vendor`, `version`, `limit`."),
    ("GET, POST", "/micro/reset", "Forget everything (Micro mode only)."),
    ("POST", "/micro/events", "A page of good and incomplete events: `filters`, `page`, `pageSize`, ..."),
    ("GET", "/micro/events", "All of them in one list, as Micro 3 answered."),
    ("GET", "/micro/columns", "Names of all columns seen."),
    ("POST", "/micro/columnStats", "What can be sorted and filtered by, and values seen."),
    ("POST", "/micro/timeline", "Counts of valid and failed events per time span."),
    ("GET", "/micro/iglu/{vendor}/{name}/jsonschema/{version}", "A schema, from whichever registry has it."),
    ("GET", "/micro/ui", "A page that shows events as they come."),
    ("GET", "/micro/auth-config", "Tells that no login is needed."),
)
"""Method, path and meaning of every route."""

NOT_FOUND = (
    "Supported endpoints: /micro/all, /micro/good, /micro/bad, /micro/events, /micro/reset, /micro/columns, "
    "/micro/columnStats, /micro/timeline, /micro/iglu, /micro/ui"
)
MALFORMED = "The request body was malformed."
INVALID = "The request body was invalid."
LOOKUP_FORM = "Schema lookup should be in format iglu/{vendor}/{schemaName}/jsonschema/{model}-{revision}-{addition}"
AUTH_OFF = {"domain": "", "audience": "", "clientId": "", "enabled": False}

_LARGEST_BODY = 1_000_000
_COMPRESSIBLE = ("application/json", "text/", "application/javascript")


class Schemas(Protocol):
    def schema(self, key: SchemaKey) -> dict[str, Any]: ...


class Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes


class _Columns(msgspec.Struct):
    columns: list[str]


class _Buckets(msgspec.Struct):
    buckets: list[TimeBucket]


class BadBody(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body.decode())
        self.answer = answer


class MicroApp:
    """Serves the paths below ``/micro`` and nothing else.

    ``events`` is ``None`` where nothing is kept: then every path is not found. ``schemas`` is a resolver. With
    ``any_origin`` pages of all sites may read the answers: right for Micro mode, wrong for a deployment.
    """

    def __init__(self, events: MicroEvents | None, schemas: Schemas, *, any_origin: bool = False) -> None:
        self._events = events
        self._schemas = schemas
        self._any_origin = any_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        try:
            if scope["method"] == "OPTIONS" and self._any_origin:
                answer = Answer(200, "text/plain; charset=UTF-8", b"")
            else:
                body = await _body(receive) if scope["method"] == "POST" else b""
                # off the event loop: a store or a registry may take its time
                answer = await asyncio.to_thread(self.answer, scope["method"], _path(scope), body, headers)
        except BadBody as bad:
            answer = bad.answer
        origin = headers.get(b"origin") if self._any_origin else None
        await _send(send, answer, headers, _cors(origin) if origin else [], head=scope["method"] == "HEAD")

    def answer(self, method: str, path: str, body: bytes, headers: MutableMapping[bytes, bytes]) -> Answer:
        """The answer to one request; ``path`` is below ``/micro``, without a slash in front."""
        events = self._events
        if events is None:
            return Answer(404, "", b"")
        match (method, path):
            case ("GET" | "POST", "all"):
                return _json(events.summary())
            case ("GET", "good"):
                return _json(events.good(GoodFilter()))
            case ("POST", "good"):
                return _json(events.good(_read(body, GoodFilter)))
            case ("GET", "bad"):
                return _json(events.bad(BadFilter()))
            case ("POST", "bad"):
                return _json(events.bad(_read(body, BadFilter)))
            case ("GET" | "POST", "reset") if events.reset():
                if headers.get(b"accept", b"").strip() == b"application/json":
                    return _json(events.summary())
                return _text(200, "Reset completed")
            case ("GET", "events"):
                return _json(events.everything())
            case ("POST", "events"):
                return _json(events.page(_read(body, PageQuery)))
            case ("GET", "columns"):
                return _json(events.columns())
            case ("POST", "columnStats"):
                return _json(events.column_stats(_read(body, _Columns).columns))
            case ("POST", "timeline"):
                return _json({"points": events.timeline(_read(body, _Buckets).buckets)})
            case ("GET", "auth-config"):
                return _json(AUTH_OFF)
            case ("GET", _) if path == "ui" or path.startswith("ui/"):
                return _file(path[3:])
            case ("GET", _) if path.startswith("iglu/"):
                return self._schema(path.split("/")[1:])
        return _text(404, NOT_FOUND)

    def _schema(self, parts: list[str]) -> Answer:
        if len(parts) != 4 or parts[2] != "jsonschema":
            return _text(404, NOT_FOUND)
        try:
            key = SchemaKey.parse(f"iglu:{'/'.join(parts)}")
        except SelfDescribingError:
            return _text(404, LOOKUP_FORM)
        try:
            return _json(self._schemas.schema(key))
        except SchemaResolutionError as error:
            tried = {
                entry["repository"]: {name: entry[name] for name in ("errors", "attempts", "lastAttempt")}
                for entry in sorted(error.history, key=lambda entry: str(entry["repository"]))
            }
            return _json({"value": tried}, 404)


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root).removeprefix("/micro").strip("/") if root else path.removeprefix("/micro").strip("/")


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        part = message.get("body", b"")
        size += len(part)
        if size > _LARGEST_BODY:
            raise BadBody(_text(413, "The request body is too large."))
        parts.append(part)
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _read(body: bytes, shape: Any) -> Any:
    """400 for what is not JSON, 422 for JSON of another shape (http4s's texts)."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadBody(_text(400, MALFORMED)) from None
    try:
        return msgspec.convert(value, shape, dec_hook=_hook)
    except (msgspec.ValidationError, ValueError):
        raise BadBody(_text(422, INVALID)) from None


def _hook(kind: type, value: Any) -> Any:
    if kind is Instant and isinstance(value, str):
        return instant(value)
    raise ValueError(f"unexpected {value!r}")


def _plain(value: Any) -> Any:
    if isinstance(value, Instant):
        return str(value)
    if isinstance(value, msgspec.Struct):
        names = type(value).__struct_encode_fields__
        return dict(zip(names, (getattr(value, name) for name in type(value).__struct_fields__), strict=True))
    raise TypeError(type(value).__name__)


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, "application/json", orjson.dumps(value, default=_plain))


def _text(status: int, text: str) -> Answer:
    return Answer(status, "text/plain; charset=UTF-8", text.encode())


def _file(name: str) -> Answer:
    name = name or "index.html"
    found = resources.files("snowgauge.api.micro") / "ui"
    for part in name.split("/"):
        if part in ("", ".", ".."):
            return Answer(404, "", b"")
        found = found / part
    if not found.is_file():
        return Answer(404, "", b"")
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Answer(
        200, content_type + ("; charset=UTF-8" if content_type.startswith("text/") else ""), found.read_bytes()
    )


async def _send(
    send: Send, answer: Answer, asked: MutableMapping[bytes, bytes], cors: list[tuple[bytes, bytes]], *, head: bool
) -> None:
    body = answer.body
    headers = [(b"content-type", answer.content_type.encode())] if answer.content_type else []
    if body and answer.content_type.startswith(_COMPRESSIBLE) and _takes_gzip(asked.get(b"accept-encoding", b"")):
        body = await asyncio.to_thread(gzip.compress, body, 6)
        headers += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
    headers += [(b"content-length", b"%d" % len(body)), *cors]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})


def _takes_gzip(accepted: bytes) -> bool:
    for part in accepted.lower().split(b","):
        name, _, weight = part.strip().partition(b";")
        if name.strip() in (b"gzip", b"x-gzip", b"*") and weight.replace(b" ", b"") not in (b"q=0", b"q=0.0"):
            return True
    return False


def _cors(origin: bytes) -> list[tuple[bytes, bytes]]:
    """As Micro 2 answered other origins: without it a page under test could not read its own events."""
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-allow-methods", b"POST, GET, OPTIONS"),
        (b"access-control-allow-headers", b"Content-Type"),
        (b"vary", b"origin"),
    ]
