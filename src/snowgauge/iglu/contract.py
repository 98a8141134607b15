"""What the rest of the package asks of Iglu.

``Resolver`` finds schemas, ``Validator`` checks self-describing data against them. Both are safe to use from several
threads, hold no event state, and compile a schema once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.iglu.registries.base import Registry


class ValidSchema(msgspec.Struct, frozen=True):
    """Data was valid. ``superseded_by`` is the version that checked it instead of the one it names."""

    superseded_by: str | None = None


class Invalid(msgspec.Struct, frozen=True):
    """Data was not valid, or its schema was not found or is broken.

    ``error`` is the Iglu client error of a bad row: ``{"error": "ValidationError", "dataReports": [...]}``,
    ``{"error": "ValidationError", "schemaIssues": [...]}`` or ``{"error": "ResolutionError", "lookupHistory": [...]}``
    (failed-events facts 2.2).
    """

    error: dict[str, Any]


def unresolved(history: Sequence[Mapping[str, Any]]) -> Invalid:
    """The verdict on data whose schema was not found; ``history`` is what the registries said."""
    return Invalid({"error": "ResolutionError", "lookupHistory": list(history)})


class Resolver(Protocol):
    @property
    def registries(self) -> Sequence[Registry]:
        """Where schemas come from."""

    def schema(self, key: SchemaKey) -> dict[str, Any]:
        """The schema document. Raises ``SchemaResolutionError``, or ``RegistryOutage`` while one may still come."""

    def known(self, key: SchemaKey) -> dict[str, Any] | None:
        """The schema document; ``None`` where only a registry elsewhere can tell. Raises as ``schema`` does."""

    def versions(self, vendor: str, name: str, model: int) -> list[SchemaKey]:
        """Every known version of one model, ascending; empty when none is known."""

    def keys(self) -> list[SchemaKey]:
        """Every schema of the registries that can list theirs (bundled and folders)."""


class Validator(Protocol):
    def check(self, item: SelfDescribing) -> ValidSchema | Invalid:
        """Check one self-describing datum. Raises ``RegistryOutage`` only."""


class SchemasAtHand(Protocol):
    """A validator that never waits for a registry: schemas are looked for beside the work that wants them."""

    per_event: int
    """How many schemas of one event are looked for."""

    def try_check(self, item: SelfDescribing) -> ValidSchema | Invalid | None:
        """Check one datum; ``None`` while its schema has to be looked for. Raises ``RegistryOutage``."""

    def check(self, item: SelfDescribing) -> ValidSchema | Invalid:
        """Check one datum with what is at hand. Raises ``RegistryOutage`` where its schema may still come."""

    def look_for(self, keys: Iterable[SchemaKey]) -> None:
        """Begin to look for the schemas that one event names and that are not at hand."""

    def settle(self) -> None:
        """Wait, within limits, for what has been looked for since the last call. Never raises."""
