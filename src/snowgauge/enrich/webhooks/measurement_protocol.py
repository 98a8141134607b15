"""The parameters of Google Analytics' measurement protocol, version 1, and where each goes (adapter facts 9).

Tables only give names and kinds; ``read_typed`` and ``composites`` apply them. In the tables a property's kind follows
its name after a colon: ``I`` 32-bit integer, ``D`` number, ``D2`` number of two decimal places, ``B`` ``1`` or ``0``;
without one it is text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

import msgspec

from snowgauge.enrich.webhooks.failure_messages import Message, bad_input
from snowgauge.errors import AdapterFailure

_VENDOR = "iglu:com.google.analytics.measurement-protocol"


class Fields(msgspec.Struct, frozen=True):
    """A schema, and the properties that parameters become: parameter to (property, kind)."""

    schema: str
    properties: dict[str, tuple[str, str]]


def _fields(name: str, table: str, vendor: str = _VENDOR) -> Fields:
    properties = {}
    for parameter, _, target in (entry.partition(" ") for entry in table.split(", ")):
        prop, _, kind = target.partition(":")
        properties[parameter] = (prop or parameter, kind)
    return Fields(f"{vendor}/{name}/jsonschema/1-0-0", properties)


_PAGE_VIEW = _fields("page_view", "dl documentLocationUrl, dh documentHostName, dp documentPath, dt documentTitle")

HITS = {
    "pageview": _PAGE_VIEW,
    "screenview": _fields("screen_view", "cd screenName"),
    "event": _fields("event", "ec category, ea action, el label, ev value:I"),
    "transaction": _fields(
        "transaction",
        "ti id, ta affiliation, tr revenue:D2, ts shipping:D2, tt tax:D2, tcc couponCode, cu currencyCode",
    ),
    "item": _fields(
        "item",
        "ti transactionId, in name, ip price:D2, iq quantity:I, ic code, iv category, cu currencyCode",
    ),
    "social": _fields("social", "sn network, sa action, st actionTarget"),
    "exception": _fields("exception", "exd description, exf isFatal:B"),
    "timing": _fields(
        "timing",
        "utc userTimingCategory, utv userTimingVariableName, utt userTimingTime:I, utl userTimingLabel,"
        " plt pageLoadTime:I, dns dnsTime:I, pdt pageDownloadTime:I, rrt redirectResponseTime:I,"
        " tcp tcpConnectTime:I, srt serverResponseTime:I, dit domInteractiveTime:I, clt contentLoadTime:I",
    ),
}
"""The event of each hit type (``t``)."""

PAGE_VIEW_CONTEXT = _PAGE_VIEW
"""An entity of every hit that is not itself a page view."""

FLAT_CONTEXTS = (
    _fields("undocumented", "a, jid, gjid", "iglu:com.google.analytics"),
    _fields("private", "_v v, _u u, _gid gid, _s s:I, _r r:I", "iglu:com.google.analytics"),
    _fields(
        "general", "v protocolVersion, tid trackingId, aip anonymizeIp:B, ds dataSource, qt queueTime:I, z cacheBuster"
    ),
    _fields("user", "cid clientId, uid userId"),
    _fields("session", "sc sessionControl, uip ipOverride, ua userAgentOverride, geoid geographicalOverride"),
    _fields(
        "traffic_source",
        "dr documentReferrer, cn campaignName, cs campaignSource, cm campaignMedium, ck campaignKeyword,"
        " cc campaignContent, ci campaignId, gclid googleAdwordsId, dclid googleDisplayAdsId",
    ),
    _fields(
        "system_info",
        "sr screenResolution, vp viewportSize, de documentEncoding, sd screenColors, ul userLanguage,"
        " je javaEnabled:B, fl flashVersion",
    ),
    _fields("link", "linkid id"),
    _fields("app", "an name, aid id, av version, aiid installerId"),
    _fields(
        "product_action",
        "pa productAction, pal productActionList, cos checkoutStep:I, col checkoutStepOption",
    ),
    _fields("content_experiment", "xid id, xvar variant"),
    _fields("hit", "t type, ni nonInteractionHit:B"),
    _fields("promotion_action", "promoa promotionAction"),
)
"""An entity each, when the hit has at least one of its parameters."""

_PRODUCT = "nm name, br brand, ca category, va variant"

# By the letters of a numbered parameter's name, ``*`` standing for a field of its own: the names of its numbers, the
# properties that fields become, and whether the hit's currency belongs to it.
_COMPOSITES: dict[tuple[str, ...], tuple[Fields, tuple[str, ...], bool]] = {
    ("pr", "*"): (
        _fields("product", f"id sku, {_PRODUCT}, pr price:D2, qt quantity:I, cc couponCode, ps position:I"),
        ("index",),
        True,
    ),
    ("pr", "cd"): (_fields("product_custom_dimension", "cd value"), ("productIndex", "dimensionIndex"), False),
    ("pr", "cm"): (_fields("product_custom_metric", "cm value:I"), ("productIndex", "metricIndex"), False),
    ("il", "*"): (_fields("product_impression_list", "nm name"), ("index",), False),
    ("il", "pi", "*"): (
        _fields("product_impression", f"id sku, {_PRODUCT}, ps position:I, pr price:D2"),
        ("listIndex", "productIndex"),
        True,
    ),
    ("il", "pi", "cd"): (
        _fields("product_impression_custom_dimension", "cd value"),
        ("listIndex", "productIndex", "customDimensionIndex"),
        False,
    ),
    ("il", "pi", "cm"): (
        _fields("product_impression_custom_metric", "cm value:I"),
        ("listIndex", "productIndex", "customMetricIndex"),
        False,
    ),
    ("promo", "*"): (_fields("promotion", "id, nm name, cr creative, ps position"), ("index",), False),
    ("cd",): (_fields("custom_dimension", "cd value"), ("index",), False),
    ("cm",): (_fields("custom_metric", "cm value:D"), ("index",), False),
    ("cg",): (_fields("content_group", "cg value"), ("index",), False),
}

COMPOSITE = r"(pr|promo|il|cd|cm|cg)(\d+)([a-zA-Z]*)(\d*)([a-zA-Z]*)(\d*)$"
_COMPOSITE = re.compile(COMPOSITE, re.ASCII)
_HAS_DIGIT = re.compile("[0-9]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,5})?")
# room for the largest double with two decimal places
_ROUNDING = Context(prec=400, rounding=ROUND_HALF_EVEN)
_CENT = Decimal("0.01")

DIRECT = {
    "uip": "ip", "dr": "refr", "de": "cs", "sd": "cd", "ul": "lang", "je": "f_java", "dl": "url", "dt": "page",
    "ta": "tr_af", "tr": "tr_tt", "ts": "tr_sh", "tt": "tr_tx", "in": "ti_nm", "ip": "ti_pr", "iq": "ti_qu",
    "ic": "ti_sk", "iv": "ti_ca", "ua": "ua",
}  # fmt: skip
"""Parameters that are tracker parameters too, by their names there."""


def tracker_parameters(hit: Mapping[str, str | None]) -> dict[str, str | None]:
    """What goes into the event's own columns beside its data."""
    transaction = hit.get("t") == "transaction"
    names = DIRECT | {"ti": "tr_id" if transaction else "ti_id", "cu": "tr_cu" if transaction else "ti_cu"}
    return {names[name]: value for name, value in hit.items() if name in names}


def typed(name: str, kind: str, text: str) -> Any:
    """A property's value; raises ``AdapterFailure`` with the message of a text that is not of its kind."""
    if kind == "I":
        if _INTEGER.fullmatch(text) and -(2**31) <= (number := int(text)) < 2**31:
            return number
        raise bad_input(name, text, "Cannot be converted to java.lang.Integer")
    if kind == "B":
        if text in ("1", "0"):
            return text == "1"
        raise bad_input(name, text, "Cannot be converted to boolean, only 1 or 0 are supported")
    if kind in ("D", "D2"):
        if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
            return float(text) if kind == "D" else float(Decimal(text).quantize(_CENT, context=_ROUNDING)) + 0.0
        raise bad_input(name, text, "Cannot be converted to Double")
    return text


def read_typed(fields: Fields, hit: Mapping[str, str]) -> tuple[dict[str, Any], list[Message]]:
    """The properties that a hit has, and the messages of those that are not of their kind."""
    data: dict[str, Any] = {}
    wrong: list[Message] = []
    for parameter, (name, kind) in fields.properties.items():
        if parameter in hit:
            try:
                data[name] = typed(name, kind, hit[parameter])
            except AdapterFailure as failure:
                wrong.extend(dict(message) for message in failure.messages)
    return data, wrong


def composites(hit: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """The entities of numbered parameters: one for each schema and set of numbers, in order of first sight.

    Raises ``AdapterFailure`` for the first name or value that cannot be. enrich 6.10 pairs columns of values instead
    and mixes products up whose sets of fields differ.
    """
    found: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
    for parameter, text in hit.items():
        if not _HAS_DIGIT.search(parameter):
            continue
        parts = _COMPOSITE.fullmatch(parameter)
        if parts is None:
            raise bad_input(parameter, None, f"composite field name has to conform to regex {COMPOSITE}")
        letters = tuple(part for part in (parts[1], parts[3], parts[5]) if part)
        numbers = tuple(part for part in (parts[2], parts[4], parts[6]) if part)
        match = _pattern(letters, len(numbers))
        if match is None:
            continue
        (fields, names, with_currency), field = match
        entity = found.get((fields.schema, numbers))
        if entity is None:
            entity = {name: typed(name, "I", number) for name, number in zip(names, numbers, strict=True)}
            found[(fields.schema, numbers)] = entity
        name, kind = fields.properties[field]
        entity[name] = typed(name, kind, text)
        if with_currency and "cu" in hit:
            entity["currencyCode"] = hit["cu"]
    return [(schema, entity) for (schema, _), entity in found.items()]


def _pattern(letters: tuple[str, ...], numbers: int) -> tuple[tuple[Fields, tuple[str, ...], bool], str] | None:
    """The row of ``_COMPOSITES`` for a name's letters, with its field; ``None`` for names that mean nothing."""
    for key, field in ((letters, letters[-1]), ((*letters[:-1], "*"), letters[-1])):
        row = _COMPOSITES.get(key)
        if row is not None and len(row[1]) == numbers and field in row[0].properties:
            return row, field
    return None
