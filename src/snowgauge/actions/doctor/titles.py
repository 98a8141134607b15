"""What a check is called: one sentence that is true when all is well, and one that is true when it is not."""

from __future__ import annotations

SENTENCES = {
    "The store works": "The store does not work",
    "The event log works": "The event log does not work",
    "The shared state works": "The shared state does not work",
    "Events are stored soon after they arrive": "Events wait to be stored",
    "Every entry of the event log could be read": "Entries of the event log could not be read",
    "The event log keeps what it took": "The event log may lose what it took",
    "Modelled tables follow what is stored": "Modelled tables are behind",
    "Every visit could be modelled to its end": "Visits were too long to be modelled",
    "Page pings come as often as the settings say": "Page pings come at other intervals than the settings say",
    "There is room on the disk": "The disk is nearly full",
    "The engine's memory fits this machine": "The engine may take more memory than this machine has",
    "The collector answers": "The collector does not answer",
    "Browsers may send from other sites (CORS)": "Browsers may not send from other sites (CORS)",
    "The collector's clock agrees": "The collector's clock differs",
    "The cookie's domain fits the collector": "The cookie's domain does not fit the collector",
    "The collector's name is known (DNS)": "The collector's name is not known (DNS)",
    "The certificate is valid": "The certificate is not valid, or not for long",
    "Registry reachable": "Registry unreachable",
    "This machine's clock is right": "This machine's clock is wrong",
    "Events arrive": "No events arrive",
    "Few events fail": "Many events fail",
    "Few events come from robots": "Many events come from robots",
    "Visitors' addresses come through (proxy headers)": "Visitors' addresses do not come through (proxy headers)",
    "JSON columns say what was sent": "JSON columns say something else than was sent",
}


def title(well: str, status: str) -> str:
    """The sentence for a check that is called ``well`` when all is well. What follows ``: `` is kept."""
    if status not in ("warn", "fail"):
        return well
    sentence, mark, subject = well.partition(": ")
    return SENTENCES.get(sentence, sentence) + mark + subject
