"""Adding a schema to the local registry: looked over first, never over a published version."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from snowgauge.errors import SchemaResolutionError, SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.contract import Resolver
from snowgauge.iglu.diff import Change, diff
from snowgauge.iglu.lint import Finding, lint


class NotPublished(Exception):
    """The schema was not added; the text says why. ``findings`` are what lint found."""

    def __init__(self, message: str, findings: list[Finding] | None = None) -> None:
        super().__init__(message)
        self.findings = findings or []


class Published(msgspec.Struct):
    """``changes`` are those against ``before``, the version just below it; ``unchanged``: it was there already."""

    key: SchemaKey
    path: Path
    findings: list[Finding]
    before: SchemaKey | None = None
    changes: list[Change] = []
    unchanged: bool = False

    @property
    def breaking(self) -> list[Change]:
        """Changes that the new version's number does not admit: within one model nothing may break."""
        if self.before is None or self.before.model != self.key.model:
            return []
        return [change for change in self.changes if change.effect == "breaking"]


def key_of(schema: Any) -> SchemaKey:
    """The key that a schema gives itself. Raises ``NotPublished``."""
    findings = [finding for finding in lint(schema) if finding.level == "error"]
    if findings:
        raise NotPublished(f"the schema has errors, the first: {findings[0].message}", findings)
    own = schema["self"]
    try:
        return SchemaKey.parse(f"iglu:{own['vendor']}/{own['name']}/{own['format']}/{own['version']}")
    except SelfDescribingError as error:
        raise NotPublished(f"self is no schema key ({error.code})") from None


def publish(schema: Any, folder: Path, resolver: Resolver) -> Published:
    """Write a schema into a folder registry. Raises ``NotPublished``.

    The file appears whole or not at all; a version that any registry has with other contents is refused.
    """
    key = key_of(schema)
    if key.vendor.strip(".") == "":
        raise NotPublished(f"the vendor {key.vendor!r} would leave the folder")
    path = folder / key.path
    findings = lint(schema)
    known = _known(resolver, key)
    if known is not None:
        if known == schema:
            return Published(key, path, findings, unchanged=True)
        raise NotPublished(f"{key} is published already with other contents: give this one a new version")
    older = [other for other in _versions(resolver, key) if other < key]
    changes = diff(resolver.schema(older[-1]), schema) if older else []
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / f".{path.name}.{os.getpid()}.part"
    part.write_bytes(msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n")
    try:
        os.link(part, path)  # fails where somebody was faster
    except FileExistsError:
        raise NotPublished(f"{key} is published already: give this one a new version") from None
    finally:
        part.unlink()
    return Published(key, path, findings, older[-1] if older else None, changes)


def _known(resolver: Resolver, key: SchemaKey) -> dict[str, Any] | None:
    try:
        return resolver.schema(key)
    except SchemaResolutionError:
        return None


def _versions(resolver: Resolver, key: SchemaKey) -> list[SchemaKey]:
    return [
        other
        for model in range(1, key.model + 1)
        for other in resolver.versions(key.vendor, key.name, model)
        if _known(resolver, other) is not None
    ]
