"""Settings of what all machines of a deployment share."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from snowgauge.part_settings import Duration, PartSettings, Secret

LEAST_KEY = 20


class SharedStateSettings(PartSettings):
    """Where erasures, retention's mark, published schemas, people, keys and saved analytics are kept, so that all
    machines of a deployment have the same."""

    place: Literal["auto", "data_dir", "store"] = "auto"
    """`data_dir`: files of the data folder, for one machine. `store`: the store's database, for any number of machines.
    `auto`: the store where the event log is Kafka and there is a store, else the data folder."""

    key: Secret = Secret("")
    """Key that encrypts what is kept in the store, so that SQL does not show it; the same on every machine, at least 20
    characters. Needed for `store`. Without it what was written cannot be read again."""

    max_age: Duration = Field(default=timedelta(seconds=2))
    """How old what a process knows of people, keys, sessions and schemas may be before it looks again. Erasures are
    looked at before and after each batch is stored."""

    outage: Duration = Field(default=timedelta(seconds=30))
    """How long people, keys and sessions are answered from what is known while the store is unreachable. After that the
    console and its APIs answer 503."""

    @field_validator("key")
    @classmethod
    def _long(cls, value: Secret) -> Secret:
        if value.get_secret_value() and len(value.get_secret_value()) < LEAST_KEY:
            raise ValueError(f"must have at least {LEAST_KEY} characters")
        return value
