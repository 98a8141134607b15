"""Reads a Snowplow ``resolver.json``: resolver-config 1-0-0 to 1-0-3."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import orjson

from snowgauge.errors import SelfDescribingError, SettingsError
from snowgauge.events.selfdescribing import SchemaCriterion, SelfDescribing

CONFIG = SchemaCriterion("com.snowplowanalytics.iglu", "resolver-config", "jsonschema", 1, 0)


class RegistryConfig(msgspec.Struct, frozen=True):
    """One of the file's ``repositories``: either ``uri`` or ``path`` is set."""

    name: str
    priority: int
    vendor_prefixes: tuple[str, ...]
    uri: str | None = None
    apikey: str | None = None
    path: str | None = None


class ResolverConfig(msgspec.Struct, frozen=True):
    """``cache_ttl`` is None where cached schemas never expire."""

    cache_size: int
    cache_ttl: timedelta | None
    registries: tuple[RegistryConfig, ...]


def read_resolver_config(file: Path) -> ResolverConfig:
    """Read the file; raises :class:`SettingsError` naming the file, the key and what is expected there."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"iglu.resolver: cannot read {file}: {error}") from None
    return parse_resolver_config(text, str(file))


def parse_resolver_config(text: str, source: str = "resolver.json") -> ResolverConfig:
    """Read the text of a resolver configuration; ``source`` names it in errors."""
    read = _Reader(source)
    try:
        document = SelfDescribing.parse(_json(text, source))
    except SelfDescribingError as error:
        read.fail("", f"is not a self-describing JSON with schema {CONFIG} ({error.code})")
    if not CONFIG.matches(document.schema):
        read.fail("schema", f"must match {CONFIG}, found {document.schema}")
    data = read.typed(document.data, "data", dict)
    cache_size = read.typed(data.get("cacheSize"), "data.cacheSize", int)
    ttl = data.get("cacheTtl")
    if ttl is not None and read.typed(ttl, "data.cacheTtl", int) < 0:
        read.fail("data.cacheTtl", f"must be a number of seconds from 0, or null; found {ttl}")
    if cache_size < 0:
        read.fail("data.cacheSize", f"must be a number of schemas from 0; found {cache_size}")
    entries = read.typed(data.get("repositories"), "data.repositories", list)
    registries = tuple(read.registry(entry, f"data.repositories[{i}]") for i, entry in enumerate(entries))
    names = [r.name for r in registries]
    for name in names:
        if names.count(name) > 1:
            read.fail("data.repositories", f"must have unique names; {name!r} stands there {names.count(name)} times")
    return ResolverConfig(cache_size, None if ttl is None else timedelta(seconds=ttl), registries)


def _json(text: str, source: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        plain = error
    # Snowplow's applications read this file as HOCON: comments and ${?ENV} are common in it
    from pyhocon import ConfigFactory
    from pyhocon.exceptions import ConfigException
    from pyparsing import ParseBaseException

    try:
        return ConfigFactory.parse_string(text).as_plain_ordered_dict()
    except (ConfigException, ParseBaseException, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise SettingsError(f"{source} is neither JSON ({plain}) nor HOCON ({error})") from None


_WORDS = {dict: "an object", list: "an array", str: "a text", int: "a whole number"}


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source

    def fail(self, key: str, problem: str) -> Any:
        raise SettingsError(f"{self.source}{': ' + key if key else ''} {problem}")

    def typed(self, value: Any, key: str, kind: type) -> Any:
        if kind is int and isinstance(value, str) and value.isdigit():  # a HOCON substitution is a text
            value = int(value)
        if not isinstance(value, kind) or isinstance(value, bool):
            found = "nothing" if value is None else repr(value)[:80]
            self.fail(key, f"must be {_WORDS[kind]}; found {found}")
        return value

    def registry(self, entry: Any, key: str) -> RegistryConfig:
        self.typed(entry, key, dict)
        name = self.typed(entry.get("name"), f"{key}.name", str)
        priority = self.typed(entry.get("priority"), f"{key}.priority", int)
        prefixes = self.typed(entry.get("vendorPrefixes"), f"{key}.vendorPrefixes", list)
        for i, prefix in enumerate(prefixes):
            self.typed(prefix, f"{key}.vendorPrefixes[{i}]", str)
        connection = self.typed(entry.get("connection"), f"{key}.connection", dict)
        if set(connection) == {"http"}:
            http = self.typed(connection["http"], f"{key}.connection.http", dict)
            uri = self.typed(http.get("uri"), f"{key}.connection.http.uri", str)
            apikey = http.get("apikey")
            if apikey is not None:
                self.typed(apikey, f"{key}.connection.http.apikey", str)
            return RegistryConfig(name, priority, tuple(prefixes), uri=uri, apikey=apikey or None)
        if set(connection) == {"embedded"}:
            embedded = self.typed(connection["embedded"], f"{key}.connection.embedded", dict)
            path = self.typed(embedded.get("path"), f"{key}.connection.embedded.path", str)
            return RegistryConfig(name, priority, tuple(prefixes), path=path)
        found = ", ".join(sorted(connection)) or "nothing"
        return self.fail(f"{key}.connection", f"must hold exactly one of http and embedded; found {found}")  # type: ignore[no-any-return]
