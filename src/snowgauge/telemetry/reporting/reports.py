"""The reporters of this process. With none, which is the usual case, everything here costs next to nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from snowgauge.telemetry import logs
from snowgauge.telemetry.reporting import scrubbing
from snowgauge.telemetry.reporting.base import Kind, Problem, Reporter, Transaction

_reporters: list[Reporter] = []
_NOTHING: AbstractContextManager[None] = contextlib.nullcontext()


@contextlib.contextmanager
def reporting(reporters: Sequence[Reporter]) -> Iterator[None]:
    """For as long as the block runs these are told of errors that are logged, and of one that ends the block."""
    _reporters[:] = reporters
    if reporters:
        logs.on_error(_tell)
    try:
        yield
    except Exception as error:
        tell(Problem("process_failed", "process", {}, error))
        raise
    finally:
        logs.on_error(None)
        _reporters.clear()
        for reporter in reporters:
            reporter.close()


def active() -> bool:
    return bool(_reporters)


def tell(problem: Problem) -> None:
    for reporter in _reporters:
        reporter.problem(problem)


def _tell(event: str, line: dict[str, object], error: BaseException | None) -> None:
    part = str(line.pop("part", ""))
    tell(Problem(event, part, scrubbing.fields(line), error))


@contextlib.contextmanager
def transaction(name: str, kind: Kind) -> Iterator[Transaction]:
    """A unit of work: a request, a batch. An exception that leaves it makes its result ``failed``."""
    work = Transaction(kind, name)
    with contextlib.ExitStack() as stack:
        for reporter in _reporters:
            stack.enter_context(reporter.transaction(work))
        try:
            yield work
        except BaseException:
            work.result = "failed"
            raise


def span(name: str) -> AbstractContextManager[object]:
    """A step of the transaction that is open."""
    if not _reporters:
        return _NOTHING
    stack = contextlib.ExitStack()
    for reporter in _reporters:
        stack.enter_context(reporter.span(name))
    return stack
