"""The collector's settings with the neutral names put in, and the names its static folder answers on."""

from __future__ import annotations

from snowgauge.actions.scripts.neutral import TRACKER_PROTOCOL_2, neutral_names
from snowgauge.actions.scripts.settings import ScriptsSettings
from snowgauge.collector.settings import CollectorSettings

STATIC = "/static"


def with_neutral_names(collector: CollectorSettings, scripts: ScriptsSettings) -> CollectorSettings:
    """Unchanged when they are off. A cookie that was given a name of its own keeps it."""
    if not scripts.neutral.enabled:
        return collector
    names = neutral_names(scripts.neutral.seed.get_secret_value())
    cookie = collector.cookie
    if cookie.name == type(cookie).model_fields["name"].default:
        cookie = cookie.model_copy(update={"name": names.cookie})
    return collector.model_copy(
        update={
            "paths": {**collector.paths, names.post: TRACKER_PROTOCOL_2},
            "pixel_paths": [*collector.pixel_paths, names.pixel],
            "cookie": cookie,
        }
    )


def script_names(scripts: ScriptsSettings) -> dict[str, str]:
    """Further paths of scripts -> files of the folder."""
    if not scripts.neutral.enabled:
        return {}
    return {neutral_names(scripts.neutral.seed.get_secret_value()).script: "sp.js"}
