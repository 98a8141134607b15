"""What every place of shared documents promises, as tests: a backend inherits ``StateContract`` and gives a fixture
``machine``, which opens the same documents as another machine would."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from snowgauge.errors import StateUnavailable
from snowgauge.state.documents import Documents

Machine = Callable[[], Documents]
Outage = Callable[[], AbstractContextManager[None]]
"""While it is open, nothing can be reached."""


class StateContract:
    """Inherit as ``class TestX(StateContract)`` and define the fixtures ``machine`` and ``outage``."""

    def test_what_one_machine_writes_every_other_reads_at_once(self, machine: Machine) -> None:
        here, there = machine(), machine()
        assert there.read("a/1") is None
        assert here.put("a/1", b"\x00one", None)
        assert there.read("a/1") == b"\x00one"
        assert there.put("a/2", b"two", None)
        assert here.put("b", b"", None)
        assert here.names("a") == there.names("a") == ["a/1", "a/2"]
        assert there.names("") == ["a/1", "a/2", "b"]
        assert machine().names("") == ["a/1", "a/2", "b"]
        assert machine().names("c") == []

    def test_of_two_that_change_a_document_the_second_learns_it(self, machine: Machine) -> None:
        here, there = machine(), machine()
        assert here.put("x", b"1", None)
        assert not there.put("x", b"2", None)
        assert there.put("x", b"2", b"1")
        assert not here.put("x", b"3", b"1")
        assert not here.put("y", b"3", b"1")
        assert here.read("x") == b"2"

    def test_what_is_removed_is_gone_everywhere_and_may_come_again(self, machine: Machine) -> None:
        here, there = machine(), machine()
        here.put("x", b"1", None)
        here.put("kept", b"k", None)
        assert there.read("x") == b"1"
        here.remove("x")
        here.remove("x")
        assert there.names("") == ["kept"]
        assert there.put("x", b"2", None)
        assert here.read("x") == machine().read("x") == b"2"

    def test_counting_on_several_machines_at_once_loses_nothing(self, machine: Machine) -> None:
        machines = [machine() for _ in range(3)]
        machines[0].put("count", b"0", None)

        def count(documents: Documents) -> None:
            for _ in range(8):
                while True:
                    before = documents.read("count")
                    assert before is not None
                    if documents.put("count", b"%d" % (int(before) + 1), before):
                        break

        threads = [threading.Thread(target=count, args=(documents,)) for documents in machines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [documents.read("count") for documents in machines] == [b"24"] * 3

    def test_many_and_large_documents(self, machine: Machine) -> None:
        here = machine()
        late = machine()
        for number in range(250):
            assert here.put(f"many/{number:03}", b"%d" % number * 400, None)
        assert here.put("large", bytes(range(256)) * 20_000, None)
        assert len(late.names("many")) == len(machine().names("many")) == 250
        assert late.read("large") == machine().read("large") == bytes(range(256)) * 20_000

    def test_while_it_is_unreachable_it_says_so_and_goes_on_afterwards(self, machine: Machine, outage: Outage) -> None:
        here = machine()
        here.put("x", b"1", None)
        with outage():
            for ask in (lambda: here.read("x"), lambda: here.names(""), lambda: here.put("y", b"2", None)):
                with pytest.raises(StateUnavailable, match="shared state"):
                    ask()
        assert here.read("x") == b"1"
        assert here.put("z", b"3", None)
