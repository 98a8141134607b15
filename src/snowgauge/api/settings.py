"""Settings of the private door: console and APIs."""

from __future__ import annotations

from pydantic import Field

from snowgauge.part_settings import PartSettings


class ConsoleSettings(PartSettings):
    """The private port: console, APIs, metrics and health. Never meant for the open internet."""

    enabled: bool = True
    """Whether `snowgauge serve` starts it."""

    host: str = "127.0.0.1"
    """Address to listen on. Loopback unless told otherwise."""

    port: int = Field(default=8001, ge=0, le=65535)
    """Port to listen on."""
