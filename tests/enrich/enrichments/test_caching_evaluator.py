"""The cache in front of SQL and API requests, moved through time by hand."""

import pytest

from snowgauge.enrich.enrichments.caching_evaluator import CachingEvaluator


class Source:
    """Answers 1, 2, 3, ... or fails, and counts how often it was asked."""

    def __init__(self):
        self.asked = 0
        self.error = None

    def __call__(self):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.asked


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def cache(now):
    return CachingEvaluator(2, 100, (LookupError, OSError), clock=lambda: now[0])


def test_a_success_is_used_for_its_time_to_live(cache, source, now):
    assert cache.get("k", source) == 1
    now[0] += 100
    assert cache.get("k", source) == 1
    now[0] += 1
    assert cache.get("k", source) == 2


def test_an_error_is_used_for_a_tenth_of_that(cache, source, now):
    source.error = LookupError("first")
    for _ in range(2):
        with pytest.raises(LookupError, match="first"):
            cache.get("k", source)
    assert source.asked == 1
    now[0] += 10
    with pytest.raises(LookupError):
        cache.get("k", source)
    assert source.asked == 1
    now[0] += 1
    source.error = None
    assert cache.get("k", source) == 2


def test_after_a_success_errors_are_hidden_and_the_source_is_asked_every_tenth(cache, source, now):
    assert cache.get("k", source) == 1
    source.error = LookupError("away")
    now[0] += 101
    for asked in (2, 3, 4):
        assert cache.get("k", source) == 1
        assert cache.get("k", source) == 1
        assert source.asked == asked
        now[0] += 11
    source.error = None
    assert cache.get("k", source) == 5


def test_a_short_time_to_live_repeats_errors_after_a_second(source, now):
    cache = CachingEvaluator(2, 9, (LookupError,), clock=lambda: now[0])
    source.error = LookupError("x")
    for _ in range(2):
        with pytest.raises(LookupError):
            cache.get("k", source)
    assert source.asked == 1
    now[0] += 1
    with pytest.raises(LookupError):
        cache.get("k", source)
    assert source.asked == 2


def test_the_least_recently_used_key_goes_first(cache, source):
    cache.get("a", source)
    cache.get("b", source)
    cache.get("a", source)
    cache.get("c", source)
    assert cache.get("a", source) == 1
    assert cache.get("b", source) == 4


def test_size_zero_remembers_nothing(source):
    cache = CachingEvaluator(0, 100, (LookupError,))
    assert [cache.get("k", source) for _ in range(3)] == [1, 2, 3]


def test_none_is_an_answer_like_any_other(cache, source):
    answers = []
    for _ in range(2):
        cache.get("k", lambda: answers.append(None))
    assert len(answers) == 1


def test_other_exceptions_come_through_and_are_not_remembered(cache, source):
    source.error = ZeroDivisionError()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cache.get("k", source)
    assert source.asked == 2


def test_a_source_that_cannot_be_reached_is_left_alone_for_a_while(cache, source, now):
    source.error = OSError("no connection")
    for key in range(5):
        with pytest.raises(OSError, match="no connection"):
            cache.get(key, source)
    assert source.asked == 3
    now[0] += 10.5
    source.error = None
    assert cache.get("new", source) == 4
    assert cache.get("newer", source) == 5
