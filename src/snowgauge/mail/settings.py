"""The mail server."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from snowgauge.part_settings import Duration, PartSettings, Secret


class MailSettings(PartSettings):
    """How e-mail is sent. Nothing is sent while `host` is empty."""

    host: str = ""
    """Name of the mail server (SMTP)."""

    port: int = Field(default=587, ge=1, le=65535)
    """Its port: 587 with `starttls`, 465 with `tls`."""

    security: Literal["starttls", "tls", "none"] = "starttls"
    """`starttls`: encrypted from the greeting on, or not sent. `tls`: encrypted from the start. `none`: only for a
    server on this machine."""

    user: str = ""
    """Account at the mail server. Empty: it asks for none."""

    password: Secret = Secret("")
    """Its password."""

    sender: str = Field(default="", max_length=254, pattern=r"^$|^[^\s@<>]+@[^\s@<>]+$")
    """Address that messages come from: `snowgauge@example.com`."""

    timeout: Duration = Field(default=timedelta(seconds=10), ge=timedelta(seconds=1), le=timedelta(minutes=2))
    """How long the server may take for each step."""

    @model_validator(mode="after")
    def _complete(self) -> MailSettings:
        if self.host and not self.sender:
            raise ValueError("mail.sender is empty: give the address that messages come from")
        if self.user and self.security == "none" and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("mail.security: none would send the password of mail.user in clear: use starttls or tls")
        return self
