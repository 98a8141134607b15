"""Questions to parts that do not answer. What hangs here hangs on an event, so that nothing depends on time."""

import threading

import pytest

from snowgauge.actions.looks import Looks
from snowgauge.errors import StoreUnavailable


@pytest.fixture
def hung():
    go = threading.Event()
    yield go
    go.set()


def test_answers_come_together_and_errors_are_answers():
    def away():
        raise StoreUnavailable("nobody there")

    answers = Looks(60).ask({"a": lambda: 1, "b": away})
    assert (answers["a"].value, answers["a"].late) == (1, False)
    assert str(answers["b"].error) == "nobody there"


def test_a_question_that_hangs_holds_up_no_other_and_is_asked_once(hung):
    asked = []

    def hang():
        asked.append(1)
        hung.wait()
        return "came"

    looks = Looks(0.05)
    for _ in range(20):
        answers = looks.ask({"hangs": hang, "works": lambda: 2})
        assert answers["hangs"].late
        assert answers["works"].value == 2
    assert asked == [1]
    hung.set()
    assert Looks(60).ask({"x": lambda: 1})["x"].value == 1


def test_the_answer_of_before_is_told_as_such(hung):
    looks = Looks(60)
    assert looks.ask({"figure": lambda: 7})["figure"].value == 7
    looks.patience = 0.01
    late = looks.ask({"figure": hung.wait})["figure"]
    assert (late.late, late.value) == (True, 7)


def test_a_recent_answer_is_not_asked_for_again():
    looks = Looks(60)
    asked = []
    for _ in range(3):
        looks.recent("a", lambda: asked.append(1), within=60)
    assert asked == [1]
    looks.recent("a", lambda: asked.append(1), within=-1)
    assert asked == [1, 1]
