"""A destination's settings, checked and ready for use: which events, what of them, where to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from snowgauge.delivery.sinks.http import presets, signing
from snowgauge.delivery.sinks.http.settings import HttpDestination
from snowgauge.delivery.sinks.http.template import Template, Vocabulary, WrongTemplate, filled_text
from snowgauge.errors import QueryRefused
from snowgauge.store.base import EventKind, Selection
from snowgauge.store.filter_texts import filters
from snowgauge.store.matching import Row, selector

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_A_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")


class Plan(msgspec.Struct, frozen=True):
    """``event`` is the template of one event, ``body`` that of a request, where ``{events}`` and ``{item}`` are."""

    url: str
    headers: Mapping[str, str]
    kind: EventKind
    selects: Callable[[Row], bool]
    event: Template
    body: Template
    events: int
    connections: int
    key: bytes | None

    @staticmethod
    def of(given: HttpDestination) -> Plan:
        """Raises ``ValueError`` that names the setting, and repeats no secret."""
        if given.preset not in presets.names():
            raise ValueError(f"preset: expected one of {', '.join(presets.names())}, found {given.preset[:40]!r}")
        preset = presets.preset(given.preset)
        values = {name: secret.get_secret_value() for name, secret in given.values.items()}
        vocabulary = Vocabulary(given.kind, values, {**preset.names, **given.names})
        return Plan(
            _url(given, preset, values),
            _headers(given),
            given.kind,
            _selects(given),
            _template("fields", _chosen(given.fields, preset.fields), vocabulary),
            _template("body", _chosen(given.body, preset.body), vocabulary, ("events", "item")),
            given.events or preset.events,
            given.connections or preset.connections,
            None if given.signing_secret is None else signing.key_of(given.signing_secret.get_secret_value()),
        )


def _chosen(given: Any, preset: Any) -> Any:
    return preset if given is None else given


def _template(setting: str, value: Any, vocabulary: Vocabulary, lists: tuple[str, ...] = ()) -> Template:
    try:
        return Template(value, vocabulary, lists)
    except WrongTemplate as error:
        raise ValueError(f"{setting}: {error}") from None


def _selects(given: HttpDestination) -> Callable[[Row], bool]:
    try:
        return selector(given.kind, Selection(filters=filters(given.filter, given.kind)))
    except QueryRefused as refused:
        raise ValueError(f"filter: {refused}") from None


def _url(given: HttpDestination, preset: presets.Preset, values: Mapping[str, str]) -> str:
    text = preset.url if given.url is None else given.url.get_secret_value()
    if not text:
        raise ValueError(f"url: preset {given.preset} has no address of its own; give one")
    try:
        url = filled_text(text, values, lambda value: quote(value, safe=""))
    except WrongTemplate as error:
        raise ValueError(f"url: {error}") from None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\x00-\x20\x7f]", url) or not url.isascii() or parts.username is not None:
        raise ValueError("url: expected http:// or https:// with a host, without a name and password, and no spaces")
    return url


def _headers(given: HttpDestination) -> Mapping[str, str]:
    found = {"content-type": "application/json"}
    for name, secret in given.headers.items():
        value = secret.get_secret_value()
        if not _HEADER.fullmatch(name) or name.lower() in ("host", "content-length", "transfer-encoding"):
            raise ValueError(f"headers: {name[:60]!r} cannot be set")
        if _NOT_IN_A_VALUE.search(value):
            raise ValueError(f"headers: the value of {name} holds a character that a header cannot have")
        found[name.lower()] = value
    return found
