"""The runs of this process: a thread each."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Running:
    """Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: dict[str, tuple[threading.Thread, threading.Event]] = {}

    def begin(self, run: str, work: Callable[[threading.Event], None]) -> None:
        """Have ``work`` done in a thread; it is given the event that asks it to stop."""
        stop = threading.Event()
        thread = threading.Thread(target=work, args=(stop,), name=f"repair-{run}", daemon=True)
        with self._lock:
            self._threads = {name: one for name, one in self._threads.items() if one[0].is_alive()}
            self._threads[run] = (thread, stop)
            thread.start()

    def runs(self, run: str) -> bool:
        with self._lock:
            found = self._threads.get(run)
        return found is not None and found[0].is_alive()

    def stop(self, run: str) -> bool:
        """Ask a run to stop; false where it does not run here."""
        with self._lock:
            found = self._threads.get(run)
        if found is None or not found[0].is_alive():
            return False
        found[1].set()
        return True

    def wait(self, run: str, seconds: float) -> bool:
        """Wait until a run has ended; false where it has not by then."""
        with self._lock:
            found = self._threads.get(run)
        if found is not None:
            found[0].join(seconds)
        return not self.runs(run)
