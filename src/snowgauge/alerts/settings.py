"""Settings of alerts."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from snowgauge.part_settings import Duration, PartSettings, Secret


class AlertsSettings(PartSettings):
    """Alerts: what is watched, and where messages go, is set in the console or by the API. They are checked by the
    process that keeps the modelled tables up to date."""

    enabled: bool = True
    """Check alerts. Those that are there from the start show on the console's bell, and are sent nowhere until they are
    given a channel."""

    every: Duration = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1))
    """How long to wait between two looks for checks that are due."""

    key: Secret = Secret("")
    """Any long text, the same on every machine of the deployment: the addresses and secrets of channels are stored
    encrypted with it. Empty: this machine makes one in its data folder (`alerts.key`)."""

    console_url: str = Field(default="", pattern=r"^$|^https?://[^\s/]+(/[^\s]*)?$")
    """Address of the console, for the links in messages: `https://analytics.example.com`. Empty: messages have none."""

    allow_private_hosts: bool = False
    """Channels may lead to hosts inside your network, such as a chat server of your own."""

    allow_http: bool = False
    """Channels may have addresses that begin with `http://`, where everyone on the way can read messages."""

    keep: Duration = Field(default=timedelta(days=30), ge=timedelta(days=1))
    """How long messages and the log of deliveries are kept."""
