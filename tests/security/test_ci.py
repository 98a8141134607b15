"""The build server looks for secrets in the files, and for known vulnerabilities of what they bring along."""

from __future__ import annotations

import http.server
import json
import secrets
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(program, *arguments):
    return subprocess.run(
        [sys.executable, ROOT / ".ci" / program, *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("key.pem", "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE\n"),
        ("cloud.py", 'KEY = "AKIA' + 'Q3EGRIUHFJ5KZ7XW"\n'),
        ("code.toml", 'token = "ghp_' + secrets.token_hex(18) + '"\n'),
        ("url.md", "store.url = postgresql://app:" + secrets.token_hex(8) + "@db.example/x\n"),
    ],
    ids=["private key", "cloud key", "token", "password in an address"],  # random texts are no names for tests
)
def test_a_secret_in_a_file_is_found_and_not_shown(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(f"first line\n{text}")
    done = run("find_secrets.py", file)
    assert done.returncode == 1
    assert f"{file}:2: " in done.stdout
    assert text.strip() not in done.stdout


def test_placeholders_of_documentation_are_none(tmp_path):
    file = tmp_path / "page.md"
    file.write_text("clickhouse://user:password@host:8123\npostgresql://u:p@h/d\npassword = open sesame\n")
    done = run("find_secrets.py", file)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture
def database():
    """Answers as osv.dev does; ``known`` maps a package's name to an id."""
    asked, known = [], {}

    class Osv(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            asked.extend(queries)
            found = [known.get(query["package"]["name"]) for query in queries]
            body = json.dumps({"results": [{"vulns": [{"id": one}]} if one else {} for one in found]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Osv)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.asked, server.known = asked, known
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_known_vulnerability_fails_the_build(database):
    address = f"http://127.0.0.1:{database.server_address[1]}/v1/querybatch"
    assert run("audit.py", address).returncode == 0
    named = {(query["package"]["ecosystem"], query["package"]["name"].lower()) for query in database.asked}
    assert {("PyPI", "granian"), ("npm", "react")} <= named
    database.known["granian"] = "GHSA-none-at-all"
    done = run("audit.py", address)
    assert done.returncode == 1
    assert "GHSA-none-at-all" in done.stdout


def test_a_database_that_is_away_is_told_and_fails_nothing():
    done = run("audit.py", "http://127.0.0.1:9/v1/querybatch")
    assert done.returncode == 0
    assert "SKIPPED" in done.stdout


def test_the_build_server_runs_both():
    assert "make audit\n" in (ROOT / ".ci" / "run").read_text()
    makefile = (ROOT / "Makefile").read_text()
    assert "python .ci/find_secrets.py" in makefile.partition("\nlint:")[2].partition("\n\n")[0]
    assert "python .ci/audit.py" in makefile.partition("\naudit:")[2].partition("\n\n")[0]
