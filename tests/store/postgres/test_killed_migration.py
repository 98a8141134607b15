"""A migration that is killed leaves nothing half done: its steps and their notes are one transaction."""

from __future__ import annotations

import subprocess
import sys

import pytest

from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore

DYING = """
import os, signal, sys
import psycopg
left, url = int(sys.argv[1]), sys.argv[2]
real = psycopg.Connection.execute
def execute(self, query, *given, **more):
    global left
    if str(query).startswith(("CREATE", "ALTER", "INSERT")):
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
    return real(self, query, *given, **more)
psycopg.Connection.execute = execute
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
resolver = build(IgluSettings(iglu_central=False), None)[0]
PostgresStore(url, PostgresSettings(dbt_tables=False), resolver).migrate()
"""


@pytest.mark.parametrize("statement", [2, 9])
def test_what_was_killed_is_done_by_the_next(url, schemas, statement):
    done = subprocess.run([sys.executable, "-c", DYING, str(statement), url], capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    store = PostgresStore(url, PostgresSettings(dbt_tables=False), schemas)
    try:
        assert not any(step.applied_at for step in store.migrations())
        store.migrate()
        assert all(step.applied_at for step in store.migrations())
    finally:
        store.close()
