"""A certificate authority for tests: Let's Encrypt's own test server Pebble, and a DNS that knows every name.

Facts of Pebble 2.4: it keeps nothing between runs, makes a new root each time, rejects some good nonces on purpose,
and asks the proxy's ports instead of 80 and 443.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import ssl
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from snowgauge.testing.certificates import self_signed
from snowgauge.testing.deployment import free_port, wait_until

EAB_KEY_ID, EAB_HMAC_KEY = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def missing(cache: Path | None = None) -> str | None:
    """Why Pebble cannot be run here, or ``None``. Looked for on PATH, then in ``cache``."""
    for program in ("pebble", "pebble-challtestsrv"):
        if find(program, cache) is None:
            return f"no {program} on this machine (Debian: apt install pebble), so no certificate can be ordered"
    return None


def find(program: str, cache: Path | None = None) -> str | None:
    path = os.environ.get("PATH", os.defpath)
    return shutil.which(program, path=path if cache is None else f"{path}{os.pathsep}{cache}")


class Pebble:
    """An authority that asks ``http_port`` and ``https_port`` of 127.0.0.1; as a context manager it starts and stops.

    ``lifetime`` is that of its certificates. ``bind_accounts`` makes it refuse accounts without external binding.
    """

    def __init__(
        self,
        folder: Path,
        *,
        http_port: int,
        https_port: int,
        lifetime: datetime.timedelta = datetime.timedelta(days=90),
        bind_accounts: bool = False,
        cache: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._cache = cache
        self._port, self._management, self._dns, self._dns_management = (free_port() for _ in range(4))
        self.ca_file = folder / "pebble.pem"
        key_file = folder / "pebble.key"
        self_signed(["localhost"], self.ca_file, key_file, addresses=["127.0.0.1"])
        config: dict[str, Any] = {
            "listenAddress": f"127.0.0.1:{self._port}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(self.ca_file),
            "privateKey": str(key_file),
            "httpPort": http_port,
            "tlsPort": https_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": bind_accounts,
            "certificateValidityPeriod": int(lifetime.total_seconds()),
        }
        if bind_accounts:
            config["externalAccountMACKeys"] = {EAB_KEY_ID: EAB_HMAC_KEY}
        (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        self._processes: list[subprocess.Popen[bytes]] = []
        self.log_file = folder / "pebble.log"

    @property
    def directory(self) -> str:
        return f"https://127.0.0.1:{self._port}/dir"

    def __enter__(self) -> Pebble:
        server, names = find("pebble", self._cache), find("pebble-challtestsrv", self._cache)
        assert server is not None
        assert names is not None
        dns = [names, "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""]
        dns += ["-dns01", f"127.0.0.1:{self._dns}", "-management", f"127.0.0.1:{self._dns_management}"]
        authority = [server, "-config", str(self._folder / "pebble.json"), "-strict"]
        authority += ["-dnsserver", f"127.0.0.1:{self._dns}"]
        environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0", "PEBBLE_WFE_NONCEREJECT": "0"}
        with self.log_file.open("ab") as log:
            self._processes = [
                subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - found above
                for command in (dns, authority)
            ]
        try:
            wait_until(self._up, f"pebble answers; see {self.log_file}", within=180)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def _up(self) -> bool:
        try:
            self._get(self.directory)
            self._dns_says("clear-a", host="nobody.example.")
        except OSError:
            return False
        return True

    def _get(self, url: str) -> bytes:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        with urllib.request.urlopen(url, timeout=5, context=context) as answer:  # noqa: S310 - our own server
            content: bytes = answer.read()
        return content

    def _dns_says(self, what: str, **body: Any) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._dns_management}/{what}", data=json.dumps(body).encode(), method="POST"
        )
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310

    def root(self) -> str:
        """The root certificate of this run, PEM."""
        return self._get(f"https://127.0.0.1:{self._management}/roots/0").decode()

    def trusting(self) -> ssl.SSLContext:
        """A client's context that believes this authority and no other."""
        return ssl.create_default_context(cadata=self.root())

    def point(self, domain: str, address: str) -> None:
        """Have a name lead to another address than 127.0.0.1."""
        self._dns_says("add-a", host=f"{domain}.", addresses=[address])

    def point_back(self, domain: str) -> None:
        self._dns_says("clear-a", host=f"{domain}.")

    def unknown(self, domain: str) -> None:
        """Have the DNS fail for a name."""
        self._dns_says("set-servfail", host=f"{domain}.")
