"""Every measure, dimension and filter over the rows of a ``World``, one row at a time in plain Python.

Written from the words of the definitions, and knowing nothing of how they are made into SQL.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from snowgauge.testing.figures.world import ENTITY, EVENT, World

Row = Mapping[str, Any]
Key = tuple[Any, ...]
MISSING = object()
"""What a row has that can have no value of a dimension."""

KINDS = ("views", "goals", "shop", "vitals", "errors", "events")
"""What single events are, in the order in which they are asked."""

_TABLES = {
    "visits": "sessions", "entries": "sessions", "views": "page_views", "goals": "conversions",
    "shop": "ecommerce_actions", "vitals": "web_vitals", "errors": "app_errors",
}  # fmt: skip
_VISIT = {
    "visit:channel": "channel", "visit:source": "source", "visit:referrer_host": "refr_urlhost",
    "visit:utm_campaign": "mkt_campaign", "visit:entry_page": "entry_path", "visit:exit_page": "exit_path",
    "visit:country": "geo_country", "visit:device": "dvce_type", "visit:browser": "br_family",
    "visit:platform": "platform",
}  # fmt: skip
_PAGE = {
    "event:page": "page_path", "event:hostname": "page_urlhost", "event:page_title": "page_title",
    "event:content_group": "content_group", "event:previous_page": "previous_path", "event:next_page": "next_path",
}  # fmt: skip
_ENTRY = {
    "event:page": "entry_path", "event:hostname": "entry_host", "event:page_title": "entry_title",
    "event:content_group": "entry_content_group",
}  # fmt: skip
_OWN = {
    "goals": {"event:goal": "goal", "event:currency": "currency"},
    "shop": {"shop:product": "name", "shop:action": "action", "shop:currency": "currency", "shop:brand": "brand"},
    "vitals": {"event:page": "page_path", "event:content_group": "content_group", "vitals:device": "dvce_type"},
    "errors": {"error:message": "message", "event:page": "page_path"},
    "events": {"event:name": "event_name"},
}
PROPERTIES = {
    "event:props:contexts/com.acme/cart/1/kind": ENTITY,
    "event:props:unstruct_event/com.acme/search/1/term": EVENT,
}
VISIT_NUMBERS = {"visit:views": "views", "visit:duration": "duration_s"}
VIEW_NUMBERS = {"event:scroll": "scroll_pct", "event:engaged": "engaged_s"}
DIMENSIONS = (
    "app", *_VISIT, "visit:visitor", "visit:login", "visit:referrer", "visit:region", "visit:engagement",
    *VISIT_NUMBERS,
    *_PAGE, *VIEW_NUMBERS, "event:goal", "event:currency", "shop:product", "shop:action", "vitals:device",
    "error:message", "event:name", *PROPERTIES,
)  # fmt: skip
"""Those that it can compute."""


class Nonsense(Exception):
    """The question makes no sense."""


@dataclass(frozen=True)
class Asked:
    """Of the question what the oracle needs. ``buckets``: starts and labels, for ``time``."""

    metrics: Sequence[str]
    dimensions: Sequence[str]
    filters: Sequence[Any]
    start: int
    end: int
    apps: Sequence[str]
    traffic: str
    zone: str
    buckets: Sequence[tuple[int, str]] = ()


class Oracle:
    def __init__(self, world: World, asked: Asked) -> None:
        self._asked = asked
        self._visits = {row["session_id"]: row for row in world.rows["sessions"]}
        self._views = {row["view_id"]: row for row in world.rows["page_views"]}
        self._rows: dict[str, list[Row]] = {kind: list(world.rows[table]) for kind, table in _TABLES.items()}
        self._rows["events"] = list(world.events)

    # ---- values -------------------------------------------------------------------------------------------------

    def values(self, kind: str, row: Row, dimension: str) -> Any:
        """Its value, ``None`` where it is not set; a list of a property's; ``MISSING``."""
        if dimension == "app":
            return row["app_id"] or None
        if dimension in PROPERTIES:
            return list(row[PROPERTIES[dimension]]) if kind == "events" else MISSING
        if dimension in _OWN.get(kind, {}):
            return row.get(_OWN[kind][dimension]) or None
        if kind == "entries" and dimension in _ENTRY:
            return row.get(_ENTRY[dimension]) or None
        if dimension in _PAGE or dimension in VIEW_NUMBERS:
            return self._of_view(kind, row, dimension)
        if dimension.startswith("visit:"):
            return self._of_visit(self._visit(kind, row), dimension)
        return MISSING

    def _of_view(self, kind: str, row: Row, dimension: str) -> Any:
        if kind not in ("views", "goals", "shop", "vitals"):
            return MISSING
        view = row if kind == "views" else self._views.get(row.get("view_id") or "")
        column = (_PAGE | VIEW_NUMBERS)[dimension]
        value = None if view is None else view.get(column)
        return value if dimension in VIEW_NUMBERS else value or None

    def _visit(self, kind: str, row: Row) -> Row | None:
        return row if kind in ("visits", "entries") else self._visits.get(row.get("session_id") or "")

    @staticmethod
    def _of_visit(visit: Row | None, dimension: str) -> Any:
        if visit is None:
            return None
        if dimension in VISIT_NUMBERS:
            return visit[VISIT_NUMBERS[dimension]]
        if dimension == "visit:visitor":
            return "new" if visit["is_new_visitor"] else "returning"
        if dimension == "visit:login":
            return "known" if visit["user_id"] else "anonymous"
        if dimension == "visit:engagement":
            return "bounced" if visit["is_bounce"] else "engaged"
        if dimension == "visit:referrer":
            return visit["refr_urlhost"] + visit["refr_urlpath"] or None
        if dimension == "visit:region":
            return f"{visit['geo_country']}-{visit['geo_region']}" if visit["geo_region"] else None
        return visit.get(_VISIT[dimension]) or None

    # ---- filters ------------------------------------------------------------------------------------------------

    def carries(self, kind: str, one: Any) -> bool:
        name = one[0]
        if name in ("same_visit", "has_done", "has_not_done"):
            return False
        if name == "not":
            return self.carries(kind, one[1])
        if name in ("and", "or", "same_event"):
            return all(self.carries(kind, part) for part in one[1])
        return self._has(kind, one[1])

    def _has(self, kind: str, dimension: str) -> bool:
        if dimension == "app":
            return True
        if dimension in PROPERTIES:
            return kind == "events"
        if dimension in _OWN.get(kind, {}) or (kind == "entries" and dimension in _ENTRY):
            return True
        if dimension in _PAGE or dimension in VIEW_NUMBERS:
            return kind in ("views", "goals", "shop", "vitals")
        return dimension.startswith("visit:")

    def _kind_of(self, *parts: Any) -> str | None:
        return next((kind for kind in KINDS if all(self.carries(kind, part) for part in parts)), None)

    def holds(self, kind: str, row: Row, one: Any) -> bool:
        """The row itself meets a filter that it carries."""
        name = one[0]
        if name == "not":
            return not self.holds(kind, row, one[1])
        if name == "or":
            return any(self.holds(kind, row, part) for part in one[1])
        if name in ("and", "same_event"):
            return all(self.holds(kind, row, part) for part in one[1])
        folds = len(one) > 3 and one[3].get("case_sensitive") is False
        return compare(name, self.values(kind, row, one[1]), one[2] if len(one) > 2 else [], folds=folds)

    def meets(self, kind: str, row: Row, filters: Sequence[Any]) -> bool:
        """The row meets all of them, itself or by what else is of its visit."""
        apart = [one for one in filters if self._apart(kind, one)]
        groups: list[list[Any]] = []
        for one in apart:
            for group in groups:
                if self._kind_of(*group, one) is not None:
                    group.append(one)
                    break
            else:
                groups.append([one])
        met = all(self._one(kind, row, one) for one in filters if one not in apart)
        return met and all(self._visit_has(kind, row, ["and", group]) for group in groups)

    def _apart(self, kind: str, one: Any) -> bool:
        if one[0] in ("same_visit", "has_done", "has_not_done"):
            return False
        return not self.carries(kind, one) and self._kind_of(one) is not None

    def _one(self, kind: str, row: Row, one: Any) -> bool:
        name = one[0]
        if name == "has_done":
            return self._visit_has(kind, row, one[1])
        if name == "has_not_done":
            return bool(row.get("session_id")) and not self._visit_has(kind, row, one[1])
        if name == "same_visit":
            return all(self._visit_has(kind, row, part) for part in one[1])
        if self.carries(kind, one):
            return self.holds(kind, row, one)
        if name == "and":
            return self.meets(kind, row, one[1])
        if self._kind_of(one) is not None or name == "same_event":
            return self._visit_has(kind, row, one)
        if name == "or":
            return any(self._one(kind, row, part) for part in one[1])
        return not self._one(kind, row, one[1])

    def _visit_has(self, _kind: str, row: Row, one: Any) -> bool:
        kind = self._kind_of(one)
        if kind is None:
            raise Nonsense
        session = row.get("session_id")
        if not session:
            return False
        return any(
            other.get("session_id") == session and self._of_apps(other) and self.holds(kind, other, one)
            for other in self._rows[kind]
        )

    def _of_apps(self, row: Row) -> bool:
        return not self._asked.apps or row["app_id"] in self._asked.apps

    def _check(self, kind: str, one: Any) -> None:
        """Raises ``Nonsense`` for what no single event can be asked, whichever rows there are."""
        name = one[0]
        asked = {"has_done": [one[1]], "has_not_done": [one[1]], "same_visit": one[1]}.get(name)
        if asked is None and (self.carries(kind, one) or self._kind_of(one) is not None):
            return
        if asked is None and name in ("and", "or", "not"):
            for part in [one[1]] if name == "not" else one[1]:
                self._check(kind, part)
            return
        if any(self._kind_of(part) is None for part in asked or [one]):
            raise Nonsense

    # ---- rows ---------------------------------------------------------------------------------------------------

    def rows(self, kind: str, filters: Sequence[Any]) -> list[Row]:
        for one in filters:
            self._check(kind, one)
        found = []
        for row in self._rows[kind]:
            at = row.get("start_tstamp", row.get("t"))
            assert at is not None
            within = self._asked.start <= at < self._asked.end and self._of_apps(row)
            if within and self._wanted(kind, row) and self.meets(kind, row, filters):
                found.append(row)
        return found

    def _wanted(self, kind: str, row: Row) -> bool:
        visit = self._visit(kind, row)
        own = kind in ("visits", "entries", "views", "goals", "vitals", "shop")
        is_bot = bool(row.get("is_bot") if own else visit is not None and visit["is_bot"])
        source = row if kind == "views" else visit
        is_internal = bool(source is not None and source.get("is_internal"))
        return {
            "people": not is_bot and not is_internal, "bots": is_bot, "internal": is_internal, "all": True
        }[self._asked.traffic]  # fmt: skip

    def keys(self, kind: str, row: Row, dimensions: Sequence[str]) -> Iterable[Key]:
        """The groups that a row is in: several, where a property has several values."""
        found: list[Key] = [()]
        for one in dimensions:
            if one.startswith("time"):
                values = [self._time(one, row)]
            else:
                value = self.values(kind, row, one)
                values = (value or [None]) if isinstance(value, list) else [value]
            found = [(*key, value) for key in found for value in values]
        return found

    def _time(self, dimension: str, row: Row) -> Any:
        at = row.get("start_tstamp", row.get("t"))
        assert at is not None
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(self._asked.zone))
        if dimension == "time:hour_of_day":
            return local.hour
        if dimension == "time:day_of_week":
            return local.isoweekday()
        return [label for start, label in self._asked.buckets if start <= at][-1]

    def person(self, kind: str, row: Row) -> str:
        if kind in ("events", "vitals"):
            visit = self._visit(kind, row)
            return "" if visit is None else visit["person_id"]
        return row.get("person_id") or ""

    # ---- answers ------------------------------------------------------------------------------------------------

    def kind_for(self, kinds: Sequence[str]) -> str:
        """The first of these that has all dimensions."""
        plain = [one for one in self._asked.dimensions if not one.startswith("time")]
        for kind in kinds:
            if all(self._has(kind, one) for one in plain):
                return kind
        raise Nonsense

    def grouped(self, kind: str, dimensions: Sequence[str], filters: Sequence[Any]) -> dict[Key, list[Row]]:
        found: dict[Key, list[Row]] = {}
        for row in self.rows(kind, filters):
            if not self._has_property(kind, row, dimensions):
                continue
            for key in self.keys(kind, row, dimensions):
                found.setdefault(key, []).append(row)
        return found

    @staticmethod
    def _has_property(kind: str, row: Row, dimensions: Sequence[str]) -> bool:
        """Only events that a property could be of are divided by it."""
        if kind != "events":
            return True
        return not any(
            (PROPERTIES[one] == ENTITY and not row["has_entity"])
            or (PROPERTIES[one] == EVENT and row["event_name"] != "search")
            for one in dimensions
            if one in PROPERTIES
        )

    def answer(self) -> dict[Key, list[float | None]]:
        """Values of the metrics by the values of the dimensions."""
        parts = [MEASURES[name](self) for name in self._asked.metrics]
        keys = {key for part in parts for key in part.keys}
        if not self._asked.dimensions:
            keys.add(())
        return {key: [part.of(key) for part in parts] for key in keys}


def compare(operator: str, value: Any, given: Sequence[Any], *, folds: bool) -> bool:
    """Does a value, or one of a list of them, meet the operator?"""
    negated = operator in ("is_not", "is_not_set") or operator.endswith("_not")
    plain = {"is_not": "is", "is_not_set": "is_set"}.get(operator, operator.removesuffix("_not"))
    values = value if isinstance(value, list) else [value]
    if isinstance(value, list) and not value:
        values = [None]
    met = any(_meets(plain, one, given, folds=folds) for one in values)
    return met != negated


def _meets(operator: str, value: Any, given: Sequence[Any], *, folds: bool) -> bool:
    if operator == "is_set":
        return value not in (None, "")
    if isinstance(value, int | float) and not isinstance(value, bool):
        tests: dict[str, Callable[[float, float], bool]] = {
            "is": lambda a, b: a == b, "greater": lambda a, b: a > b, "at_least": lambda a, b: a >= b,
            "less": lambda a, b: a < b, "at_most": lambda a, b: a <= b,
        }  # fmt: skip
        return any(tests[operator](value, one) for one in given)
    if value is None and any(isinstance(one, int | float) for one in given):
        return False
    text = value or ""
    return any(_text_meets(operator, text, "" if one is None else str(one), folds=folds) for one in given)


def _text_meets(operator: str, text: str, given: str, *, folds: bool) -> bool:
    if folds:
        text, given = text.lower(), given.lower()
    match operator:
        case "is":
            return text == given
        case "contains":
            return given in text
        case "starts_with":
            return text.startswith(given)
        case "matches":
            return re.search(given, text, re.DOTALL) is not None
    pattern = "".join(
        (".*" if len(piece) > 1 else "[^/]*") if place % 2 else re.escape(piece)
        for place, piece in enumerate(re.split(r"(\*+)", given))
    )
    return re.fullmatch(pattern, text, re.DOTALL) is not None


@dataclass
class _Part:
    """The values of one metric by key, and what it is where a key has none."""

    keys: set[Key]
    of: Callable[[Key], float | None]


_Aggregate = Callable[[Oracle, str, list[Row]], float | None]
_ANY = ("visits", *KINDS)


def _simple(kinds: Sequence[str], aggregate: _Aggregate, *, empty: float | None = 0) -> Callable[[Oracle], _Part]:
    def make(oracle: Oracle) -> _Part:
        kind = oracle.kind_for(kinds)
        asked = oracle._asked
        groups = oracle.grouped(kind, asked.dimensions, asked.filters)
        values = {key: aggregate(oracle, kind, rows) for key, rows in groups.items()}
        return _Part(set(values), lambda key: values.get(key, empty))

    return make


def _divided(
    part: Callable[[Oracle], _Part], whole: Callable[[Oracle], _Part], times: float = 100
) -> Callable[[Oracle], _Part]:
    def make(oracle: Oracle) -> _Part:
        top, bottom = part(oracle), whole(oracle)

        def of(key: Key) -> float | None:
            upper, lower = top.of(key), bottom.of(key)
            return None if not lower or upper is None else times * upper / lower

        return _Part(top.keys | bottom.keys, of)

    return make


def _reference(kinds: Sequence[str], aggregate: _Aggregate, *, of_all: bool) -> Callable[[Oracle], _Part]:
    """What others are compared with, without goals and events in filters and dimensions."""

    def make(oracle: Oracle) -> _Part:
        asked = oracle._asked
        kept = [
            at for at, one in enumerate(asked.dimensions)
            if one.startswith("time") or (not of_all and any(oracle._has(kind, one) for kind in ("visits", "views")))
        ]  # fmt: skip
        dimensions = [asked.dimensions[at] for at in kept]
        plain = [one for one in dimensions if not one.startswith("time")]
        kind = next((kind for kind in kinds if all(oracle._has(kind, one) for one in plain)), None)
        if kind is None:
            raise Nonsense
        groups = oracle.grouped(kind, dimensions, _common(oracle, asked.filters))
        values = {key: aggregate(oracle, kind, rows) for key, rows in groups.items()}
        return _Part(set(), lambda key: values.get(tuple(key[at] for at in kept), 0))

    return make


def _common(oracle: Oracle, filters: Sequence[Any]) -> list[Any]:
    def names(one: Any) -> list[str]:
        if one[0] in ("not", "has_done", "has_not_done"):
            return names(one[1])
        if one[0] in ("and", "or", "same_event", "same_visit"):
            return [name for part in one[1] for name in names(part)]
        return [one[1]]

    found = []
    for one in filters:
        if all(oracle._has("visits", name) or oracle._has("views", name) for name in names(one)):
            found.append(one)
        elif one[0] in ("and", "same_event", "same_visit") and (parts := _common(oracle, one[1])):
            found.append([one[0], parts])
    return found


def _people(oracle: Oracle, kind: str, rows: list[Row]) -> float:
    return len({oracle.person(kind, row) for row in rows} - {""})


def _sessions(_oracle: Oracle, _kind: str, rows: list[Row]) -> float:
    return len({row.get("session_id") or "" for row in rows} - {""})


def _count(_oracle: Oracle, _kind: str, rows: list[Row]) -> float:
    return len(rows)


def _of(measure: Callable[[list[Row]], float | None]) -> _Aggregate:
    return lambda _oracle, _kind, rows: measure(rows)


def _mean(numbers: Sequence[float]) -> float | None:
    return statistics.fmean(numbers) if numbers else None


def quantile(level: float, numbers: Sequence[float]) -> float | None:
    """Interpolated between neighbours."""
    if not numbers:
        return None
    ordered = sorted(numbers)
    place = level * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _times(rows: list[Row]) -> list[float]:
    """Engaged times of the views that count for time on page."""
    return [
        row.get("engaged_s", 0) for row in rows if row.get("engaged_s", 0) > 0 or (row.get("views_in_session") or 1) > 1
    ]


def _scroll(rows: list[Row]) -> float | None:
    most: dict[tuple[str, str], float] = {}
    for row in rows:
        if row.get("scroll_pct") is not None:
            place = (row.get("session_id") or row["view_id"], row.get("page_path", ""))
            most[place] = max(most.get(place, 0.0), row["scroll_pct"])
    return _mean(list(most.values()))


def _money(currency: str, amount: str, total: Callable[[list[Row]], float | None]) -> _Aggregate:
    def measure(_oracle: Oracle, _kind: str, rows: list[Row]) -> float | None:
        names = {row[currency] for row in rows if row[amount] is not None and row[currency]}
        return None if len(names) > 1 else total(rows)

    return measure


def _values(rows: list[Row]) -> list[float]:
    return [row["value"] for row in rows if row["value"] is not None]


def _bought(row: Row) -> bool:
    return bool(row["is_first_of_transaction"]) and row["action"] != "refund"


def _transactions(rows: list[Row]) -> float:
    return len({(row["app_id"], row["transaction_id"]) for row in rows if _bought(row)})


def _shop_revenue(rows: list[Row]) -> float:
    counted: dict[Any, float] = {}
    for row in rows:
        if (_bought(row) or row["action"] == "refund") and row["revenue"] is not None:
            counted[row["event_id"]] = row["revenue"]
    return sum(counted.values())


def _carts(rows: list[Row], *, abandoned: bool) -> float:
    filled = {row["session_id"] for row in rows if row["action"] == "add_to_cart"}
    bought = {row["session_id"] for row in rows if row["action"] == "transaction"}
    return len(filled - bought) if abandoned else len(filled)


def _distinct_events(action: str) -> _Aggregate:
    return _of(lambda rows: len({row["event_id"] for row in rows if row["action"] == action}))


def _vital(name: str, bound: float) -> dict[str, Callable[[Oracle], _Part]]:
    def known(rows: list[Row]) -> list[float]:
        return [row[name] for row in rows if row.get(name) is not None]

    return {
        f"{name}_p75": _simple(("vitals",), _of(lambda rows: quantile(0.75, known(rows))), empty=None),
        f"{name}_good": _divided(
            _simple(("vitals",), _of(lambda rows: sum(one <= bound for one in known(rows)))),
            _simple(("vitals",), _of(lambda rows: len(known(rows)))),
        ),
    }


_visitors = _simple(_ANY, _people)
_pageviews = _simple(("views",), _count)
_exits = _simple(("views",), _of(lambda rows: sum(bool(row.get("is_exit")) for row in rows)))
_converters = _simple(("goals",), _people)
_all_visitors = _reference(("visits", "views"), _people, of_all=True)
_group_visitors = _reference(("visits", "views"), _people, of_all=False)
_revenue = _simple(("goals",), _money("currency", "value", lambda rows: sum(_values(rows))))
_bare_revenue = _simple(("goals",), _of(lambda rows: sum(_values(rows))))
_paid = _simple(("goals",), _of(lambda rows: len(_values(rows))))


def _events(oracle: Oracle) -> _Part:
    fit = [kind for kind in ("events", "goals") if all(
        oracle._has(kind, one) for one in oracle._asked.dimensions if not one.startswith("time")
    )]  # fmt: skip
    if not fit:
        raise Nonsense
    asked = [kind for kind in fit if all(oracle.carries(kind, one) for one in oracle._asked.filters)]
    chosen = (asked or fit)[0]
    return _simple((chosen,), _of(lambda rows: len({row["event_id"] for row in rows})))(oracle)


def _masked(ratio: Callable[[Oracle], _Part]) -> Callable[[Oracle], _Part]:
    """Nothing where there are several currencies."""

    def make(oracle: Oracle) -> _Part:
        money, found = _revenue(oracle), ratio(oracle)
        return _Part(found.keys, lambda key: None if money.of(key) is None else found.of(key))

    return make


MEASURES: dict[str, Callable[[Oracle], _Part]] = {
    "visitors": _visitors,
    "visits": _simple(_ANY, _sessions),
    "pageviews": _pageviews,
    "views_per_visit": _divided(
        _simple(("visits",), _of(lambda rows: sum(row["views"] for row in rows))), _simple(("visits",), _count), 1
    ),
    "bounce_rate": _divided(
        _simple(("entries",), _of(lambda rows: sum(row["is_bounce"] for row in rows))), _simple(("entries",), _count)
    ),
    "visit_duration": _simple(
        ("visits",), _of(lambda rows: _mean([row["duration_s"] for row in rows])), empty=None
    ),
    "visit_duration_median": _simple(
        ("visits",), _of(lambda rows: quantile(0.5, [row["duration_s"] for row in rows])), empty=None
    ),
    "engaged_time": _simple(("visits",), _of(lambda rows: _mean([row["engaged_s"] for row in rows])), empty=None),
    "new_visitors": _simple(
        ("visits",), lambda oracle, kind, rows: _people(oracle, kind, [row for row in rows if row["is_new_visitor"]])
    ),
    "percentage": _divided(_visitors, _all_visitors),
    "entrances": _simple(("views",), _of(lambda rows: sum(bool(row.get("is_entry")) for row in rows))),
    "exits": _exits,
    "exit_rate": _divided(_exits, _simple(("views",), _sessions)),
    "time_on_page": _simple(("views",), _of(lambda rows: _mean(_times(rows))), empty=None),
    "time_on_page_median": _simple(("views",), _of(lambda rows: quantile(0.5, _times(rows))), empty=None),
    "time_on_page_measured": _divided(_simple(("views",), _of(lambda rows: len(_times(rows)))), _pageviews),
    "scroll_depth": _simple(("views",), _of(_scroll), empty=None),
    "events": _events,
    "conversions": _simple(("goals",), _count),
    "converters": _converters,
    "conversion_rate": _divided(_converters, _all_visitors),
    "group_conversion_rate": _divided(_converters, _group_visitors),
    "visit_conversion_rate": _divided(
        _simple(("goals",), _sessions), _reference(("visits", "views"), _sessions, of_all=False)
    ),
    "total_revenue": _revenue,
    "orders": _paid,
    "average_revenue": _masked(_divided(_bare_revenue, _paid, 1)),
    "revenue_per_visitor": _masked(_divided(_bare_revenue, _group_visitors, 1)),
    "product_views": _simple(("shop",), _distinct_events("product_view")),
    "cart_additions": _simple(("shop",), _distinct_events("add_to_cart")),
    "transactions": _simple(("shop",), _of(_transactions)),
    "shop_revenue": _simple(("shop",), _of(_shop_revenue)),
    "product_revenue": _simple(
        ("shop",),
        _of(lambda rows: sum((row["price"] or 0) * (row["quantity"] or 1) for row in rows if _bought(row))),
    ),
    "product_quantity": _simple(
        ("shop",), _of(lambda rows: sum(row["quantity"] or 1 for row in rows if _bought(row)))
    ),
    "carts": _simple(("shop",), _of(lambda rows: _carts(rows, abandoned=False))),
    "abandoned_carts": _simple(("shop",), _of(lambda rows: _carts(rows, abandoned=True))),
    "cart_abandonment": _divided(
        _simple(("shop",), _of(lambda rows: _carts(rows, abandoned=True))),
        _simple(("shop",), _of(lambda rows: _carts(rows, abandoned=False))),
    ),
    "vitals_samples": _simple(("vitals",), _count),
    **_vital("lcp", 2500),
    **_vital("inp", 200),
    **_vital("cls", 0.1),
    **_vital("fcp", 1800),
    **_vital("ttfb", 800),
    "errors": _simple(("errors",), _count),
    "fatal_errors": _simple(("errors",), _of(lambda rows: sum(row["is_fatal"] for row in rows))),
}  # fmt: skip
"""How each metric is computed."""
