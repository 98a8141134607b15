"""Settings of the deployment's own schema registry."""

from __future__ import annotations

import uuid

from pydantic import Field, field_validator

from snowgauge.part_settings import ByteSize, PartSettings, Secret


class RegistrySettings(PartSettings):
    """The deployment's own schema registry, served as an Iglu Server at `/iglu` of the private port.

    Its schemas lie in the folder ``schemas`` of the data directory, where the pipeline looks first after its own.
    """

    enabled: bool = True
    """Serve it."""

    super_api_key: Secret = Secret("")
    """A UUID that may do everything: publish for every vendor, make keys and revoke them. Empty: nobody may, and only
    keys made earlier work."""

    patches_allowed: bool = False
    """Let schemas that are published be overwritten and deleted. For development; events that were checked against the
    old text would not be checked again."""

    max_payload_size: ByteSize = Field(default=100_000, ge=1000)
    """Largest request that is read."""

    max_json_depth: int = Field(default=40, ge=1)
    """Deepest nesting of JSON in requests; scalars count as a level."""

    @field_validator("super_api_key")
    @classmethod
    def _is_a_uuid(cls, key: Secret) -> Secret:
        if key.get_secret_value():
            try:
                return Secret(str(uuid.UUID(key.get_secret_value())))
            except ValueError:
                raise ValueError("expected a UUID, such as `uuidgen` prints; found something else") from None
        return key
