"""The PostgreSQL of tests does not depend on what other runs of pytest do."""

from __future__ import annotations

from snowgauge.testing.postgres import temporary_server


def test_its_folder_is_none_of_those_that_pytest_closes_to_others(tmp_path_factory) -> None:
    with temporary_server() as server:
        assert tmp_path_factory.getbasetemp().parent not in server.folder.parents
        server.kill()
        assert server.start().database()
    assert not server.folder.exists()
