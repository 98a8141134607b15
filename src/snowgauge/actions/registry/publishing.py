"""Publishing a schema: the checks of Iglu Server 0.14, in its order and words."""

from __future__ import annotations

from typing import Any

import msgspec

from snowgauge.actions.registry.catalog import SchemaCatalog
from snowgauge.actions.registry.keys import Permission
from snowgauge.actions.registry.schema_report import blocks, report
from snowgauge.errors import SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.metaschema import IGLU_META_SCHEMA
from snowgauge.iglu.publish import NotSuperseding, superseded

NO_REPORT = "The schema does not conform to a JSON Schema v4 specification"
_CANNOT_DECODE = {"message": "Cannot decode JSON schema"}


class Refused(Exception):
    """Not published. ``status`` and ``body`` are the HTTP answer of Iglu Server."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(str(body.get("message")))
        self.status = status
        self.body = body


class Published(msgspec.Struct, frozen=True):
    key: SchemaKey
    updated: bool


def publish(
    catalog: SchemaCatalog,
    who: Permission,
    body: dict[str, Any],
    *,
    at: SchemaKey | None = None,
    is_public: bool = False,
    patches_allowed: bool = False,
    max_depth: int = 40,
) -> Published:
    """Check and keep a schema. ``at`` is the place it is put to; without it the schema says so itself.

    Raises :class:`Refused`.
    """
    key, document = _named(body, at)
    if not who.may_write(key.vendor):
        raise Refused(403, {"message": "Authentication error: not authorized"})
    entries = report(document, max_depth=max_depth)
    if blocks(entries):
        raise Refused(400, {"message": NO_REPORT, "report": [msgspec.to_builtins(entry) for entry in entries]})
    with catalog.database.writing():  # nobody else publishes between the checks and the deed
        family = {
            entry.key: entry.is_public
            for entry in catalog.entries()
            if (entry.key.vendor, entry.key.name, entry.key.format) == (key.vendor, key.name, key.format)
        }
        _check_availability(family, is_public)
        if key in family and not patches_allowed:
            raise Refused(409, {"message": "Schema already exists"})
        if key not in family:
            _check_order(key, family)
        try:
            replaced = superseded(key, document, family)
        except NotSuperseding as refused:
            if refused.malformed:
                raise Refused(400, _CANNOT_DECODE) from None
            raise Refused(409, {"message": str(refused)}) from None
        before = catalog.document(key) if key in family else None
        document = {name: value for name, value in document.items() if name != "$supersededBy"}
        if before is not None and "$supersededBy" in before:
            document["$supersededBy"] = before["$supersededBy"]
        updated = catalog.keep(key, document, is_public=is_public)
        if replaced:
            catalog.supersede(replaced, key)
    return Published(key, updated)


def _named(body: dict[str, Any], at: SchemaKey | None) -> tuple[SchemaKey, dict[str, Any]]:
    if "self" not in body:
        if at is None:
            raise Refused(400, _CANNOT_DECODE)
        own = {"vendor": at.vendor, "name": at.name, "format": at.format, "version": at.version}
        return at, {"$schema": IGLU_META_SCHEMA, "self": own, **body}
    own = body["self"]
    try:
        key = SchemaKey.parse("iglu:" + "/".join(own[part] for part in ("vendor", "name", "format", "version")))
    except (SelfDescribingError, KeyError, TypeError):
        raise Refused(400, _CANNOT_DECODE) from None
    if at is not None and key != at:
        raise Refused(
            400,
            {
                "uriSchemaKey": at.uri,
                "payloadSchemaKey": key.uri,
                "message": "Mismatch: the schema metadata does not match the payload and URI",
            },
        )
    return key, body


def _check_availability(family: dict[SchemaKey, bool], is_public: bool) -> None:
    if not family or all(family.values()) is is_public:
        return
    wanted, others = ("public", "private") if is_public else ("private", "public")
    raise Refused(
        409,
        {"message": f"Inconsistent schema availability. Cannot add {wanted} schema, previous versions are {others}"},
    )


def _check_order(key: SchemaKey, family: dict[SchemaKey, bool]) -> None:
    """``1-0-0`` always; else the version before it has to be there, and no revision after it."""
    versions = {(each.model, each.revision, each.addition) for each in family}
    if key.revision == key.addition == 0:
        fits = key.model == 1 or any(model == key.model - 1 for model, _, _ in versions)
    elif key.addition == 0:
        fits = any((model, revision) == (key.model, key.revision - 1) for model, revision, _ in versions)
    else:
        fits = (key.model, key.revision, key.addition - 1) in versions
        if any((model, revision) == (key.model, key.revision + 1) for model, revision, _ in versions):
            raise Refused(409, {"message": "The schema version is not sequential"})
    if not fits:
        text = "Preceding SchemaVer in the group is missing, check that schemas published in proper order"
        raise Refused(409, {"message": text})
