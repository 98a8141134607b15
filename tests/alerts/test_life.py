"""From ok to firing and back: how often it must be wrong, what is said, and what is not."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from snowgauge.alerts.life import FLAPS, HOLD_MS, State, step
from snowgauge.alerts.reading import Reading
from snowgauge.alerts.rules import HOUR_MS, NoEvents, Rule

MINUTE = 60_000
BAD, GOOD, BLIND = True, False, None


def rule(**more):
    return Rule.model_validate({"id": "a", "name": "A", "condition": NoEvents(), **more})


def live(given, readings, every=15 * MINUTE, start=1_800_000_000_000):
    """The statuses after each reading, and what was said, with its check."""
    state, statuses, said = State(), [], []
    for number, bad in enumerate(readings):
        state, change = step(given, state, Reading("k", bad, "s"), start + number * every)
        statuses.append(state.status)
        if change is not None:
            said.append((number, change.told))
    return statuses, said


def test_it_fires_once_it_holds_and_is_resolved_once_it_does_not():
    statuses, said = live(rule(), [GOOD, BAD, BAD, BAD, GOOD, BAD, GOOD, GOOD, GOOD])
    assert statuses == ["ok", "pending", "firing", "firing", "firing", "firing", "firing", "ok", "ok"]
    assert said == [(2, "firing"), (7, "resolved")]


def test_one_bad_check_is_only_pending():
    assert live(rule(), [BAD, GOOD, BAD, GOOD])[1] == []


def test_it_reminds_every_day_while_it_fires():
    _, said = live(rule(for_checks=1), [BAD] * 50, every=HOUR_MS)
    assert said == [(0, "firing"), (24, "reminder"), (48, "reminder")]
    assert live(rule(for_checks=1, severity="info"), [BAD] * 50, every=HOUR_MS)[1] == [(0, "firing")]
    assert live(rule(for_checks=1, remind_hours=0), [BAD] * 50, every=HOUR_MS)[1] == [(0, "firing")]


def test_flapping_is_said_once_and_then_nothing_for_an_hour():
    quick = rule(for_checks=1, resolve_checks=1)
    _, said = live(quick, [BAD, GOOD] * 20, every=MINUTE)
    assert [told for _, told in said] == ["firing", "resolved", "firing", "resolved", "flapping"]
    # held for an hour, and then what is so by then
    _, said = live(quick, [BAD, GOOD] * 5 + [BAD] * 70, every=MINUTE)
    assert said[-2:] == [(FLAPS, "flapping"), (FLAPS + HOLD_MS // MINUTE, "firing")]


def test_what_cannot_be_said_is_not_well():
    statuses, said = live(rule(), [BAD, BAD, BLIND, BLIND, BLIND, BAD, GOOD, GOOD])
    assert statuses == ["pending", "firing", "firing", "unknown", "unknown", "firing", "firing", "ok"]
    assert said == [(1, "firing"), (3, "unknown"), (7, "resolved")]


def test_messages_of_one_incident_are_one_thread():
    state, threads, ids = State(), [], []
    for number, bad in enumerate([BAD, BAD, GOOD, GOOD, BAD, BAD]):
        state, change = step(rule(), state, Reading("k", bad, "s"), (1 + number) * HOUR_MS)
        if change is not None:
            threads.append(change.thread)
            ids.append(change.id)
    assert len(set(ids)) == 3
    assert threads[0] == threads[1] != threads[2]


READINGS = st.lists(st.sampled_from([BAD, GOOD, BLIND]), max_size=60)


@given(READINGS, st.integers(1, 4), st.integers(1, 4))
def test_whatever_comes_firing_and_resolved_take_turns(readings, wrong, right):
    given_rule = rule(for_checks=wrong, resolve_checks=right, remind_hours=1)
    _, said = live(given_rule, readings, every=5 * MINUTE)
    turns = [told for _, told in said if told in ("firing", "resolved")]
    assert turns == [("firing", "resolved")[n % 2] for n in range(len(turns))]
    reminded_while = [told for _, told in said if told != "unknown"]
    assert not any(one == "reminder" and before == "resolved" for before, one in pairwise(reminded_while))


@given(READINGS, st.integers(1, 4), st.integers(1, 4))
def test_it_fires_only_after_so_many_bad_checks(readings, wrong, right):
    """Against a count by hand: blind checks neither break nor lengthen a row."""
    statuses, _ = live(rule(for_checks=wrong, resolve_checks=right), readings, every=HOUR_MS * 2)
    fires, row_bad, row_good = False, 0, 0
    for bad, status in zip(readings, statuses, strict=True):
        if bad is not None:
            row_bad, row_good = (row_bad + 1, 0) if bad else (0, row_good + 1)
            if not fires and row_bad >= wrong:
                fires = True
            elif fires and row_good >= right:
                fires = False
            assert (status == "firing") == fires
