"""Settings of the trackers' JavaScript and of the names it goes by."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from snowgauge.part_settings import Duration, PartSettings, Secret


class NeutralNamesSettings(PartSettings):
    """Names that say nothing about analytics, for script, requests and cookie. Blockers look for the usual ones."""

    enabled: bool = False
    """Answer on neutral names as well as on the usual ones, and call the cookie by its neutral name."""

    seed: Secret = Secret("")
    """Any text of your own: names are made of it, so they stay the same after a restart and on every machine, and
    differ from everyone else's. Change it to get other names."""


class ScriptsSettings(PartSettings):
    """JavaScript that the collector serves below `/static/`, and the ad-blocker kit."""

    enabled: bool = True
    """Serve the folder."""

    folder: Path | None = None
    """Folder of the scripts. Not set: `static` below `common.data_dir`."""

    download: Literal["auto", "manual"] = "auto"
    """`auto`: where the folder has no tracker yet, fetch it once when the console starts, from npm or else from
    Snowplow's releases. `manual`: only `scripts download` fetches it."""

    version: str = Field(default="4.6.8", pattern=r"^\d+\.\d+\.\d+[\w.-]*$")
    """Version of Snowplow's JavaScript tracker that `scripts download` fetches."""

    release_url: str = "https://github.com/snowplow/snowplow-javascript-tracker/releases/download/{version}/{file}"
    """Where releases are; `{version}` and `{file}` are filled in. A CDN or a mirror of your own is as good."""

    npm_registry: str = ""
    """Address of the npm registry that `--source npm` asks when the npm program, which knows its own, is not there."""

    npm_plugins: list[str] = ["link-click-tracking", "form-tracking", "button-click-tracking", "site-tracking",
                              "performance-navigation-timing"]  # fmt: skip
    """Plug-ins that `--source npm` puts into `sp.js`, as in `@snowplow/browser-plugin-<name>`."""

    download_timeout: Duration = timedelta(seconds=60)
    """Longest time one file may take to arrive."""

    max_age: Duration = timedelta(hours=1)
    """How long browsers keep a script whose name carries no version; those with one are kept for a year."""

    neutral: NeutralNamesSettings = NeutralNamesSettings()
    """Neutral names."""
