"""The schemas Snowgauge can validate with no registry in reach: those that Snowplow's trackers, enrichments,
webhook adapters and failed events name. The folder is a static Iglu registry, so a file's place is its key:
`schemas/<vendor>/<name>/jsonschema/<version>`. They hold constraints only."""

from pathlib import Path

SCHEMAS = Path(__file__).parent / "schemas"
