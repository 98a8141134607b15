"""The schemas that come with Snowgauge: what Snowplow's trackers send and its pipeline adds."""

from __future__ import annotations

from snowgauge.iglu.bundled import SCHEMAS
from snowgauge.iglu.registries.folder import FolderRegistry

BUNDLED_NAME = "Iglu Client Embedded"
"""The name of the built-in registry in Snowplow's lookup histories, kept so that bad rows read the same."""


def bundled_registry() -> FolderRegistry:
    """The registry of the package's own schema files."""
    return FolderRegistry(SCHEMAS.parent, name=BUNDLED_NAME, volatile=False)
