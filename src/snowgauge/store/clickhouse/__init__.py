"""Keeps events in ClickHouse: a server, a cluster, or the embedded engine, always over ClickHouse's HTTP interface."""
