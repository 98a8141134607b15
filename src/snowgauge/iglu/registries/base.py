"""The contract of a registry, and what it answers when it has no schema to give."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

from snowgauge.events.selfdescribing import SchemaKey


class Refusal(msgspec.Struct, frozen=True):
    """Why a registry gave no schema, in the words of a bad row's ``lookupHistory``.

    ``away`` tells that asking again later may help: nobody answered, or the answer was a server's error. A plain 4xx
    other than 404 is a ``ClientFailure`` and not away; Snowplow's client takes it as absence too (a bucket without
    list permission says 403 for a missing file).
    """

    error: Literal["NotFound", "RepoFailure", "ClientFailure"]
    message: str | None = None
    away: bool = False

    def as_json(self) -> dict[str, str]:
        return {"error": self.error} if self.message is None else {"error": self.error, "message": self.message}


NOT_FOUND = Refusal("NotFound")


def leads_out(vendor: str) -> bool:
    """Whether a vendor is nothing but dots, which Iglu's grammar allows: as part of a path it would leave its place."""
    return vendor.strip(".") == ""


class Registry(Protocol):
    """One place that schemas come from. Safe for several threads; never raises for what it meets there."""

    name: str
    """Unique among the registries of a resolver; the ``repository`` of a lookup history."""

    priority: int
    """Lower is asked earlier."""

    vendor_prefixes: tuple[str, ...]
    """Vendors that begin with one of these are looked for here first."""

    local: bool
    """On this machine: asked before those that are not, and asking costs next to nothing."""

    volatile: bool
    """Local and liable to change while we run, so it is asked again every few seconds."""

    iglu_central: bool
    """Iglu Central or a mirror of it: one that says NotFound speaks for all."""

    def lookup(self, key: SchemaKey) -> dict[str, Any] | Refusal:
        """The schema. While a local schema is unchanged the same object is returned again."""

    def versions(self, vendor: str, name: str, model: int) -> list[SchemaKey]:
        """Known versions of a model in ascending order; empty when there are none or nobody answers."""

    def keys(self) -> list[SchemaKey]:
        """Every schema here; empty for a registry that cannot list."""

    def answers(self) -> bool:
        """Does anything answer there? Asks, unless that is known from a moment ago; one on this machine always does."""
