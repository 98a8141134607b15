"""Which schema an event type of a sender has (adapter facts 1.5 and 1.7)."""

from __future__ import annotations

from collections.abc import Mapping

from snowgauge.enrich.webhooks.failure_messages import schema_mapping
from snowgauge.errors import AdapterFailure


class EventTypes:
    """The types of one sender. A table gives each type's schema as ``name`` or ``name/version``, below one vendor."""

    def __init__(self, vendor: str, types: Mapping[str, str], version: str = "1-0-0") -> None:
        self.schemas: dict[str, str] = {}
        for name, schema in types.items():
            schema_name, _, own_version = schema.partition("/")
            self.schemas[name] = f"iglu:{vendor}/{schema_name}/jsonschema/{own_version or version}"

    def schema(self, found: object, index: int | None = None) -> str:
        """The schema's URI. ``found`` is whatever stood where the type should be; ``index`` its place in an array."""
        if isinstance(found, str) and found in self.schemas:
            return self.schemas[found]
        actual = found if isinstance(found, str) else None
        if actual is None:
            expectation = "cannot determine event type: type parameter not provided"
        elif not actual:
            expectation = "cannot determine event type: type parameter empty"
        else:
            expectation = "no schema associated with the provided type parameter"
        if index is not None:
            expectation += f" at index {index}"
        raise AdapterFailure([schema_mapping(actual, self.schemas, expectation)])
