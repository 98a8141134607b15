"""Iglu Server 0.14's HTTP API as a small ASGI application, for igluctl, resolvers and whatever else speaks to one.

Every answer, its status and its words are Iglu Server's. The registry is ``<here>/api`` for clients that are configured
as for an Iglu Server, and ``<here>`` for those configured as for a static registry.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
import orjson

from snowgauge.actions.registry.catalog import Entry, SchemaCatalog
from snowgauge.actions.registry.drafts import Drafts
from snowgauge.actions.registry.keys import KeyBook, NotAllowed, Permission
from snowgauge.actions.registry.publishing import NO_REPORT, Refused, publish
from snowgauge.actions.registry.schema_report import report
from snowgauge.api.iglu.settings import RegistrySettings
from snowgauge.errors import SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.events.timestamps import instant_text
from snowgauge.iglu.compiled import SchemaIssues, compile_schema
from snowgauge.iglu.depth import depth_exceeds
from snowgauge.iglu.validation import check_data
from snowgauge.telemetry.metrics import count

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SPEAKS = "0.14.0"
"""The version of Iglu Server whose API this is."""

ENDPOINTS = (
    ("GET", "/iglu/api/schemas", "Every schema the key may read. `repr`: `uri`, `canonical`, `meta`."),
    ("GET", "/iglu/api/schemas/{vendor}", "Those of a vendor."),
    ("GET", "/iglu/api/schemas/{vendor}/{name}", "Versions of one schema."),
    ("GET", "/iglu/api/schemas/{vendor}/{name}/jsonschema/{model}", "Versions of one model."),
    ("GET", "/iglu/api/schemas/{vendor}/{name}/{format}/{version}", "One schema."),
    ("PUT", "/iglu/api/schemas/{vendor}/{name}/{format}/{version}", "Publish. `isPublic`: default false."),
    ("POST", "/iglu/api/schemas", "Publish a self-describing schema. `isPublic`: default false."),
    ("DELETE", "/iglu/api/schemas/{vendor}/{name}/{format}/{version}", "Delete, where patches are allowed."),
    ("POST", "/iglu/api/schemas/validate/{vendor}/{name}/jsonschema/{version}", "Lint a schema (old form)."),
    ("POST", "/iglu/api/validation/validate/schema/jsonschema", "Lint a schema."),
    ("POST", "/iglu/api/validation/validate/instance", "Validate self-describing data."),
    ("POST", "/iglu/api/auth/keygen", "Make a key to read and one to write for `vendorPrefix`."),
    ("DELETE", "/iglu/api/auth/keygen", "Revoke the key in the query's `key`."),
    ("GET", "/iglu/api/meta/health", "`OK`."),
    ("GET", "/iglu/api/meta/health/db", "`OK` if the database answers."),
    ("GET", "/iglu/api/meta/server", "Version, what the key may do, number of schemas."),
    ("GET", "/iglu/api/drafts", "Every draft the key may read."),
    ("GET, PUT", "/iglu/api/drafts/{vendor}/{name}/{format}/{number}", "A draft. PUT keeps it and answers 501."),
    ("GET", "/iglu/schemas/{vendor}/{name}/{format}/{version}", "One schema, in the layout of a static registry."),
)
"""Method, path and meaning of every route."""

_BASES = ("meta", "schemas", "auth", "validation", "drafts")
_REPRESENTATIONS = ("uri", "canonical", "meta")
_NOT_FOUND = "The schema is not found"
_CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, PUT, OPTIONS, DELETE"),
    (b"access-control-allow-headers", b"content-type, apikey"),
    (b"access-control-max-age", b"86400"),
]
_ANY_DEPTH = 500


class Answer(NamedTuple):
    status: int
    value: Any
    plain: bool = False


class _Stop(Exception):
    """Ends a request with an answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, {"message": message})


class IgluApp:
    """Serves one registry. ``keys`` and ``catalog`` share a database."""

    def __init__(self, catalog: SchemaCatalog, keys: KeyBook, settings: RegistrySettings) -> None:
        self._catalog = catalog
        self._keys = keys
        self._settings = settings
        self._drafts = Drafts(catalog.database)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        method = scope["method"]
        if method == "OPTIONS":
            await _send(send, Answer(200, "", plain=True))
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            body = await self._body(receive) if method in ("POST", "PUT") else b""
            query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
            path = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix("/iglu")
            answer = await asyncio.to_thread(self.answer, method, path, query, headers.get(b"apikey"), body)
        except _Stop as stop:
            answer = stop.answer
        known = method if method in ("GET", "HEAD", "POST", "PUT", "DELETE") else "other"
        count("registry_requests", method=known, status=f"{answer.status // 100}xx")
        await _send(send, answer, head=method == "HEAD")

    def answer(self, method: str, path: str, query: dict[str, str], key: str | None, body: bytes) -> Answer:
        """The answer to one request; ``path`` is below the registry's address."""
        whole = path.split("/")[1:]
        parts = whole[:-1] if len(whole) > 1 and whole[-1] == "" else whole
        if parts[:1] == ["schemas"]:  # a static registry's layout
            parts = ["api", *parts]
            whole = ["api", *whole]
        if parts[:1] != ["api"] or len(parts) < 2 or parts[1] not in _BASES:
            return Answer(404, {"message": "The endpoint does not exist"})
        who = self._who(key)
        if whole[-1] == "" and len(whole) == 6 and parts[1] == "schemas":
            raise _Stop(404, "Version cannot be empty, should be model to get SchemaList or full SchemaVer")
        try:
            return self._route(method, parts[1], parts[2:], query, who, body)
        except Refused as refused:
            return Answer(refused.status, refused.body)
        except NotAllowed as refused:
            return Answer(403, {"message": str(refused)})

    def _route(
        self, method: str, base: str, rest: list[str], query: dict[str, str], who: Permission, body: bytes
    ) -> Answer:
        match (base, method, rest):
            case (_, "GET", ["swagger.json"]):
                return Answer(200, _description(base))
            case ("schemas", "GET", []):
                return self._listed(who, query, [], empty_is_missing=False)
            case ("schemas", "GET", [_] | [_, _]):
                return self._listed(who, query, rest)
            case ("schemas", "GET", [vendor, name, "jsonschema", model]) if re.fullmatch("[1-9][0-9]{0,8}", model):
                return self._listed(who, query, [vendor, name, "jsonschema", model])
            case ("schemas", "GET", [_, _, _, _]):
                return self._schema(who, query, _key(rest))
            case ("schemas", "PUT", [_, _, _, _]):
                return self._publish(who, query, body, _key(rest))
            case ("schemas", "POST", []):
                return self._publish(who, query, body, None)
            case ("schemas", "DELETE", [_, _, _, _]):
                return self._delete(who, _key(rest))
            case ("schemas", "POST", ["validate", _, _, fmt, _]) | ("validation", "POST", ["validate", "schema", fmt]):
                return self._validate_schema(who, fmt, body)
            case ("validation", "POST", ["validate", "instance"]):
                return self._validate_instance(who, body)
            case ("auth", "POST", ["keygen"]):
                return self._generate(who, body)
            case ("auth", "DELETE", ["keygen"]):
                self._keys.delete(who, str(_uuid(query.get("key", ""))))
                return Answer(200, {"message": "Keys have been deleted"})
            case ("meta", "GET", ["health"]):
                return Answer(200, "OK", plain=True)
            case ("meta", "GET", ["health", "db"]):
                self._catalog.entries()
                return Answer(200, "OK", plain=True)
            case ("meta", "GET", ["server"]):
                return self._server(who)
            case ("drafts", "GET", []):
                return Answer(200, self._drafts.all(who))
            case ("drafts", "GET" | "PUT", [vendor, name, fmt, number]) if re.fullmatch("[0-9]{1,9}", number):
                return self._draft(method, (vendor, name, fmt, int(number)), query, who, body)
        return Answer(404, {"message": ""})

    # ---- schemas ----------------------------------------------------------------------------------------------

    def _listed(
        self, who: Permission, query: dict[str, str], below: list[str], *, empty_is_missing: bool = True
    ) -> Answer:
        shape = _representation(query, "uri")
        found = [
            entry
            for entry in self._catalog.visible(who)
            if [entry.key.vendor, entry.key.name, entry.key.format, str(entry.key.model)][: len(below)] == below
        ]
        if not found and empty_is_missing:
            raise _Stop(404, "No schemas available")
        return Answer(200, [self._shown(entry, shape) for entry in found])

    def _schema(self, who: Permission, query: dict[str, str], key: SchemaKey) -> Answer:
        shape = _representation(query, "canonical")
        found = self._catalog.find(key, who)
        if found is None:
            raise _Stop(404, _NOT_FOUND)
        return Answer(200, self._shown(found[0], shape, found[1]))

    def _shown(self, entry: Entry, shape: str, document: dict[str, Any] | None = None) -> Any:
        if shape == "uri":
            return entry.key.uri
        document = document or self._catalog.document(entry.key) or {}
        if shape == "canonical":
            return document
        metadata = {
            "createdAt": instant_text(entry.created_at),
            "updatedAt": instant_text(entry.updated_at),
            "isPublic": entry.is_public,
        }
        rest = {name: value for name, value in document.items() if name not in ("$schema", "self")}
        return {"self": document.get("self"), "metadata": metadata, **rest}

    def _publish(self, who: Permission, query: dict[str, str], body: bytes, at: SchemaKey | None) -> Answer:
        is_public = _flag(query, "isPublic")
        done = publish(
            self._catalog,
            who,
            self._object(body),
            at=at,
            is_public=is_public,
            patches_allowed=self._settings.patches_allowed,
            max_depth=self._settings.max_json_depth,
        )
        status, text = (200, "Schema updated") if done.updated else (201, "Schema created")
        return Answer(status, {"message": text, "updated": done.updated, "location": done.key.uri, "status": status})

    def _delete(self, who: Permission, key: SchemaKey) -> Answer:
        if not who.is_super:
            raise _Stop(401, "Not enough permissions")
        if not self._settings.patches_allowed:
            raise _Stop(405, "DELETE is forbidden on production registry")
        self._catalog.delete(key)
        return Answer(200, {"message": "Schema deleted"})

    # ---- validation, keys, the rest ---------------------------------------------------------------------------

    def _validate_schema(self, who: Permission, fmt: str, body: bytes) -> Answer:
        if fmt != "jsonschema":
            raise _Stop(400, f"Unknown schema format: '{fmt}'")
        if not who.known:
            raise _Stop(403, "")
        schema = self._object(body)
        entries = report(schema, max_depth=self._settings.max_json_depth)
        if entries:
            return Answer(200, {"message": NO_REPORT, "report": [msgspec.to_builtins(entry) for entry in entries]})
        uri = "iglu:" + "/".join(str(schema["self"][part]) for part in ("vendor", "name", "format", "version"))
        return Answer(200, {"message": f"The schema provided is a valid self-describing {uri} schema"})

    def _validate_instance(self, who: Permission, body: bytes) -> Answer:
        try:
            item = SelfDescribing.parse(self._json(body))
        except SelfDescribingError as error:
            raise _Stop(400, f"JSON payload is not self-describing, {error.code}") from None
        found = self._catalog.find(item.schema, who) if who.known else None
        if found is None:
            raise _Stop(404, _NOT_FOUND)
        try:
            rules = compile_schema(found[1], _ANY_DEPTH)
        except SchemaIssues as broken:
            return Answer(
                200,
                {
                    "message": NO_REPORT,
                    "report": [
                        {"message": one.message, "level": "ERROR", "pointer": one.path} for one in broken.issues
                    ],
                },
            )
        problems = check_data(rules, item.data, _ANY_DEPTH)
        if not problems:
            return Answer(200, {"message": f"Instance is valid {item.schema.uri}"})
        text = "The data for a field instance is invalid against its schema"
        return Answer(200, {"message": text, "report": [problem.as_json() for problem in problems]})

    def _generate(self, who: Permission, body: bytes) -> Answer:
        vendor = self._object(body).get("vendorPrefix")
        if not isinstance(vendor, str):
            raise _Stop(422, "The request body was invalid.")
        pair = self._keys.generate(who, vendor)
        return Answer(200, {"read": pair.read, "write": pair.write})

    def _server(self, who: Permission) -> Answer:
        readable = self._catalog.visible(who)
        return Answer(
            200,
            {
                "version": SPEAKS,
                "authInfo": {"vendor": who.vendor, "schema": who.schema_action, "key": list(who.key_actions)},
                "database": "sqlite",
                "schemaCount": len(readable),
                "debug": False,
                "patchesAllowed": self._settings.patches_allowed,
            },
        )

    def _draft(
        self, method: str, place: tuple[str, str, str, int], query: dict[str, str], who: Permission, body: bytes
    ) -> Answer:
        if method == "GET":
            found = self._drafts.find(place, who)
            if found is None:
                raise _Stop(404, _NOT_FOUND)
            return Answer(200, found)
        if not who.may_write(place[0]):
            raise _Stop(403, "Authentication error: not authorized")
        now = int(datetime.now(UTC).timestamp() * 1000)
        self._drafts.keep(place, self._object(body), is_public=_flag(query, "isPublic"), at=now)
        return Answer(501, "TODO", plain=True)  # Iglu Server keeps the draft and answers this

    # ---- requests ---------------------------------------------------------------------------------------------

    def _who(self, key: str | None) -> Permission:
        return self._keys.permission(None if key is None else str(_uuid(key)))

    async def _body(self, receive: Receive) -> bytes:
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                break
            size += len(message.get("body", b""))
            if size > self._settings.max_payload_size:
                raise _Stop(413, "The payload is too large")
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                break
        return b"".join(parts)

    def _json(self, body: bytes) -> Any:
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise _Stop(400, "The request body was malformed.") from None
        if depth_exceeds(value, self._settings.max_json_depth):
            raise _Stop(422, "The request body was invalid.")
        return value

    def _object(self, body: bytes) -> dict[str, Any]:
        value = self._json(body)
        if not isinstance(value, dict):
            raise _Stop(422, "The request body was invalid.")
        return value


def _uuid(text: str) -> uuid.UUID:
    try:
        if len(text) != 36:  # other spellings that Python takes are no keys
            raise ValueError
        return uuid.UUID(text)
    except ValueError:
        raise _Stop(400, "Invalid UUID for ApiKey") from None


def _key(parts: list[str]) -> SchemaKey:
    try:
        return SchemaKey.parse("iglu:" + "/".join(parts))
    except SelfDescribingError as error:
        if error.code == "INVALID_SCHEMAVER" or not re.fullmatch("[0-9]+-[0-9]+-[0-9]+", parts[-1]):
            raise _Stop(400, f"Cannot parse version part '{parts[-1]}' as SchemaVer, INVALID_SCHEMAVER") from None
        raise _Stop(404, _NOT_FOUND) from None  # no schema has such a name


def _representation(query: dict[str, str], default: str) -> str:
    given = query.get("repr", default)
    if given.lower() not in _REPRESENTATIONS:
        raise _Stop(400, f"Unknown schema representation format: '{given}'")
    return given.lower()


def _flag(query: dict[str, str], name: str) -> bool:
    given = query.get(name, "false").lower()
    if given not in ("true", "false"):
        raise _Stop(400, f"{name} must be true or false")
    return given == "true"


def _description(base: str) -> dict[str, Any]:
    """The routes of one base in Swagger's form."""
    paths: dict[str, Any] = {}
    for methods, path, meaning in ENDPOINTS:
        if path.startswith(f"/iglu/api/{base}"):
            for method in methods.lower().split(", "):
                answers = {"200": {"description": "See the guide to the registry."}}
                paths.setdefault(path, {})[method] = {"summary": meaning, "responses": answers}
    return {"swagger": "2.0", "info": {"title": f"Iglu registry: {base}", "version": SPEAKS}, "paths": paths}


async def _send(send: Send, answer: Answer, *, head: bool = False) -> None:
    plain = answer.plain
    body = answer.value.encode() if plain else orjson.dumps(answer.value)
    kind = b"text/plain; charset=UTF-8" if plain else b"application/json"
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *_CORS]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})
