"""The enricher with everything it needs, made from settings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from typing import TYPE_CHECKING

from snowgauge.iglu.at_hand import Limits, ValidatorAtHand
from snowgauge.iglu.resolver import IgluResolver
from snowgauge.iglu.validation import IgluValidator
from snowgauge.pipeline.build import data_dir, open_iglu
from snowgauge.settings.model import Settings

if TYPE_CHECKING:
    from snowgauge.enrich.configs import LoadedEnrichments
    from snowgauge.enrich.enricher import Enricher
    from snowgauge.enrich.enrichments.base import Enrichment
    from snowgauge.outgoing import HttpClient


class Enriching:
    """An enricher with everything it needs, and the end of its life."""

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str],
        *,
        start: bool = True,
        more: Sequence[Enrichment] = (),
        limits: Limits | None = None,
        iglu: tuple[IgluResolver, IgluValidator] | None = None,
    ) -> None:
        """Raises ``SettingsError`` for enrichments that cannot be used. With ``start``, files are kept fresh; ``more``
        run beside those that are configured. ``limits`` of looking for schemas are those of single events if not given;
        ``iglu`` is shared where it is.
        """
        from snowgauge.enrich import means
        from snowgauge.enrich.configs import load
        from snowgauge.enrich.enricher import Enricher

        self.resolver, self.validator = iglu or open_iglu(settings)
        self._means, self.assets, self._http = means.build(settings.enrichments, data_dir(settings))
        self.loaded: LoadedEnrichments = load(
            settings.enrichments.folder,
            self.validator,
            self._means,
            environment,
            add_defaults=settings.enrichments.add_defaults,
        )
        enrichments = [*self.loaded.enrichments, *more]
        self._at_hand = ValidatorAtHand(
            self.resolver,
            self.validator,
            limits or Limits.of_single_events(settings.iglu),
            threads=settings.iglu.lookups_at_once,
        )
        self.enricher = Enricher(
            self.validator, settings.enrich, enrichments, adapters=self.loaded.adapters, at_hand=self._at_hand
        )
        if start:
            self.assets.start()

    def close(self) -> None:
        self.assets.stop()
        self._at_hand.close()
        self.loaded.close()
        self._http.close()


class LentEnricher:
    """An enricher for people's questions: made when first asked for, lent to one caller at a time."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        self._settings, self._environment = settings, environment
        self._lock = threading.Lock()
        self._enriching: Enriching | None = None

    @contextmanager
    def __call__(self) -> Iterator[Enricher]:
        with self._lock:
            if self._enriching is None:
                self._enriching = Enriching(self._settings, self._environment, start=False)
            yield self._enriching.enricher


@contextmanager
def enricher_at_need(settings: Settings, environment: Mapping[str, str]) -> Iterator[Callable[[], Enricher]]:
    """Gives an enricher, made when first asked for and closed in the end; always the same one."""
    with ExitStack() as stack:

        @cache
        def enricher() -> Enricher:
            return stack.enter_context(closing(Enriching(settings, environment, start=False))).enricher

        yield enricher


def open_outgoing(settings: Settings) -> HttpClient:
    """HTTP to other hosts, within the limits of the enrichments' settings."""
    from snowgauge.enrich import means

    _, _, http = means.build(settings.enrichments, data_dir(settings))
    return http
