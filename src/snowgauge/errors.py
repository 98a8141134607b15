"""Every exception that Snowgauge raises on purpose.

::

    SnowgaugeError
    ├── SettingsError               a setting is wrong: stop the start, name the key and the cure
    ├── LogUnavailable              the event log could not make a record durable: answer 503, try again
    ├── BatchLost                   a batch's partition is in other hands: leave the batch to them
    ├── SinkUnavailable             a sink beside the store took nothing: hand it the same batch later
    ├── StoreError
    │   ├── StoreUnavailable        the database is unreachable: the same batch is written again later
    │   │   └── StateUnavailable    ... or what all machines share cannot be read: nothing is stored meanwhile
    │   └── QueryRefused            a query that may not run (not read-only, over a limit, bad SQL)
    ├── PayloadRecordError          bytes that are not a Thrift CollectorPayload
    ├── SelfDescribingError         data that is not self-describing (carries Iglu's error code)
    ├── SchemaResolutionError       no registry has the schema (carries the lookup history)
    │   └── RegistryOutage          ... because a registry is unreachable: not the event's fault, wait and try again
    ├── AdapterFailure              a request that no event can be made of: becomes a failed event
    ├── EnrichmentFailure           an enrichment could not do its work: becomes a failed event
    ├── ActionRefused               what was asked of the running system cannot be done, and why
    │   └── AccessRefused           ... about people, sessions and keys
    └── AssetError                  a file that an enrichment needs could not be had

Bad data is a value that flows on (a failed event); of the above only the first five, ``RegistryOutage`` and
``AssetError`` reach a loop that has to decide what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class SnowgaugeError(Exception):
    """Any failure that Snowgauge itself reports. The text is written for the operator who reads it."""


class SettingsError(SnowgaugeError):
    """A setting that cannot be used. The text names the key, the value seen and what is allowed."""


class LogUnavailable(SnowgaugeError):
    """The event log can keep nothing at present; none of the records handed over may be taken as kept."""


class BatchLost(SnowgaugeError):
    """The partition of a batch was given to another worker, who reads the batch again."""


class SinkUnavailable(SnowgaugeError):
    """A sink beside the store did not take a batch; handing it over again later is safe. ``retry_after``: not sooner
    than in so many seconds."""

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoreError(SnowgaugeError):
    """The store did not do what was asked."""


class StoreUnavailable(StoreError):
    """The database cannot be reached or is not ready; writing the same batch again later is safe."""


class StateUnavailable(StoreUnavailable):
    """What all machines share (erasures, people, keys, schemas) cannot be read or changed at present."""


class QueryRefused(StoreError):
    """A query that the store will not run, with the database's or the guard's reason."""


class QueryTooCostly(QueryRefused):
    """A query that took too long or needs too much memory, with what would make it cheaper."""


class PayloadRecordError(SnowgaugeError):
    """Bytes that do not hold a CollectorPayload. The text is the one Snowplow's loader uses."""


class SelfDescribingError(SnowgaugeError):
    """JSON that is not self-describing. ``code`` is Iglu's: INVALID_IGLUURI, INVALID_SCHEMAVER, ..."""

    def __init__(self, code: str, json: Any) -> None:
        super().__init__(f"not self-describing ({code})")
        self.code = code
        self.json = json


class SchemaResolutionError(SnowgaugeError):
    """No registry answered with the schema. ``history`` is the ``lookupHistory`` of a bad row."""

    def __init__(self, uri: str, history: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(
            f"schema {uri} not found in {', '.join(str(h['repository']) for h in history) or 'any registry'}"
        )
        self.uri = uri
        self.history = list(history)


class RegistryOutage(SchemaResolutionError):
    """The schema may exist, but a registry that could have it is unreachable. Events wait; they do not fail."""


class AdapterFailure(SnowgaugeError):
    """A payload of which no event can be made. ``messages`` are the ``failure.messages`` of the bad row."""

    def __init__(self, messages: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("; ".join(str(m.get("expectation") or m.get("error") or m) for m in messages))
        self.messages = list(messages)


class EnrichmentFailure(SnowgaugeError):
    """One enrichment's failure on one event, in one of the two forms that enrich 6.10 knows.

    Simple: ``EnrichmentFailure("text")``. Input data: ``EnrichmentFailure("expectation", field=..., value=...)``.
    ``schema_key`` and ``identifier`` are filled in by the caller when the enrichment leaves them out.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: str | None = None,
        schema_key: str | None = None,
        identifier: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.value = value
        self.schema_key = schema_key
        self.identifier = identifier


class AssetError(SnowgaugeError):
    """A file that an enrichment needs could not be fetched or read."""


class ActionRefused(SnowgaugeError):
    """Something asked of the running system that cannot be done. ``status`` is the HTTP status that says so,
    ``retry_after`` the seconds after which asking again makes sense."""

    def __init__(self, message: str, *, status: int = 400, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class AccessRefused(ActionRefused):
    """A login that is not one, or a change to people and keys that may not be made."""
