"""Cookie extractor: chosen cookies of the request as entities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing

ENTITY = SchemaKey("org.ietf", "http_cookie", "jsonschema", 1, 0, 0)
_BLANK = " \t\r\n"


class CookieExtractor(Enrichment):
    """Attaches one ``org.ietf/http_cookie/jsonschema/1-0-0`` (name, value) for each listed cookie of the request.

    Names are compared with regard to case; the order is that of the header and duplicates are kept. A cookie without
    ``=`` has the value null; a value in double quotes is unquoted; a comma outside quotes ends the header (the rules
    of Apache HttpComponents 4, which enrich uses). Only first-party cookies that the collector received and stored
    can be seen.

    Sets no column and never fails. Source: enrich 6.10.
    """

    config = "iglu:com.snowplowanalytics.snowplow/cookie_extractor_config/jsonschema/1-0-*"
    identifier = "cookie-extractor"
    runs_at = PLACES["cookie_extractor_config"]
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow/cookie_extractor_config/jsonschema/1-0-0",
        "data": {
            "name": "cookie_extractor_config",
            "vendor": "com.snowplowanalytics.snowplow",
            "enabled": True,
            "parameters": {"cookies": ["sp", "session"]},
        },
    }

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> CookieExtractor:  # noqa: ARG003
        return cls(Parameters(parameters).texts("cookies"))

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:  # noqa: ARG002
        found: list[SelfDescribing] = []
        for header in source.headers:
            name, colon, text = header.partition(":")
            if colon and name.lower() == "cookie":
                found += [
                    SelfDescribing(ENTITY, {"name": cookie, "value": value})
                    for cookie, value in parse_cookies(text)
                    if cookie in self._names
                ]
        return found


def parse_cookies(text: str) -> Iterator[tuple[str, str | None]]:
    """Name and value of each cookie of a ``Cookie`` header."""
    pos, size = 0, len(text)
    while pos < size and text[pos] in _BLANK:
        pos += 1
    while pos < size:
        name, pos = _token(text, pos, "=;,", quotes=False)
        value = None
        if pos < size and text[pos] == "=":
            value, pos = _token(text, pos + 1, ";,", quotes=True)
        yield name, value
        if pos < size and text[pos] == ",":
            return
        pos += 1


def _token(text: str, pos: int, ends: str, *, quotes: bool) -> tuple[str, int]:
    """One piece up to a character of ``ends``: outer blanks dropped, inner runs of blanks made one space."""
    out: list[str] = []
    blank = False
    size = len(text)
    while pos < size and (char := text[pos]) not in ends:
        if char in _BLANK:
            blank = True
            pos += 1
            continue
        if blank and out:
            out.append(" ")
        blank = False
        if quotes and char == '"':
            quoted, pos = _quoted(text, pos + 1)
            out.append(quoted)
        else:
            start = pos
            while (
                pos < size and text[pos] not in ends and text[pos] not in _BLANK and not (quotes and text[pos] == '"')
            ):
                pos += 1
            out.append(text[start:pos])
    return "".join(out), pos


def _quoted(text: str, pos: int) -> tuple[str, int]:
    out: list[str] = []
    size = len(text)
    while pos < size:
        char = text[pos]
        pos += 1
        if char == '"':
            break
        if char == "\\" and pos < size:
            following = text[pos]
            pos += 1
            out.append(following if following in '"\\' else "\\" + following)
        elif char not in "\r\n":
            out.append(char)
    return "".join(out), pos
