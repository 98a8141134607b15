"""The contract of an event log as a test suite: a backend joins by subclassing and giving a fixture named ``make_log``.

``make_log(**limits)`` returns a *handle on one place*: calling it again opens the same log again, as another process
would. Limits: ``max_batch_entries``, ``max_batch_bytes``, ``capacity`` (bytes).
"""

from __future__ import annotations

from snowgauge.testing.eventlog.batches import Batches
from snowgauge.testing.eventlog.looking import Looking
from snowgauge.testing.eventlog.shares import Shares
from snowgauge.testing.eventlog.writing import Writing


class EventLogContract(Batches, Shares, Writing, Looking):
    """Subclass it in a test module of the backend."""
