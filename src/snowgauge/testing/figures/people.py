"""Random people: visits with page views, stored events and goals at few different times, so that many are equal."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.testing.events import described, web_page_view

PAGES = ("/", "/a", "/a/b", "/c")
EVENTS = ("search", "play")
GOALS = ("signup", "buy")
COUNTRIES = ("DE", "US", "")
_LONGEST_VISIT = 2 * 86_400_000
AMOUNT = "event:props:unstruct_event/com.acme/play/1/amount"


@dataclass(frozen=True)
class Did:
    """One event. ``kind``: page, event or goal; ``moment``: its time (ms) and id, by which events are ordered."""

    person: str
    visit: str
    moment: tuple[int, str]
    kind: str
    name: str
    country: str
    amount: float | None = None

    @property
    def ms(self) -> int:
        return self.moment[0]


@dataclass(repr=False)
class People:
    """``did``: everything; ``rows`` and ``stored``: what holds it in a store."""

    did: list[Did] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"sessions": [], "page_views": [], "conversions": []}
    )
    stored: list[EnrichedEvent] = field(default_factory=list)


def people(seed: int, *, start: int, moments: int, step: int, count: int = 30, most: int = 8) -> People:
    """Deterministic. Events happen at ``moments`` different times, ``step`` ms apart."""
    chance = random.Random(seed)  # noqa: S311 - test data
    made = People()
    for number in range(count):
        person = f"p{seed}-{number}"
        for visit in range(chance.choice((1, 1, 2, 3))):
            _visit(made, chance, person, f"{person}-{visit}", start, moments, step, most)
    return made


def _visit(
    made: People, chance: random.Random, person: str, session: str, start: int, moments: int, step: int, most: int
) -> None:
    country = chance.choice(COUNTRIES)
    whose = {"session_id": session, "unit": session, "app_id": "web", "person_id": person}
    first, length = chance.randrange(moments), max(1, min(moments, _LONGEST_VISIT // step))
    times = sorted(start + (first + chance.randrange(length)) * step for _ in range(chance.randrange(1, most + 1)))
    made.rows["sessions"].append(
        {
            **whose, "visitor_id": person, "start_tstamp": times[0], "end_tstamp": times[-1], "geo_country": country,
        }
    )  # fmt: skip
    for at in times:
        event_id = str(UUID(int=chance.getrandbits(128), version=4))
        kind = chance.choice(("page", "page", "page", "event", "goal"))
        if kind == "event":
            name, amount = chance.choice(EVENTS), chance.choice((None, 1.5, 2.0, 10.0))
            amount = amount if name == "play" else None
            made.stored.append(_stored(event_id, at, session, name, amount))
        else:
            name, amount = chance.choice(PAGES), None
            made.rows["page_views"].append(
                {
                    **whose, "view_id": event_id, "event_id": event_id, "view_type": "page", "start_tstamp": at,
                    "end_tstamp": at, "page_path": name,
                }
            )  # fmt: skip
            made.stored.append(_stored(event_id, at, session, "page_view", None))
            made.did.append(Did(person, session, (at, event_id), "event", "page_view", country))
            if kind == "goal":
                # the view is what reached the goal
                made.did.append(Did(person, session, (at, event_id), "page", name, country))
                name, amount = chance.choice(GOALS), chance.choice((None, 5.0, 7.25))
                made.rows["conversions"].append(
                    {
                        **whose, "event_id": event_id, "view_id": event_id, "goal": name, "t": at, "value": amount,
                        "currency": "EUR" if amount is not None else "",
                    }
                )  # fmt: skip
        made.did.append(Did(person, session, (at, event_id), kind, name, country, amount))


def _stored(event_id: str, at: int, session: str, name: str, amount: float | None) -> EnrichedEvent:
    is_view = name == "page_view"
    data = {} if amount is None else {"amount": amount}
    return web_page_view(
        event_id=event_id, app_id="web", collector_tstamp=at + 20, derived_tstamp=at, domain_sessionid=session,
        event="page_view" if is_view else "unstruct", event_name=name,
        event_vendor="com.snowplowanalytics.snowplow" if is_view else "com.acme", contexts=[], derived_contexts=[],
        unstruct_event=None if is_view else described(f"iglu:com.acme/{name}/jsonschema/1-0-0", data),
    )  # fmt: skip
