"""Who comes: where from, with what device, how often; and the programs that come too."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from snowgauge.actions.demo.chance import Shares, generator, uuid
from snowgauge.actions.demo.places import Place, somewhere


class Device(NamedTuple):
    user_agent: str
    screen: str
    window: str
    depth: str = "24"


def _desktop(agent: str, screen: str, window: str) -> Device:
    return Device(f"Mozilla/5.0 ({agent}", screen, window)


_KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_WINDOWS = f"Windows NT 10.0; Win64; x64) {_KIT} Chrome/"
_MAC = "Macintosh; Intel Mac OS X 10_15_7) "
_IPHONE = "iPhone; CPU iPhone OS 18_5 like Mac OS X) "

_DEVICES = Shares(
    [
        (21, _desktop(_WINDOWS + "142.0.0.0 Safari/537.36", "1920x1080", "1903x947")),
        (4, _desktop(_WINDOWS + "139.0.0.0 Safari/537.36", "1536x864", "1519x731")),
        (7, _desktop(_WINDOWS + "141.0.0.0 Safari/537.36 Edg/141.0.0.0", "1920x1080", "1866x931")),
        (4, _desktop("Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0", "2560x1440", "2543x1318")),
        (9, _desktop(f"{_MAC}{_KIT} Chrome/142.0.0.0 Safari/537.36", "1728x1117", "1728x992")),
        (7, _desktop(f"{_MAC}{_SAFARI} Version/18.5 Safari/605.1.15", "1512x982", "1512x831")),
        (3, _desktop("X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "1920x1080", "1920x955")),
        (21, _desktop(f"{_IPHONE}{_SAFARI} Version/18.5 Mobile/15E148 Safari/604.1", "390x844", "390x664")),
        (13, _desktop(f"Linux; Android 10; K) {_KIT} Chrome/142.0.0.0 Mobile Safari/537.36", "412x915", "412x785")),
        (4, _desktop(f"Linux; Android 14; SM-S921B) {_KIT} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                     "384x832", "384x694")),
        (3, _desktop(f"{_IPHONE}{_SAFARI} CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1", "430x932", "430x740")),
        (3, _desktop(f"iPad; CPU OS 18_5 like Mac OS X) {_SAFARI} Version/18.5 Mobile/15E148 Safari/604.1",
                     "820x1180", "820x1079")),
        (1, _desktop(f"Linux; Android 13; SM-X200) {_KIT} Chrome/141.0.0.0 Safari/537.36", "800x1280", "800x1154")),
    ]
)  # fmt: skip
_BOTS = Shares(
    [
        (9, Device(f"Mozilla/5.0 {_KIT}; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/141.0.0.0 "
                   "Safari/537.36", "412x731", "412x731")),
        (5, Device(f"Mozilla/5.0 {_KIT}; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/136.0.0.0 "
                   "Safari/537.36", "1024x768", "1024x768")),
        (6, Device(f"Mozilla/5.0 {_KIT}; compatible; GPTBot/1.2; +https://openai.com/gptbot)", "1280x720", "1280x720")),
        (3, Device("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "1280x720", "1280x720")),
        (4, Device(f"Mozilla/5.0 (X11; Linux x86_64) {_KIT} HeadlessChrome/141.0.0.0 Safari/537.36", "800x600",
                   "800x600")),
    ]
)  # fmt: skip
_TRACKERS = Shares([(62, "js-4.10.1"), (30, "js-4.6.8"), (8, "js-3.24.6")])
_BOT_SHARE, _ANONYMOUS_SHARE, _KNOWN_SHARE = 0.04, 0.04, 0.18


class Visitor(NamedTuple):
    """One browser. ``cookie`` is the domain_userid and ``network_id`` the collector's; a bot keeps neither.

    ``anonymous``: tracked without identifiers. ``user`` is set once someone logs in (from the visit ``knows``).
    ``slow`` is how long requests take, in ms.
    """

    number: int
    place: Place
    address: str
    device: Device
    tracker: str
    cookie: str
    network_id: str
    bot: bool
    anonymous: bool
    user: str
    knows: int
    visits: int
    slow: int


def visitor(seed: int, number: int) -> Visitor:
    """The same someone for the same numbers."""
    chance = generator(seed, number)
    place, address = somewhere(chance)
    bot = chance.random() < _BOT_SHARE
    anonymous = not bot and chance.random() < _ANONYMOUS_SHARE
    known = not bot and not anonymous and chance.random() < _KNOWN_SHARE
    return Visitor(
        number=number,
        place=place,
        address=address,
        device=(_BOTS if bot else _DEVICES).pick(chance),
        tracker=_TRACKERS.pick(chance),
        cookie=uuid(chance),
        network_id=uuid(chance),
        bot=bot,
        anonymous=anonymous,
        user=f"customer-{number:05d}" if known else "",
        knows=chance.randint(1, 2),
        visits=_how_often(chance, known),
        slow=int(min(4000, 40 + chance.expovariate(1 / 90))),
    )


def _how_often(chance: Random, known: bool) -> int:
    again = 0.62 if known else 0.32
    visits = 1
    while visits < 20 and chance.random() < again:
        visits += 1
    return visits
