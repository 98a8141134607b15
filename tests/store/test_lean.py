"""What a process that only writes events does without."""

import subprocess
import sys


def test_stores_that_only_write_load_no_sqlalchemy() -> None:
    stores = "import snowgauge.store.clickhouse.store, snowgauge.store.postgres.store, snowgauge.delivery.worker"
    program = f"{stores}, sys; print('sqlalchemy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
