"""What Yauaa says of robots: they run in someone's cloud, and their engine is the robot itself.

Brands of HTTP libraries are a table, those of crawlers come from the address they name. Compared with Yauaa 7.30.
"""

from __future__ import annotations

import re

from snowgauge.enrich.enrichments.user_agents import UserAgent, whole_version

_LIBRARIES = {
    # product, in lower case -> brand, name of the agent, name of the engine
    "curl": ("Curl", "Curl", "curl"),
    "wget": ("Wget", "Wget", "Wget"),
    "python-requests": ("Python", "Python-Requests", "python-requests"),
    "okhttp": ("Square", "Okhttp", "okhttp"),
    "go-http-client": ("GO", "Go http client", "Go http client"),
    "java": ("Oracle", "Java", "Java"),
    "axios": ("Axios", "Axios", "axios"),
    "node-fetch": ("Node Fetch", "Node Fetch", "Node Fetch"),
    "postmanruntime": ("Postman", "Postman Runtime", "Postman Runtime"),
    "apache-httpclient": ("Apache", "Apache-HttpClient", "Apache-HttpClient"),
    "libwww-perl": ("Libwww-Perl", "Libwww-Perl", "libwww-perl"),
    "guzzlehttp": ("Guzzle", "Guzzle", "Guzzle"),
    "kube-probe": ("Kube", "Kube-Probe", "kube-probe"),
}
_OWNERS = {
    "bing": "Microsoft", "bingbot": "Microsoft", "googlebot": "Google", "googlebot-image": "Google",
    "adsbot-google": "Google", "mediapartners-google": "Google", "gptbot": "Openai", "applebot": "Apple",
    "claudebot": "Anthropic", "ccbot": "Commoncrawl",
}  # fmt: skip
"""Product, or domain without its top level, in lower case -> brand, where that is not the name itself."""
_CLOUDS = {"Google": "Google Cloud", "Microsoft": "Microsoft Cloud"}
_PRODUCT = re.compile(r"([A-Za-z][\w!.-]*)(?:[/ ]v?(\d[\w.~]*))?")
_DOMAIN = re.compile(r"(?:https?://(?:[\w-]+\.){0,4}|@)([\w-]+)\.(?:com|org|net|io|ai|co|eu|de|ru|fr)\b", re.IGNORECASE)
_JOINED = re.compile(r"(?:[A-Z][a-z]{3,})+[A-Z][a-z]+(?:-\w+)*")


class Robot:
    """What a robot's user agent says of it; ``name`` is empty where that is nothing."""

    def __init__(self, text: str, agent: UserAgent, url: str | None, email: str | None) -> None:
        first = _PRODUCT.match(text.strip())
        product, self.version = (first[1], first[2] or "") if first else ("", "")
        library = _LIBRARIES.get(product.lower())
        if library is not None:
            self.brand, self.name, self.engine = library
            return
        if agent.family != "Other":
            # the family may be a name of uap-core's own, without a version; then the product's stands first
            product = agent.family
            self.version = whole_version(text, agent) or ("" if text.startswith("Mozilla/") else self.version)
        owner = _DOMAIN.search(f"{url or ''} {email or ''}")
        known = _OWNERS.get(product.lower())
        self.brand = known or _brand(owner[1] if owner else re.sub(r"(?i)[-_]?bot.*$", "", product))
        self.name = self.engine = _capital(product)

    @property
    def cloud(self) -> str:
        return _CLOUDS.get(self.brand, "Cloud")

    @property
    def device(self) -> str:
        """Brand and model: the name without the brand that it begins with."""
        rest = self.name
        if rest.lower().startswith(self.brand.lower()):
            rest = rest[len(self.brand) :].lstrip("-! ")
        if self.brand == "Google" and rest.lower() == "bot":
            rest = ""  # Yauaa calls the crawler by its owner alone
        return " ".join(word for word in (self.brand, *map(_shown, rest.split())) if word)


def _shown(word: str) -> str:
    """A word of a device's name: short ones in capitals, joined ones as they are, others with one capital."""
    if _JOINED.fullmatch(word):
        return word
    if "-" in word:
        return "-".join(part.upper() if len(part) <= 3 else part for part in word.split("-"))
    return word.upper() if len(word) <= 3 else word.capitalize()


def _brand(name: str) -> str:
    return _OWNERS.get(name.lower(), name[:1].upper() + name[1:].lower())


def _capital(name: str) -> str:
    """Each word that is all in lower case gets a capital."""
    return "-".join(word.capitalize() if word.islower() else word for word in name.split("-"))
