"""The contract of a sink as a test suite: a sink joins by subclassing and giving a fixture named ``place``, a
``SinkPlace``. ``bad_settings`` of the subclass are settings that it refuses, each with what the error says.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pytest

from snowgauge.delivery import place as places
from snowgauge.delivery.backends import SinkSettings
from snowgauge.delivery.contract import Processed, Refusal, Sink
from snowgauge.delivery.dead_letters import DeadLetters
from snowgauge.delivery.followers import Followers
from snowgauge.errors import SettingsError, SinkUnavailable
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.outcome import Tally
from snowgauge.store.base import StoreBatch
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.events import web_page_view


class SinkPlace(Protocol):
    """A destination of a test's own."""

    once: bool
    """Does a batch that comes again leave each event once?"""

    ordered: bool
    """Can the order in which batches came be told at the destination?"""

    refused: EnrichedEvent | None
    """An event that the destination never takes; ``None``: it takes all."""

    def sink(self) -> Sink:
        """A sink to it; called again, as after a restart."""

    def event_ids(self) -> list[str]:
        """What is there, in the order in which it came where that can be told."""

    def unreachable(self) -> AbstractContextManager[None]:
        """It takes nothing meanwhile."""


def batch(name: str, *numbers: int) -> StoreBatch:
    return StoreBatch(name, [web_page_view(number) for number in numbers])


def ids(*numbers: int) -> list[str]:
    return [str(web_page_view(number).event_id) for number in numbers]


class Slow:
    """A sink that takes nothing before it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.taken: list[str] = []

    def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
        if not self.let.wait(0.05):
            raise SinkUnavailable("slow")
        self.taken.append(batch.id)
        return ()

    def close(self) -> None: ...


class Dying:
    """Hands on to a sink, and dies before anyone hears of the first ``deaths``."""

    def __init__(self, inner: Sink, deaths: int) -> None:
        self._inner = inner
        self._deaths = deaths
        self.died = threading.Event()

    def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
        refusals = self._inner.deliver(batch)
        if self._deaths:
            self._deaths -= 1
            self.died.set()
            raise SinkUnavailable("the process died")
        return refusals

    def close(self) -> None:
        self._inner.close()


def _put(followers: Followers, *batches: StoreBatch) -> None:
    for one in batches:
        followers.put(Processed(one, Tally()))


class SinkContract:
    """Subclass it in a test module of the sink."""

    settings: ClassVar[type[SinkSettings]]
    bad_settings: ClassVar[Sequence[tuple[Mapping[str, Any], str]]] = ()

    def test_batches_arrive_whole_and_in_order(self, place: SinkPlace) -> None:
        sink = place.sink()
        for number in range(5):
            assert not list(sink.deliver(batch(f"p/{number}", 2 * number, 2 * number + 1)))
        sink.close()
        there = place.event_ids()
        assert sorted(there) == sorted(ids(*range(10)))
        if place.ordered:
            assert [set(there[at : at + 2]) for at in range(0, 10, 2)] == [
                set(ids(at, at + 1)) for at in range(0, 10, 2)
            ]

    def test_a_batch_without_events_is_taken(self, place: SinkPlace) -> None:
        sink = place.sink()
        assert not list(sink.deliver(StoreBatch("p/0")))
        sink.close()
        assert place.event_ids() == []

    def test_a_batch_may_come_again_after_a_restart_and_with_fewer_rows(self, place: SinkPlace) -> None:
        for numbers in ((1, 2, 3), (1, 2, 3), (1, 3)):
            sink = place.sink()
            sink.deliver(batch("p/0-9", *numbers))
            sink.close()
        there = place.event_ids()
        assert set(ids(1, 3)) <= set(there) <= set(ids(1, 2, 3))
        if place.once:
            assert len(there) == len(set(there))

    def test_an_unreachable_place_gets_the_batch_later(self, place: SinkPlace) -> None:
        sink = place.sink()
        with place.unreachable(), pytest.raises(SinkUnavailable):
            sink.deliver(batch("p/0", 1))
        sink.deliver(batch("p/0", 1))
        sink.deliver(batch("p/1", 2))
        sink.close()
        assert set(place.event_ids()) == set(ids(1, 2))

    def test_what_is_refused_costs_itself(self, place: SinkPlace) -> None:
        if place.refused is None:
            return
        sink = place.sink()
        refusals = [*sink.deliver(StoreBatch("p/0", [web_page_view(1), place.refused, web_page_view(2)]))]
        refusals_again = [*sink.deliver(StoreBatch("p/1", [web_page_view(3), place.refused]))]
        sink.close()
        assert [one.batch.events for one in refusals] == [[place.refused]]
        assert [one.batch.id for one in refusals_again] == [refusals[0].batch.id]
        assert refusals[0].reason
        assert sorted(place.event_ids()) == sorted(ids(1, 2, 3))

    def test_refusals_become_dead_letters_and_hold_up_nothing(self, place: SinkPlace, tmp_path: Path) -> None:
        if place.refused is None:
            return
        letters = DeadLetters(tmp_path / "letters", most_bytes=2**30)
        followers = self._followers(tmp_path, letters, {"this": place.sink()})
        _put(followers, StoreBatch("p/0", [place.refused]), batch("p/1", 1))
        assert followers.wait(60)
        followers.close()
        assert [letter.events for letter in letters.letters("this")] == [1]
        assert place.event_ids() == ids(1)

    def test_a_slow_one_beside_it_holds_up_nobody(self, place: SinkPlace, tmp_path: Path) -> None:
        slow = Slow()
        letters = DeadLetters(tmp_path / "letters", most_bytes=2**30)
        followers = self._followers(tmp_path, letters, {"slow": slow, "this": place.sink()})
        _put(followers, *(batch(f"p/{number}", number) for number in range(5)))
        wait_until(lambda: set(place.event_ids()) == set(ids(*range(5))), "all came, but for the slow one")
        assert slow.taken == []
        slow.let.set()
        assert followers.wait(60)
        followers.close()
        assert slow.taken == [f"p/{number}" for number in range(5)]

    def test_its_cursor_outlives_the_process(self, place: SinkPlace, tmp_path: Path) -> None:
        """At least once: the batch that was delivered without anyone hearing of it comes again, and no other."""
        letters = DeadLetters(tmp_path / "letters", most_bytes=2**30)
        followers = self._followers(tmp_path, letters, {"this": place.sink()})
        _put(followers, batch("p/0", 0))
        assert followers.wait(60)
        followers.close()
        dying = Dying(place.sink(), deaths=1_000_000)
        followers = self._followers(tmp_path, letters, {"this": dying})
        _put(followers, batch("p/1", 1), batch("p/2", 2))
        assert dying.died.wait(60)
        followers.close()
        assert places.read(tmp_path / "waiting" / "this.cursor").number == 1
        followers = self._followers(tmp_path, letters, {"this": place.sink()})
        assert followers.wait(60)
        followers.close()
        there = place.event_ids()
        assert set(there) == set(ids(0, 1, 2))
        assert [there.count(one) for one in ids(0, 2)] == [1, 1]
        if place.once:
            assert len(there) == 3

    def test_settings_that_cannot_work_are_refused(self, tmp_path: Path) -> None:
        for given, said in self.bad_settings:
            with pytest.raises((ValueError, SettingsError), match=said):
                self.settings.model_validate(given).open("this", tmp_path)

    def test_without_settings_it_is_off(self, tmp_path: Path) -> None:
        assert self.settings().open("this", tmp_path) == {}

    @staticmethod
    def _followers(folder: Path, letters: DeadLetters, sinks: Mapping[str, Sink]) -> Followers:
        made = Followers(folder / "waiting", sinks, backlog_bytes=2**30, dead_letters=letters)
        made.start()
        return made
