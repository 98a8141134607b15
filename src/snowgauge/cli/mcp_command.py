"""`snowgauge mcp`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from snowgauge.errors import SettingsError

KEY = "SNOWGAUGE_KEY"


def register(app: typer.Typer) -> None:
    app.command("mcp")(mcp)


def mcp(
    url: Annotated[str, typer.Option("--url", help="Address of the private port.")] = "http://127.0.0.1:8001",
) -> None:
    """Let an assistant ask this deployment, over MCP on standard input and output.

    The private port serves the same over streamable HTTP at /mcp, for assistants that send a key themselves.
    It may do what the API key in SNOWGAUGE_KEY may; without a key, what this machine may without a login. Needs the
    extra `mcp`. Example: `SNOWGAUGE_KEY=... snowgauge mcp --url https://analytics.example.com`
    """
    from snowgauge.api.assistant import Api, server

    if not url.startswith(("http://", "https://")):
        raise SettingsError(f"--url: expected an address that begins with http:// or https://, found {url!r:.100}")
    server(Api(url, os.environ.get(KEY, ""))).run("stdio")
