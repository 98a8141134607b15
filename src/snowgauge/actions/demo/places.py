"""Where the made-up visitors are. Their addresses are those that RFC 5737 and RFC 3849 keep for documentation.

No database of places knows these addresses, so an enrichment of their own says where they are, as ``ip_lookups`` does
for real ones. It runs while seeding and never otherwise.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple

from snowgauge.actions.demo.chance import Shares
from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing

_NETWORKS = ("192.0.2.0", "198.51.100.0", "203.0.113.0")
_BLOCK = 32
"""Addresses of a network that are in one place."""
_SIXES = 0x20010DB8 << 96


class Place(NamedTuple):
    country: str
    region: str
    region_name: str
    city: str
    latitude: float
    longitude: float
    timezone: str
    language: str


_SHARES: list[tuple[float, Place]] = [
    (17, Place("DE", "BE", "Land Berlin", "Berlin", 52.52, 13.4, "Europe/Berlin", "de-DE")),
    (9, Place("DE", "BY", "Bavaria", "Munich", 48.14, 11.58, "Europe/Berlin", "de-DE")),
    (5, Place("DE", "HH", "Hamburg", "Hamburg", 53.55, 10.0, "Europe/Berlin", "de-DE")),
    (7, Place("AT", "7", "Tyrol", "Innsbruck", 47.26, 11.39, "Europe/Vienna", "de-AT")),
    (6, Place("CH", "ZH", "Zurich", "Zurich", 47.37, 8.55, "Europe/Zurich", "de-CH")),
    (10, Place("GB", "ENG", "England", "London", 51.51, -0.13, "Europe/London", "en-GB")),
    (3, Place("GB", "SCT", "Scotland", "Edinburgh", 55.95, -3.19, "Europe/London", "en-GB")),
    (7, Place("FR", "ARA", "Auvergne-Rhône-Alpes", "Grenoble", 45.17, 5.72, "Europe/Paris", "fr-FR")),
    (4, Place("FR", "IDF", "Île-de-France", "Paris", 48.86, 2.35, "Europe/Paris", "fr-FR")),
    (5, Place("NL", "NH", "North Holland", "Amsterdam", 52.37, 4.9, "Europe/Amsterdam", "nl-NL")),
    (4, Place("SE", "AB", "Stockholm", "Stockholm", 59.33, 18.07, "Europe/Stockholm", "sv-SE")),
    (3, Place("NO", "03", "Oslo", "Oslo", 59.91, 10.75, "Europe/Oslo", "nb-NO")),
    (3, Place("IT", "32", "Trentino-Alto Adige", "Bolzano", 46.5, 11.35, "Europe/Rome", "it-IT")),
    (3, Place("PL", "14", "Mazovia", "Warsaw", 52.23, 21.01, "Europe/Warsaw", "pl-PL")),
    (2, Place("ES", "MD", "Madrid", "Madrid", 40.42, -3.7, "Europe/Madrid", "es-ES")),
    (2, Place("CZ", "10", "Prague", "Prague", 50.09, 14.42, "Europe/Prague", "cs-CZ")),
    (2, Place("DK", "84", "Capital Region", "Copenhagen", 55.68, 12.57, "Europe/Copenhagen", "da-DK")),
    (2, Place("FI", "18", "Uusimaa", "Helsinki", 60.17, 24.94, "Europe/Helsinki", "fi-FI")),
    (4, Place("US", "NY", "New York", "New York", 40.71, -74.01, "America/New_York", "en-US")),
    (4, Place("US", "CO", "Colorado", "Denver", 39.74, -104.98, "America/Denver", "en-US")),
    (3, Place("CA", "QC", "Quebec", "Montreal", 45.5, -73.57, "America/Toronto", "fr-CA")),
    (2, Place("JP", "01", "Hokkaido", "Sapporo", 43.06, 141.35, "Asia/Tokyo", "ja-JP")),
    (1, Place("BR", "SP", "São Paulo", "São Paulo", -23.55, -46.63, "America/Sao_Paulo", "pt-BR")),
    (1, Place("AU", "VIC", "Victoria", "Melbourne", -37.81, 144.96, "Australia/Melbourne", "en-AU")),
]
_PLACES = [place for _, place in _SHARES]
_CHOICE = Shares(_SHARES)


def somewhere(chance: Random) -> tuple[Place, str]:
    """A place and an address there, as the collector writes addresses."""
    number = _CHOICE.place(chance)
    if chance.random() < 0.3:
        address = _SIXES | number << 80 | chance.getrandbits(64)
        return _PLACES[number], f"[{ipaddress.IPv6Address(address)}]"
    network, block = divmod(number, 256 // _BLOCK)
    first = int(ipaddress.IPv4Address(_NETWORKS[network])) + block * _BLOCK
    return _PLACES[number], str(ipaddress.IPv4Address(first + chance.randrange(_BLOCK)))


@lru_cache(maxsize=10_000)
def place_of(address: str) -> Place | None:
    """Where one of these addresses is."""
    try:
        found = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return None
    if found.version == 6:
        number = int(found) >> 80 & 0xFFFF if int(found) >> 96 == _SIXES >> 96 else len(_PLACES)
    else:
        network = str(ipaddress.IPv4Address(int(found) & ~0xFF))
        if network not in _NETWORKS:
            return None
        number = _NETWORKS.index(network) * (256 // _BLOCK) + (int(found) & 0xFF) // _BLOCK
    return _PLACES[number] if number < len(_PLACES) else None


class DocumentationAddresses(Enrichment):
    """Sets the geo columns of made-up visitors."""

    identifier = "demo-places"
    runs_at = PLACES["weather_enrichment_config"] + 1  # no weather is asked for whom nobody rained on

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:  # noqa: ARG002
        place = place_of(event.user_ipaddress) if event.user_ipaddress else None
        if place is not None:
            event.geo_country, event.geo_city, event.geo_timezone = place.country, place.city, place.timezone
            event.geo_region, event.geo_region_name = place.region, place.region_name
            event.geo_latitude, event.geo_longitude = place.latitude, place.longitude
        return ()
