"""IP anonymisation: parts of the user's IP address are replaced by ``x``."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing

_CACHED = 20_000
_MASK = "x"
_MAPPED = "::FFFF:"
_OCTETS, _SEGMENTS = 4, 8


class AnonIp(Enrichment):
    """Masks the last ``anonOctets`` octets of an IPv4 and the last ``anonSegments`` groups of an IPv6 address.

    ``198.51.100.7`` with three octets becomes ``198.x.x.x``; ``2001:db8::8a2e:370:7334`` with four segments becomes
    ``2001:db8:0:0:x:x:x:x``. Without ``anonSegments`` the number of octets counts for both. An IPv4 address written
    as IPv6 (``::ffff:1.2.3.4``) is masked as IPv4. Text that is no address is split at its dots, else at its colons,
    and masked likewise; other text stays. It runs after all enrichments that need the real address.

    Two cases differ from enrich 6.10, which leaves the whole address readable in them: an IPv4 address that hides in
    the hexadecimal end of an IPv6 one (``::ffff:102:304``) is masked as ``::ffff:1.2.3.x``, and the zone of a scoped
    address (``fe80::1%eth0``) is dropped.

    Sets user_ipaddress. Attaches nothing and never fails. Source: enrich 6.10.
    """

    config = "iglu:com.snowplowanalytics.snowplow/anon_ip/jsonschema/1-0-*"
    identifier = "anon-ip"
    runs_at = PLACES["anon_ip"]
    conceals = True
    fields = ("user_ipaddress",)
    default: ClassVar[dict[str, Any] | None] = {"anonOctets": 1, "anonSegments": 3}
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow/anon_ip/jsonschema/1-0-1",
        "data": {
            "name": "anon_ip",
            "vendor": "com.snowplowanalytics.snowplow",
            "enabled": True,
            "parameters": {"anonOctets": 1, "anonSegments": 3},
        },
    }

    def __init__(self, octets: int, segments: int) -> None:
        self._octets = octets
        self._segments = segments
        self._masked = lru_cache(maxsize=_CACHED)(self.mask)

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> AnonIp:  # noqa: ARG003
        read = Parameters(parameters)
        octets = read.integer("anonOctets", 1, _OCTETS)
        return cls(octets, read.integer("anonSegments", 1, _SEGMENTS, default=octets))

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:  # noqa: ARG002
        if event.user_ipaddress is not None:
            event.user_ipaddress = self._masked(event.user_ipaddress) or None
        return ()

    def mask(self, text: str) -> str:
        """The masked form of an address or of what stands in its place."""
        try:
            address = ipaddress.ip_address(text.partition("%")[0] if ":" in text else text)
        except ValueError:
            return self._mask_invalid(text)
        if isinstance(address, ipaddress.IPv4Address):
            return self._mask_dotted(text)
        if address.ipv4_mapped is not None:
            if "." not in text:
                return "::ffff:" + self._mask_dotted(str(address.ipv4_mapped))
            if text.startswith(_MAPPED):
                return _MAPPED + self._mask_dotted(text.removeprefix(_MAPPED))
            return self._mask_dotted(text)
        groups = [f"{int(group, 16):x}" for group in address.exploded.partition("%")[0].split(":")]
        return self._mask_groups(groups)

    def _mask_invalid(self, text: str) -> str:
        if "." in text or not text:
            return self._mask_dotted(text)
        if ":" in text:
            return self._mask_groups(_split(text, ":"))
        return text

    def _mask_dotted(self, text: str) -> str:
        pieces = _split(text, ".")
        kept = pieces[: _OCTETS - self._octets]
        return ".".join(kept + [_MASK] * (len(pieces) - len(kept)))

    def _mask_groups(self, groups: list[str]) -> str:
        kept = groups[: _SEGMENTS - self._segments]
        return ":".join(kept + [_MASK] * (_SEGMENTS - len(kept)))


def _split(text: str, separator: str) -> list[str]:
    """As Java splits: empty pieces at the end are dropped, so that separators alone are none; the empty text is one."""
    if not text:
        return [""]
    pieces = text.split(separator)
    while pieces and not pieces[-1]:
        pieces.pop()
    return pieces
