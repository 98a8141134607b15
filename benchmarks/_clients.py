"""Those who talk to a deployment in `soak --everything`: trackers that send until they are answered, and attackers.

Each runs in a process of its own and is seeded, so that it sends the same again. An attacker's requests carry a number
in their ``User-Agent``, so that those that were acknowledged are found in the store.
"""

from __future__ import annotations

import gzip
import http.client
import json
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from benchmarks.end_to_end import event
from benchmarks.soak import BAD_OF, HEADERS, NAME, PATIENCE, bad_event, open_connection
from snowgauge.testing.failing import PAYLOAD_DATA, entities
from snowgauge.testing.registry import RegistryServer

TP2 = "/com.snowplowanalytics.snowplow/tp2"
EITHER = 7
"""Of each ``BAD_OF`` events the one that has an entity of a schema in the registry: good or failed, by whether that
could be asked."""
NEW_SCHEMA_EVERY = 15.0
SCHEMAS_OF_ONE_EVENT = 300
AGENT = "soak-hostile/"
FROM = "127.0.0.66"
"""Where the attackers come from, so that limits by address are theirs alone."""


class Door(msgspec.Struct, frozen=True):
    """``port``: where trackers come in, over HTTPS with an ``authority``. ``plain``: the collector's own port."""

    port: int
    authority: str | None
    plain: int


class Tried(msgspec.Struct):
    """One request until its 200. ``answers``: seconds of each attempt, and its status (0: no answer)."""

    at: float
    took: float
    answers: list[tuple[float, int]]


class Sent(msgspec.Struct):
    """What one tracker did: its events are the numbers below ``events``, ``again`` those sent more than once."""

    client: int
    events: int
    batch: int
    again: list[int]
    tried: list[Tried]


class Attacked(msgspec.Struct):
    """Numbers of the attacker's requests, by what became of them."""

    acknowledged: list[int]
    refused: dict[int, int]
    unanswered: list[int]


def cart(number: int) -> str:
    return f"iglu:com.acme/cart{number}/jsonschema/1-0-0"


def publish(registry: RegistryServer, seconds: float) -> None:
    """What trackers name, a new one every few seconds, and what one event names all at once."""
    many = [f"iglu:com.acme/many{n}/jsonschema/1-0-0" for n in range(SCHEMAS_OF_ONE_EVENT)]
    for uri in [*(cart(n) for n in range(int(seconds / NEW_SCHEMA_EVERY) + 100)), *many]:
        vendor, name, _, version = uri.removeprefix("iglu:").split("/")
        registry.put(uri, {
            "$schema": "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
            "self": {"vendor": vendor, "name": name, "format": "jsonschema", "version": version},
            "type": "object", "properties": {"quantity": {"type": "integer"}}, "additionalProperties": False,
        })  # fmt: skip


def tracker(number: int, door: Door, rate: float, batch: int, seconds: float, done: Any) -> None:
    """Sends until the time is over, each request until it is taken; gives a ``Sent``."""
    context = ssl.create_default_context(cafile=door.authority) if door.authority else None
    sent, again, tried = 0, set(), []
    connection: http.client.HTTPConnection | None = None
    started = time.monotonic()
    while (passed := time.monotonic() - started) < seconds:
        if sent / rate > passed:
            time.sleep(0.005)
            continue
        body = request(number, sent, batch, passed)
        begun, answers = time.monotonic(), []
        while True:
            attempt, status = time.monotonic(), 0
            try:
                if connection is None:
                    connection = open_connection(door.port, context)
                connection.request("POST", TP2, body, HEADERS)
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, http.client.HTTPException):
                if connection is not None:
                    connection.close()
                connection = None
            answers.append((time.monotonic() - attempt, status))
            if status == 200:
                break
            if time.monotonic() - started > seconds + PATIENCE:
                raise SystemExit(f"tracker {number}: no 200 for {PATIENCE:.0f} s after the end")
            again.update(range(sent, sent + batch))
            time.sleep(0.2)
        tried.append(Tried(begun, time.monotonic() - begun, answers))
        sent += batch
        if sent // batch % 100 == 0 and connection is not None:
            connection.close()
            connection = None
    done.put(Sent(number, sent, batch, sorted(again), tried))


def event_id(client: int, number: int) -> str:
    return f"{client:08x}-0000-4000-8000-{number:012x}"


def request(client: int, first: int, batch: int, passed: float) -> bytes:
    """A body whose events' kinds can be told from their numbers."""
    data = []
    for n in range(first, first + batch):
        one = bad_event(n) if n % BAD_OF == 0 else event(n)
        one["eid"] = event_id(client, n)
        if n % BAD_OF == EITHER:
            one["co"] = entities((cart(int(passed / NEW_SCHEMA_EVERY)), {"quantity": n}))
        data.append(one)
    return json.dumps({"schema": PAYLOAD_DATA, "data": data}, separators=(",", ":")).encode()


class Attacker:
    """Sends what harms, one after the other, while ``on`` is set; and holds connections that say nothing or drip."""

    def __init__(self, door: Door, seed: int, on: Any, over: Any) -> None:
        self._door = door
        self._chance = random.Random(seed)
        self._on, self._over = on, over
        self._number = 0
        self.done = Attacked([], {}, [])

    def run(self) -> Attacked:
        slow = [threading.Thread(target=self._slowly, args=(drip,)) for drip in (False, True)]
        for thread in slow:
            thread.start()
        kinds: list[Callable[[], tuple[str, str, bytes, dict[str, str]]]] = [
            self._unknown_schemas, self._known_schemas, self._numbers, self._letters, self._letters_in_a_query,
            self._depth, self._bomb, self._too_large, self._nonsense,
        ]  # fmt: skip
        while not self._over.is_set():
            if self._on.wait(0.2):
                self._send(*self._chance.choice(kinds)())
                self._over.wait(self._chance.uniform(0.05, 0.5))
        for thread in slow:
            thread.join()
        return self.done

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        number, self._number = self._number, self._number + 1
        connection = http.client.HTTPConnection("127.0.0.1", self._door.plain, timeout=40, source_address=(FROM, 0))
        try:
            connection.request(method, path, body or None, {**headers, "User-Agent": f"{AGENT}{number}"})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.done.unanswered.append(number)
            return
        finally:
            connection.close()
        if answer.status == 200:
            self.done.acknowledged.append(number)
        else:
            self.done.refused[number] = answer.status

    def _post(self, text: str, **more: str) -> tuple[str, str, bytes, dict[str, str]]:
        one = {"e": "pv", "p": "web", "tv": "x-1", "aid": "evil", **more}
        body = json.dumps({"schema": PAYLOAD_DATA, "data": [one]}).replace('"TEXT"', text)
        return "POST", TP2, body.encode(), {"Content-Type": "application/json"}

    def _unknown_schemas(self) -> tuple[str, str, bytes, dict[str, str]]:
        word, count = self._chance.getrandbits(60), self._chance.choice((50, 300, 2000))
        return self._post("", co=entities(*((f"iglu:com.evil/e{word}-{n}/jsonschema/1-0-0", {}) for n in range(count))))

    def _known_schemas(self) -> tuple[str, str, bytes, dict[str, str]]:
        some = range(SCHEMAS_OF_ONE_EVENT)
        return self._post(
            "", co=entities(*((f"iglu:com.acme/many{n}/jsonschema/1-0-0", {"quantity": n}) for n in some))
        )

    def _numbers(self) -> tuple[str, str, bytes, dict[str, str]]:
        value = self._chance.choice(("1e999", "-1e-999", "9" * 6000, "1" + "0" * 400 + ".5", "99999999999999"))
        if self._chance.random() < 0.5:
            return self._post("", tr_tt=value, dtm=value, stm="1", vid=value, se_va=value)
        return self._post("", co=entities((cart(0), {"quantity": "TEXT"})).replace('"TEXT"', value))

    def _letters(self) -> tuple[str, str, bytes, dict[str, str]]:
        raw = bytes(self._chance.randrange(1, 256) for _ in range(40)).replace(b'"', b"").replace(b"\\", b"")
        method, path, body, headers = self._post("", page="PAGE")
        return method, path, body.replace(b"PAGE", raw + b"\xff\xfe\xed\xa0\x80"), headers

    def _letters_in_a_query(self) -> tuple[str, str, bytes, dict[str, str]]:
        raw = "".join(f"%{self._chance.randrange(256):02X}" for _ in range(40))
        return "GET", f"/i?e=pv&p=web&tv=x-1&aid=evil&page={raw}%FF%FE%ED%A0%80", b"", {}

    def _depth(self) -> tuple[str, str, bytes, dict[str, str]]:
        deep = self._chance.choice((200, 20_000))
        return self._post("[" * deep + "]" * deep, ue_pr="TEXT")

    def _bomb(self) -> tuple[str, str, bytes, dict[str, str]]:
        body = gzip.compress(bytes(50_000_000), 1)
        return "POST", TP2, body, {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    def _too_large(self) -> tuple[str, str, bytes, dict[str, str]]:
        return self._post("", page="x" * self._chance.choice((900_000, 1_500_000, 3_000_000)))

    def _nonsense(self) -> tuple[str, str, bytes, dict[str, str]]:
        body = self._chance.randbytes(self._chance.choice((1, 1000, 50_000)))
        return (
            "POST",
            self._chance.choice((TP2, "/com.mandrill/v1", "/com.acme/v9")),
            body,
            {"Content-Type": "application/json"},
        )

    def _slowly(self, drip: bool) -> None:
        """Hold up to forty connections at each door: silent ones, or with a head that drips."""
        chance = random.Random(self._chance.random())
        held: list[socket.socket] = []
        while not self._over.is_set():
            if self._on.is_set() and len(held) < 80:
                with suppress(OSError):
                    port = chance.choice((self._door.port, self._door.plain))
                    held.append(socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(FROM, 0)))
                    if drip:
                        held[-1].sendall(b"GET /i?e=pv HTTP/1.1\r\nHost: " + NAME.encode() + b"\r\nX-Slow: ")
            for each in [*held]:
                try:
                    if drip:
                        each.sendall(b"a")
                except OSError:
                    each.close()
                    held.remove(each)
            if not self._on.is_set():
                for each in held:
                    each.close()
                held.clear()
            self._over.wait(0.25)
        for each in held:
            each.close()


def attacker(door: Door, seed: int, on: Any, over: Any, done: Any) -> None:
    done.put(Attacker(door, seed, on, over).run())
