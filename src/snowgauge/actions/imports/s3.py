"""Files in S3, through boto3 (the extra ``snowgauge[s3]``)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from snowgauge.actions.imports.settings import ImportsSettings
from snowgauge.errors import SnowgaugeError


class S3:
    """Reads with the permissions of ``s3:ListBucket`` and ``s3:GetObject`` only."""

    def __init__(self, settings: ImportsSettings, *, page: int = 1000) -> None:
        """``page``: how many objects are asked for at a time."""
        self._page = {"PageSize": page}
        try:
            import boto3
            from botocore.config import Config
        except ImportError:
            raise SnowgaugeError("reading from S3 needs boto3: pip install 'snowgauge[s3]'") from None
        secret = settings.s3_secret_access_key
        try:
            self._client: Any = boto3.client(
                "s3",
                endpoint_url=settings.s3_endpoint,
                region_name=settings.s3_region,
                aws_access_key_id=settings.s3_access_key_id,
                aws_secret_access_key=secret.get_secret_value() if secret else None,
                config=Config(retries={"max_attempts": 5, "mode": "standard"}, connect_timeout=10, read_timeout=60),
            )
        except ValueError as error:
            raise SnowgaugeError(f"imports.s3_endpoint: {error}") from None

    def files(self, location: str) -> Iterator[S3File]:
        """Objects below ``s3://bucket/prefix`` in the order of their keys."""
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        if not bucket:
            raise SnowgaugeError(f"{location}: expected s3://bucket/prefix")
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            listing = self._client.get_paginator("list_objects_v2")
            for page in listing.paginate(Bucket=bucket, Prefix=prefix, PaginationConfig=self._page):
                for found in page.get("Contents", ()):
                    if found["Size"] and not found["Key"].endswith("/"):
                        yield S3File(self._client, bucket, found)
        except (BotoCoreError, ClientError) as error:
            raise SnowgaugeError(f"{location} cannot be listed: {error}") from error


class S3File:
    def __init__(self, client: Any, bucket: str, found: dict[str, Any]) -> None:
        self._client, self._bucket, self._key = client, bucket, found["Key"]
        self.name = f"s3://{bucket}/{self._key}"
        self.size: int = found["Size"]
        self.version: str = found["ETag"]

    def open(self) -> io.BufferedReader:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key, IfMatch=self.version)
        except (BotoCoreError, ClientError) as error:
            raise OSError(f"cannot be read: {error}") from error
        return io.BufferedReader(_Body(answer["Body"]), 1 << 18)


class _Body(io.RawIOBase):
    """A response body as a raw stream whose failures are ``OSError``."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        from botocore.exceptions import BotoCoreError
        from urllib3.exceptions import HTTPError

        try:
            piece: bytes = self._body.read(len(buffer))
        except (BotoCoreError, HTTPError) as error:
            raise OSError(f"reading broke off: {error}") from error
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()
