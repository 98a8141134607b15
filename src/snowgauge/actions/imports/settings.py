"""Settings of imports."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from snowgauge.part_settings import Duration, PartSettings, Secret


class ImportsSettings(PartSettings):
    """How `snowgauge import` reads and where from. Buckets need the extra `snowgauge[s3]`."""

    chunk_lines: int = Field(default=5000, ge=1, le=100_000)
    """Lines that are kept together: each chunk costs two waits for the disk."""

    watch_interval: Duration = Field(default=timedelta(seconds=60), gt=timedelta(0))
    """Pause between two looks at a folder or bucket under `--watch`. CloudFront delivers a few times an hour."""

    s3_endpoint: str | None = None
    """Address of an S3-compatible server; unset: Amazon's own."""

    s3_region: str | None = None
    """Region of the bucket; unset: what the AWS configuration of this machine says."""

    s3_access_key_id: str | None = None
    """Access key; unset: credentials are found as AWS tools find them (environment, profile, instance role)."""

    s3_secret_access_key: Secret | None = None
    """Secret of the access key."""
