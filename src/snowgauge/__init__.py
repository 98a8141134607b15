"""Snowgauge: a self-hosted behavioural-data pipeline that speaks Snowplow."""

__version__ = "0.1.0"
