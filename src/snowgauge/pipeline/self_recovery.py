"""Failed events that only lacked a schema, or that a rule repairs, are replayed automatically by the first worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.failed.kept import Kept
from snowgauge.actions.failed.recover import Totals, new_run
from snowgauge.actions.failed.repair.rules import Rules, apply_rules
from snowgauge.actions.failed.retry import Turns, retry
from snowgauge.actions.failed.runs import Runs
from snowgauge.errors import SnowgaugeError
from snowgauge.pipeline import build, lifetime
from snowgauge.pipeline.enriching import enricher_at_need
from snowgauge.pipeline.private_port import open_access
from snowgauge.settings.model import Settings
from snowgauge.store.base import Store
from snowgauge.telemetry.logs import logger

_log = logger("recovery")


def keep_recovering(settings: Settings, environment: Mapping[str, str], store: Store, stop: threading.Event) -> None:
    """Start the thread that looks every ``pipeline.auto_recover_interval``; it ends with ``stop``."""
    seconds = settings.pipeline.auto_recover_interval.total_seconds()

    turns = Turns()
    kept = build.open_kept(settings)

    def run() -> None:
        while not stop.wait(seconds):
            if settings.pipeline.auto_recover:
                _put_off(lambda: recover_unresolved(settings, environment, store, turns, kept=kept))
            _put_off(lambda: recover_by_rules(settings, environment, store, kept=kept))

    threading.Thread(target=run, name="recovery", daemon=True).start()


def _put_off(recover: Callable[[], object]) -> None:
    """What cannot be recovered now is looked at next time, and holds up no other recovery."""
    try:
        recover()
    except SnowgaugeError as error:  # store or registry unreachable, or a person's recovery is under way
        _log.debug("recovery_put_off", reason=str(error))
    except Exception:
        _log.exception("recovery_broken")


def recover_unresolved(
    settings: Settings,
    environment: Mapping[str, str],
    store: Store,
    turns: Turns | None = None,
    *,
    kept: Kept | None = None,
) -> Totals:
    """Replay what failed for want of schemas that are available now. Raises ``ActionRefused`` while another recovery
    is under way."""
    resolver, _ = build.open_iglu(settings)  # a new one: it has not yet learnt that a schema is missing
    runs = Runs(kept or build.open_kept(settings))
    with runs.alone(at_once=False) as turn, enricher_at_need(settings, environment) as enricher:
        schemas, totals = retry(
            store,
            resolver,
            enricher,
            run=new_run(datetime.now(UTC)),
            turns=turns,
            at=int(time.time() * 1000),
            gate=turn.storing(lifetime.gate(settings).storing),
            erasures=lifetime.erased(settings, store),
        )
    if schemas:
        _log.info("recovered_automatically", schemas=schemas, recovered=totals.recovered, failed=totals.failed)
    return totals


def recover_by_rules(
    settings: Settings, environment: Mapping[str, str], store: Store, *, kept: Kept | None = None
) -> None:
    """Apply the rules that people kept, and write into the audit log what they repaired.

    Raises ``ActionRefused`` while another recovery is under way.
    """
    kept = kept or build.open_kept(settings)
    rules = Rules(kept)
    if not any(rule.enabled for rule in rules.all()):
        return
    with Runs(kept).alone(at_once=False) as turn, enricher_at_need(settings, environment) as enricher:
        done = apply_rules(
            rules,
            store,
            enricher,
            at=int(time.time() * 1000),
            gate=turn.storing(lifetime.gate(settings).storing),
            erasures=lifetime.erased(settings, store),
        )
    if not done:
        return
    book = open_access(settings)
    try:
        for rule, totals in done:
            _log.info("repaired_by_rule", rule=rule.id, recovered=totals.recovered, failed=totals.failed)
            text = f"{totals.recovered} of {totals.rows}: {rule.headline}"
            book.record(Principal(rule.id, "local", frozenset()), "repair by rule", rule.cause, text)
    finally:
        book.close()
