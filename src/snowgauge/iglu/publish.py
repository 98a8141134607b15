"""Adding a schema to the local registry: looked over first, never over a published version."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Any

import msgspec

from snowgauge.errors import SchemaResolutionError, SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.contract import Resolver
from snowgauge.iglu.diff import Change, diff
from snowgauge.iglu.lint import Finding, lint
from snowgauge.iglu.registries.folder import FolderRegistry


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


class NotSuperseding(ValueError):
    """``$supersedes`` cannot be followed. ``malformed``: it is no list of versions at all."""

    def __init__(self, message: str, *, malformed: bool = False) -> None:
        super().__init__(message)
        self.malformed = malformed


def superseded(key: SchemaKey, schema: dict[str, Any], there: Container[SchemaKey]) -> list[SchemaKey]:
    """The versions whose events are to be checked against this one. Raises ``NotSuperseding``."""
    versions = schema.get("$supersedes") or []
    try:
        if not isinstance(versions, list):
            raise TypeError
        keys = [SchemaKey.parse(f"iglu:{key.vendor}/{key.name}/{key.format}/{version}") for version in versions]
    except (SelfDescribingError, TypeError):
        raise NotSuperseding("$supersedes must be a list of versions", malformed=True) from None
    if any(each not in there for each in keys):
        raise NotSuperseding("Superseded schema version(s) do not exist")
    if any(each >= key for each in keys):
        raise NotSuperseding("Superseded schema version(s) must be below the superseding version")
    return keys


def publish(schema: Any, files: FolderRegistry, resolver: Resolver) -> Published:
    """Write a schema into a folder registry. Raises ``NotPublished``.

    A version that any registry has with other contents is refused. Unlike at the Iglu Server API versions need not come
    in order, so that a schema that events name already can be added.
    """
    key = key_of(schema)
    findings = lint(schema)
    known = _known(resolver, key)
    if known is not None:
        if known == schema:
            return Published(key, files.path_of(key), findings, unchanged=True)
        raise NotPublished(f"{key} is published already with other contents: give this one a new version")
    older = [other for other in _versions(resolver, key) if other < key]
    changes = diff(resolver.schema(older[-1]), schema) if older else []
    try:
        replaced = superseded(key, schema, set(files.keys()))
    except NotSuperseding as refused:
        raise NotPublished(str(refused)) from None
    if not files.put(key, schema, replace=False):
        raise NotPublished(f"{key} is published already: give this one a new version")
    if replaced:
        files.supersede(replaced, key)
    return Published(key, files.path_of(key), findings, older[-1] if older else None, changes)


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
