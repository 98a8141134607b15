"""Several workers of one machine."""

from __future__ import annotations

import pytest

from snowgauge.errors import LogUnavailable
from snowgauge.testing.eventlog.asking import MakeLog, bodies, drain, entries, ids_and_bodies, subscribed


class Shares:
    """A part of ``EventLogContract``."""

    def test_a_share_is_held_once(self, make_log: MakeLog) -> None:
        log = make_log()
        with subscribed(log), pytest.raises(LogUnavailable, match=r"share 0 of 1"):
            make_log().subscribe()
        with subscribed(log):
            pass

    def test_shares_of_different_divisions_are_not_held_together(self, make_log: MakeLog) -> None:
        log = make_log()
        with subscribed(log), pytest.raises(LogUnavailable, match=r"share 1 of 2 .* share 0 of 1 is being read"):
            log.subscribe(1, 2)
        with subscribed(log, 1, 2), subscribed(log, 0, 2), pytest.raises(LogUnavailable, match=r"pipeline\.workers"):
            log.subscribe()
        with subscribed(log):
            pass

    @pytest.mark.parametrize(("share", "of"), [(1, 1), (-1, 2), (2, 2), (0, 0)])
    def test_a_share_that_cannot_be_is_refused(self, make_log: MakeLog, share: int, of: int) -> None:
        with pytest.raises(ValueError, match="share"):
            make_log().subscribe(share, of)

    def test_shares_divide_the_entries_among_themselves(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_entries=3)
        writers = [log.writer() for _ in range(3)]
        for number in range(30):
            writers[number % 3].append(entries(f"{number}"))
        with subscribed(log, 0, 2) as even, subscribed(log, 1, 2) as odd:
            found = bodies(drain(even)) + bodies(drain(odd))
        assert sorted(found, key=int) == [str(number) for number in range(30)]
        for writer in writers:
            writer.close()

    def test_fewer_shares_finish_what_more_began(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_entries=1)
        writers = [log.writer() for _ in range(3)]
        for number, writer in enumerate(writers):
            writer.append(entries(f"{number}", f"{number}"))
        before: dict[str, list[str]] = {}
        for share in range(3):
            with subscribed(log, share, 3) as subscription:
                before.update(ids_and_bodies(subscription, most=1))
        after, found = {}, []
        with subscribed(log) as subscription:
            while batch := subscription.read(0):
                after[batch.id] = bodies(batch.entries)
                found += bodies(batch.entries)
                subscription.commit(batch)
        assert sorted(found) == ["0", "0", "1", "1", "2", "2"]
        assert {key: after.get(key) for key in before} == before
        for writer in writers:
            writer.close()
