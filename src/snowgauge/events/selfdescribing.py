"""Schema keys, criteria and self-describing data, as Iglu defines them (iglu-scala-core 1.1)."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import msgspec

from snowgauge.errors import SelfDescribingError

_URI = re.compile(r"iglu:([a-zA-Z0-9_.-]+)/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)/([0-9]*)-([0-9]*)-([0-9]*)", re.ASCII)
_PART = re.compile(r"0|[1-9][0-9]*", re.ASCII)
_CRITERION = re.compile(
    r"iglu:([a-zA-Z0-9_.-]+)/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)/([1-9][0-9]*|\*)-(0|[1-9][0-9]*|\*)-(0|[1-9][0-9]*|\*)",
    re.ASCII,
)
_MAX_INT = 2**31 - 1
_MAX_NAME = 128


class SchemaKey(msgspec.Struct, frozen=True, order=True, array_like=True, cache_hash=True):
    """A schema's full name. Keys of one vendor, name and format order by version."""

    vendor: str
    name: str
    format: str
    model: int
    revision: int
    addition: int

    @property
    def version(self) -> str:
        return _version(self)

    @property
    def path(self) -> str:
        """``vendor/name/format/version``: the key's place in a registry."""
        return f"{self.vendor}/{self.name}/{self.format}/{self.version}"

    @property
    def uri(self) -> str:
        return _uri(self)

    def __str__(self) -> str:
        return self.uri

    @staticmethod
    def parse(uri: str) -> SchemaKey:
        """Read an Iglu URI; raises :class:`SelfDescribingError` with INVALID_IGLUURI or INVALID_SCHEMAVER."""
        return _parse_key(uri)


@lru_cache(maxsize=10_000)
def _version(key: SchemaKey) -> str:
    return f"{key.model}-{key.revision}-{key.addition}"


@lru_cache(maxsize=10_000)
def _uri(key: SchemaKey) -> str:
    return f"iglu:{key.path}"


@lru_cache(maxsize=10_000)
def _parse_key(uri: str) -> SchemaKey:
    found = _URI.fullmatch(uri)
    if not found:
        raise SelfDescribingError("INVALID_IGLUURI", uri)
    vendor, name, fmt, *version = found.groups()
    if not all(_PART.fullmatch(v) and int(v) <= _MAX_INT for v in version if len(v) < 12) or any(
        len(v) >= 12 for v in version
    ):
        raise SelfDescribingError("INVALID_SCHEMAVER", uri)
    model, revision, addition = (int(v) for v in version)
    if model < 1:
        raise SelfDescribingError("INVALID_SCHEMAVER", uri)
    if len(vendor) > _MAX_NAME or len(name) > _MAX_NAME:
        raise SelfDescribingError("INVALID_IGLUURI", uri)
    return SchemaKey(vendor, name, fmt, model, revision, addition)


class SchemaCriterion(msgspec.Struct, frozen=True):
    """A pattern over schema keys: each part of the version is a number or anything (``None``, written ``*``)."""

    vendor: str
    name: str
    format: str
    model: int | None = None
    revision: int | None = None
    addition: int | None = None

    def matches(self, key: SchemaKey) -> bool:
        return (
            self.vendor == key.vendor
            and self.name == key.name
            and self.format == key.format
            and self.model in (None, key.model)
            and self.revision in (None, key.revision)
            and self.addition in (None, key.addition)
        )

    @staticmethod
    def parse(text: str) -> SchemaCriterion:
        """Read ``iglu:vendor/name/format/1-0-*``; raises ``ValueError`` naming the text."""
        found = _CRITERION.fullmatch(text)
        if not found:
            raise ValueError(f"expected a schema criterion such as iglu:com.acme/cart/jsonschema/1-*-*, found {text!r}")
        vendor, name, fmt, *version = found.groups()
        return SchemaCriterion(vendor, name, fmt, *(None if v == "*" else int(v) for v in version))

    def __str__(self) -> str:
        version = "-".join("*" if v is None else str(v) for v in (self.model, self.revision, self.addition))
        return f"iglu:{self.vendor}/{self.name}/{self.format}/{version}"


def _text(data: Any) -> str:
    try:
        return msgspec.json.encode(data).decode()
    except (UnicodeEncodeError, OverflowError):
        # integers beyond 64 bits, and lone surrogates, which UTF-8 cannot hold: they become question marks
        return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()


class SelfDescribing(msgspec.Struct, array_like=True):
    """Data with the key of its schema: a self-describing event or an entity.

    ``literal`` is the compact JSON text of ``data`` as it was received, kept because parsing loses how numbers were
    written (``1.10``). Code that changes ``data`` makes a new value without a literal.
    """

    schema: SchemaKey
    data: Any
    literal: str | None = None

    def json_text(self) -> str:
        """Compact JSON with ``schema`` before ``data``."""
        data = self.literal if self.literal is not None else _text(self.data)
        return f'{{"schema":"{self.schema.uri}","data":{data}}}'

    def as_json(self) -> dict[str, Any]:
        return {"schema": self.schema.uri, "data": self.data}

    @staticmethod
    def parse(json: Any) -> SelfDescribing:
        """Read parsed JSON; raises :class:`SelfDescribingError`. Keys beside schema and data are tolerated."""
        if not isinstance(json, dict) or "data" not in json or not isinstance(json.get("schema"), str):
            raise SelfDescribingError("INVALID_DATA_PAYLOAD", json)
        try:
            key = _parse_key(json["schema"])
        except SelfDescribingError as error:
            raise SelfDescribingError(error.code, json) from None
        return SelfDescribing(key, json["data"])
