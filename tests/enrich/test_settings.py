from __future__ import annotations

import pytest
from pydantic import ValidationError

from snowgauge.enrich.settings import EnrichSettings


def test_limits_by_column() -> None:
    assert EnrichSettings(atomic_fields_limits={"mkt_clickid": 2000}).atomic_fields_limits == {"mkt_clickid": 2000}


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"app_idd": 3}, "'app_idd' is not a column of the enriched event; did you mean 'app_id'?"),
        ({"txn_id": 3}, "'txn_id' has no text"),
        ({"app_id": -1}, "never below 0"),
    ],
)
def test_wrong_limits_name_the_column(limits: dict[str, int], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        EnrichSettings(atomic_fields_limits=limits)


def test_secrets_do_not_print() -> None:
    settings = EnrichSettings(adapters={"secrets": {"com.acme/v1": {"key": "hush"}}})  # type: ignore[arg-type]
    assert "hush" not in repr(settings)
