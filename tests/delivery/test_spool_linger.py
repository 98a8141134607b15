"""How long entries wait for company: little after a pause, longer while batches follow one another."""

from __future__ import annotations

import pytest

from snowgauge.delivery.spool.linger import Linger


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def linger(now: list[float]) -> Linger:
    return Linger(lambda: now[0])


def test_the_first_batch_and_one_after_a_pause_wait_little(linger: Linger, now: list[float]) -> None:
    assert (linger.over(0.19, 0.2), linger.over(0.2, 0.2)) == (False, True)
    linger.cut()
    now[0] += 1.2
    assert (linger.over(0.19, 0.2), linger.over(0.2, 0.2)) == (False, True)


def test_batches_in_a_row_wait_longer(linger: Linger, now: list[float]) -> None:
    linger.cut()
    for _ in range(3):
        now[0] += 0.61
        assert (linger.over(0.59, 0.2), linger.over(0.61, 0.2)) == (False, True)
        linger.cut()


def test_who_wants_no_wait_has_none(now: list[float]) -> None:
    linger = Linger(lambda: now[0])
    linger.cut()
    assert linger.over(0.0, 0.0)
