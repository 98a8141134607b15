"""The tracker protocol's parameters and the columns they fill: the complete map of enrich 6.10.

The four self-describing parameters (``ue_pr``, ``ue_px``, ``co``, ``cx``) are not here: see ``entities``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snowgauge.enrich.transform import converters
from snowgauge.enrich.transform.converters import Unconvertible
from snowgauge.enrich.transform.ips import first_ip
from snowgauge.events.tsv_text import tsv_safe

_STRINGS = {
    "aid": "app_id", "tna": "name_tracker", "tv": "v_tracker", "cv": "v_collector", "uid": "user_id",
    "duid": "domain_userid", "nuid": "network_userid", "tnuid": "network_userid", "fp": "user_fingerprint",
    "ua": "useragent", "lang": "br_lang", "cd": "br_colordepth", "tz": "os_timezone", "cs": "doc_charset",
    "page": "page_title", "url": "page_url", "refr": "page_referrer",
    "se_ca": "se_category", "se_ac": "se_action", "se_la": "se_label", "se_pr": "se_property",
    "ev_ca": "se_category", "ev_ac": "se_action", "ev_la": "se_label", "ev_pr": "se_property",
    "tr_id": "tr_orderid", "tr_af": "tr_affiliation", "tr_ci": "tr_city", "tr_st": "tr_state", "tr_co": "tr_country",
    "tr_cu": "tr_currency",
    "ti_id": "ti_orderid", "ti_sk": "ti_sku", "ti_nm": "ti_name", "ti_na": "ti_name", "ti_ca": "ti_category",
    "ti_cu": "ti_currency",
}  # fmt: skip
_TYPED: dict[str, tuple[str, Callable[[str], Any]]] = {
    "e": ("event", converters.event),
    "p": ("platform", converters.platform),
    "eid": ("event_id", converters.uuid),
    "sid": ("domain_sessionid", converters.uuid),
    "dtm": ("dvce_created_tstamp", converters.milliseconds),
    "stm": ("dvce_sent_tstamp", converters.milliseconds),
    "ttm": ("true_tstamp", converters.milliseconds),
    "ip": ("user_ipaddress", first_ip),
    "tid": ("txn_id", converters.integer),
    "vid": ("domain_sessionidx", converters.integer),
    "ti_qu": ("ti_quantity", converters.integer),
    "pp_mix": ("pp_xoffset_min", converters.integer),
    "pp_max": ("pp_xoffset_max", converters.integer),
    "pp_miy": ("pp_yoffset_min", converters.integer),
    "pp_may": ("pp_yoffset_max", converters.integer),
    "se_va": ("se_value", converters.decimal),
    "ev_va": ("se_value", converters.decimal),
    "tr_tt": ("tr_total", converters.decimal),
    "tr_tx": ("tr_tax", converters.decimal),
    "tr_sh": ("tr_shipping", converters.decimal),
    "ti_pr": ("ti_price", converters.decimal),
    "f_pdf": ("br_features_pdf", converters.flag),
    "f_fla": ("br_features_flash", converters.flag),
    "f_java": ("br_features_java", converters.flag),
    "f_dir": ("br_features_director", converters.flag),
    "f_qt": ("br_features_quicktime", converters.flag),
    "f_realp": ("br_features_realplayer", converters.flag),
    "f_wma": ("br_features_windowsmedia", converters.flag),
    "f_gears": ("br_features_gears", converters.flag),
    "f_ag": ("br_features_silverlight", converters.flag),
    "cookie": ("br_cookies", converters.flag),
}
_PAIRS = {
    "res": ("dvce_screenwidth", "dvce_screenheight"),
    "vp": ("br_viewwidth", "br_viewheight"),
    "ds": ("doc_width", "doc_height"),
}

PARAMETERS: dict[str, tuple[str, ...]] = {
    **{name: (column,) for name, column in _STRINGS.items()},
    **{name: (column,) for name, (column, _) in _TYPED.items()},
    **_PAIRS,
    "co": ("contexts",),
    "cx": ("contexts",),
    "ue_pr": ("unstruct_event",),
    "ue_px": ("unstruct_event",),
}
"""Every parameter that is not ignored, and the columns it fills."""

Problem = tuple[str, str, str | None]
"""Parameter, message, value."""


def columns(parameters: dict[str, str | None], into: dict[str, Any]) -> list[Problem]:
    """Put the columns that ``parameters`` fill into ``into``; gives the parameters that do not fit theirs.

    A column whose parameter does not fit keeps what it had. Parameters without a value are passed over. Of two names of
    one column (``se_va``, ``ev_va``) the later counts, but ``tnuid`` beats ``nuid`` wherever it stands.
    """
    problems: list[Problem] = []
    for name, text in parameters.items():
        if text is None:
            continue
        if name == "nuid" and parameters.get("tnuid") is not None:
            continue
        column = _STRINGS.get(name)
        if column is not None:
            # nearly every text is printable and goes as it is; an empty one unsets the column
            into[column] = (text or None) if text.isprintable() else tsv_safe(text)
            continue
        try:
            if (typed := _TYPED.get(name)) is not None:
                into[typed[0]] = typed[1](text)
            elif (pair := _PAIRS.get(name)) is not None:
                into[pair[0]], into[pair[1]] = converters.dimensions(text)
        except Unconvertible as error:
            problems.append((name, str(error), text))
    return problems
