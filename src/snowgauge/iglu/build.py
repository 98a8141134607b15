"""Puts the resolver and the validator together from the settings."""

from __future__ import annotations

from pathlib import Path

from snowgauge.errors import SettingsError
from snowgauge.iglu.registries.base import Registry
from snowgauge.iglu.registries.bundled import bundled_registry
from snowgauge.iglu.registries.folder import Copies, FolderRegistry
from snowgauge.iglu.registries.http import HttpRegistry
from snowgauge.iglu.registries.pace import Pace
from snowgauge.iglu.resolver import IgluResolver
from snowgauge.iglu.resolver_config import read_resolver_config
from snowgauge.iglu.settings import IGLU_CENTRAL, IgluSettings
from snowgauge.iglu.validation import IgluValidator


def build(
    settings: IgluSettings,
    data_dir: Path | None,
    *,
    max_json_depth: int = 50,
    local: FolderRegistry | None = None,
) -> tuple[IgluResolver, IgluValidator]:
    """Resolver and validator. Raises :class:`SettingsError` for a configuration that cannot be used.

    No network is reached. The folder ``data_dir/schemas`` need not exist yet; ``local`` stands for it where machines
    share it. ``max_json_depth`` is the one of enrich.
    """
    cache_size, cache_ttl = settings.cache_size, settings.cache_ttl
    registries: list[Registry] = [bundled_registry()]
    if local is not None:
        registries.append(local)
    elif data_dir is not None:
        registries.append(local_schemas(data_dir))
    addresses: set[str] = set()
    for i, place in enumerate(settings.registries):
        if "://" in place:
            addresses.add(place.rstrip("/"))
            key = settings.api_keys.get(place) or settings.api_keys.get(place.rstrip("/"))
            registries.append(
                _http(
                    settings,
                    place,
                    name=f"Custom ({place})",  # as Micro names the registry of MICRO_IGLU_REGISTRY_URL
                    priority=i,
                    apikey=key.get_secret_value() if key else None,
                )
            )
        elif Path(place).is_dir():
            registries.append(FolderRegistry(Path(place), priority=i))
        else:
            raise SettingsError(f"iglu.registries: {place!r} is neither a folder that exists nor an http(s) address")
    for place in settings.api_keys:
        if place.rstrip("/") not in addresses:
            raise SettingsError(f"iglu.api_keys: {place!r} is not one of the addresses in iglu.registries")
    if settings.resolver is not None:
        config = read_resolver_config(settings.resolver)
        cache_size, cache_ttl = config.cache_size, config.cache_ttl
        for entry in config.registries:
            if entry.uri is not None:
                registries.append(
                    _http(
                        settings,
                        entry.uri,
                        name=entry.name,
                        priority=entry.priority,
                        vendor_prefixes=entry.vendor_prefixes,
                        apikey=entry.apikey,
                    )
                )
            else:
                registries.append(
                    FolderRegistry(
                        Path(str(entry.path)),
                        name=entry.name,
                        priority=entry.priority,
                        vendor_prefixes=entry.vendor_prefixes,
                    )
                )
    elif settings.iglu_central:
        registries.append(_http(settings, IGLU_CENTRAL, name="Iglu Central", priority=1000))
    names = [registry.name for registry in registries]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"iglu: two registries are named {name!r}; give one of them another name")
    resolver = IgluResolver(registries, cache_size=cache_size, cache_ttl=cache_ttl, folder_check=settings.folder_check)
    return resolver, IgluValidator(resolver, max_json_depth=max_json_depth)


def local_schemas(data_dir: Path, copies: Copies | None = None) -> FolderRegistry:
    """The schemas published here; ``copies`` where machines share them."""
    return FolderRegistry(data_dir / "schemas", name="Local schemas", copies=copies)


def _http(
    settings: IgluSettings,
    uri: str,
    *,
    name: str,
    priority: int = 0,
    vendor_prefixes: tuple[str, ...] = (),
    apikey: str | None = None,
) -> HttpRegistry:
    return HttpRegistry(
        uri,
        name=name,
        priority=priority,
        vendor_prefixes=vendor_prefixes,
        apikey=apikey,
        timeout=settings.timeout,
        max_retry=settings.max_retry,
        max_wait=settings.max_wait,
        max_size=settings.max_schema_size,
        pace=Pace(settings.requests_per_second, max(1, round(2 * settings.requests_per_second))),
        proxy=settings.proxy,
    )
