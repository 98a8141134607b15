"""Looking for schemas beside the work: every wait of these tests is for another thread's step, never for a time."""

import threading

import pytest

from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.lookups import Allowance, Lookups
from snowgauge.iglu.registries.pace import Pace

LONG = 60


def key(number):
    return SchemaKey("com.acme", f"s{number}", "jsonschema", 1, 0, 0)


class Held:
    """Looks at each key only once ``go`` is set, and remembers the order."""

    def __init__(self):
        self.go = threading.Event()
        self.begun = threading.Event()
        self.order = []

    def __call__(self, wanted):
        self.begun.set()
        assert self.go.wait(LONG)
        self.order.append(wanted)


@pytest.fixture
def held():
    look = Held()
    yield look
    look.go.set()


def test_several_keys_are_looked_for_at_once():
    together = threading.Barrier(3)
    lookups = Lookups(lambda _: together.wait(LONG), threads=3)
    keys = [key(n) for n in range(3)]
    lookups.ask(keys)
    lookups.wait(keys, LONG)
    assert not together.broken
    lookups.close()


def test_a_key_is_looked_for_once_at_a_time(held):
    lookups = Lookups(held, threads=4)
    for _ in range(5):
        lookups.ask([key(1)])
    held.go.set()
    lookups.wait([key(1)], LONG)
    assert held.order == [key(1)]


def test_the_key_that_is_wanted_most_is_next_and_the_oldest_of_the_least_is_given_up(held):
    lookups = Lookups(held, threads=1, longest=3)
    lookups.ask([key(0)])
    assert held.begun.wait(LONG)
    lookups.ask([key(1), key(2)])
    lookups.ask([key(2), key(3)])
    lookups.ask([key(4)])  # one too many: 1 has waited longest
    held.go.set()
    lookups.wait([key(n) for n in range(5)], LONG)
    assert held.order == [key(0), key(2), key(3), key(4)]


def test_a_wait_ends_with_its_time_and_the_lookup_goes_on(held):
    lookups = Lookups(held, threads=1)
    lookups.ask([key(1)])
    lookups.wait([key(1)], 0)
    assert held.order == []
    held.go.set()
    lookups.wait([key(1)], LONG)
    assert held.order == [key(1)]


def test_a_look_that_raises_costs_no_thread():
    seen = []

    def look(wanted):
        seen.append(wanted)
        raise ZeroDivisionError

    lookups = Lookups(look, threads=1)
    for number in range(3):
        lookups.ask([key(number)])
        lookups.wait([key(number)], LONG)
    assert seen == [key(0), key(1), key(2)]
    lookups.close()
    lookups.ask([key(9)])
    lookups.wait([key(9)], 0)
    assert seen == [key(0), key(1), key(2)]


def test_waiting_takes_a_share_of_the_time():
    now = [0.0]
    allowance = Allowance(2, 0.1, lambda: now[0])
    assert allowance.left() == 2
    with allowance.spent() as seconds:
        assert seconds == 2
        now[0] += 2
    assert allowance.left() == pytest.approx(0.2), "the wait is time, too"
    now[0] += 5
    assert allowance.left() == pytest.approx(0.7)
    with allowance.spent():
        now[0] += 3
    now[0] += 1000
    assert allowance.left() == 2


def test_requests_come_at_a_rate_after_the_first_few():
    now = [0.0]
    pace = Pace(10, 3, lambda: now[0])
    assert [pace.turn() for _ in range(5)] == pytest.approx([0, 0, 0, 0.1, 0.2])
    now[0] += 100
    assert [pace.turn() for _ in range(4)] == pytest.approx([0, 0, 0, 0.1])
