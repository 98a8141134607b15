"""Real Kafka brokers for tests and benchmarks: processes of their own on loopback, each with a folder.

They need Java 17, and Kafka's jars in ``jars()``, which ``python -m snowgauge.testing.kafka`` brings there with Maven.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from snowgauge.testing.certificates import self_signed

VERSION = "4.1.1"
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>dev.snowgauge</groupId><artifactId>kafka-for-tests</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>{}</dependencies></project>"""
_DEPENDENCY = (
    "<dependency><groupId>org.apache.kafka</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
)


def jars() -> Path:
    """The folder of Kafka's jars, outside of any checkout. ``SNOWGAUGE_KAFKA_JARS`` names another."""
    given = os.environ.get("SNOWGAUGE_KAFKA_JARS")
    return Path(given) if given else Path.home() / ".cache" / "snowgauge" / f"kafka-{VERSION}"


def missing() -> str:
    """What this machine lacks to run a broker; empty: nothing."""
    if shutil.which("java") is None:
        return "no Java on this machine"
    if not list(jars().glob("kafka_2.13-*.jar")):
        return f"no Kafka in {jars()}: `python -m snowgauge.testing.kafka` brings it with Maven"
    return ""


def fetch() -> None:
    """Bring the jars with Maven, unless they are there."""
    if list(jars().glob("kafka_2.13-*.jar")):
        return
    with tempfile.TemporaryDirectory() as folder:
        pom = Path(folder) / "pom.xml"
        pom.write_text(
            _POM.format("".join(_DEPENDENCY.format(name, VERSION) for name in ("kafka_2.13", "kafka-tools")))
        )
        part = jars().with_name(f"{jars().name}.{os.getpid()}")
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={part}"]
        subprocess.run(["mvn", "-q", "-B", "-f", str(pom), *goal], check=True)  # noqa: S603, S607 - the machine's Maven
        part.rename(jars())


class KafkaBrokers:
    """A cluster of ``number`` brokers, which are their own controllers. Brokers are numbered from 0.

    ``users``: passwords by name. With any, the brokers also listen for SASL_SSL (PLAIN, SCRAM-SHA-512) at
    ``secure_servers``, with a certificate for 127.0.0.1 that ``certificate`` has signed.
    """

    def __init__(
        self, folder: Path, number: int = 1, users: Mapping[str, str] | None = None, **properties: str
    ) -> None:
        self.folder = folder.absolute()
        self.number = number
        self._users = users or {}
        self._secure_ports = [_free_port() for _ in range(number)] if users else []
        self.certificate = self.folder / "certificate.pem"
        self._ports = [(_free_port(), _free_port()) for _ in range(number)]
        self._properties = properties
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._cluster = ""

    @property
    def servers(self) -> str:
        """``host:port`` of all brokers, as ``bootstrap.servers`` wants it."""
        return ",".join(f"127.0.0.1:{port}" for port, _ in self._ports)

    @property
    def secure_servers(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self._secure_ports)

    @property
    def url(self) -> str:
        return f"kafka://{self.servers}"

    @property
    def pids(self) -> list[int]:
        """The processes of the brokers that run."""
        return [process.pid for process in self._processes.values()]

    def start(self, seconds: float = 120) -> KafkaBrokers:
        for broker in range(len(self._ports)):
            self.start_one(broker)
        self.wait(seconds)
        return self

    def start_one(self, broker: int) -> None:
        folder = self.folder / str(broker)
        if not (folder / "data").exists():
            folder.mkdir(parents=True)
            (folder / "server.properties").write_text(self._configuration(broker), "utf-8")
            self._cluster = self._cluster or _java(folder, "kafka.tools.StorageTool", "random-uuid").strip()
            scram = [
                word
                for user, password in self._users.items()
                for word in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]")
            ]
            _java(folder, "kafka.tools.StorageTool", "format", "-t", self._cluster, "-c", "server.properties", *scram)
        with (folder / "log").open("ab") as log:
            self._processes[broker] = subprocess.Popen(  # noqa: S603 - our own program
                [*_command("-Xmx300m"), "kafka.Kafka", "server.properties"], cwd=folder, stdout=log, stderr=log
            )

    def wait(self, seconds: float = 120) -> None:
        """Until every broker that was started answers."""
        until = time.monotonic() + seconds
        admin = self._admin()
        while True:
            with suppress(Exception):
                if len(admin.list_topics(timeout=2).brokers) >= len(self._processes):
                    return
            if time.monotonic() > until:
                raise TimeoutError(f"Kafka does not start: see {self.folder}/*/log")
            time.sleep(0.1)

    def make_topics(self, *names: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        """Returns once they can be written. A topic of the same name may still be in the course of being deleted."""
        from confluent_kafka import KafkaError, KafkaException
        from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

        until = time.monotonic() + 120
        admin = self._admin()
        waiting = list(names)
        while True:
            new = [NewTopic(name, partitions, 1, config=dict(config or {})) for name in waiting]
            for name, future in admin.create_topics(new).items() if new else ():
                try:
                    future.result()
                    waiting.remove(name)
                except KafkaException as error:
                    if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                        raise
            there = admin.list_topics(timeout=10).topics
            if not waiting and all(
                name in there
                and there[name].partitions
                and all(one.leader >= 0 for one in there[name].partitions.values())
                for name in names
            ):
                return
            if time.monotonic() > until:
                raise TimeoutError(f"topics {', '.join(names)} are not ready")
            time.sleep(0.1)

    def delete_topics(self, *names: str) -> None:
        """Returns once no broker knows them any more."""
        admin = self._admin()
        for future in admin.delete_topics(list(names)).values():
            future.result()
        until = time.monotonic() + 120
        while admin.list_topics(timeout=10).topics.keys() & set(names):
            if time.monotonic() > until:
                raise TimeoutError(f"topics {', '.join(names)} are still there")
            time.sleep(0.1)

    def _admin(self) -> Any:
        from confluent_kafka.admin import AdminClient

        return AdminClient({"bootstrap.servers": self.servers, "logger": _quiet(), "log_level": 0})

    def kill(self, broker: int) -> None:
        """As a power cut ends it."""
        process = self._processes.pop(broker)
        process.kill()
        process.wait()

    def pause(self, broker: int) -> None:
        self._processes[broker].send_signal(signal.SIGSTOP)

    def resume(self, broker: int) -> None:
        self._processes[broker].send_signal(signal.SIGCONT)

    def stop(self) -> None:
        for broker in list(self._processes):
            self.kill(broker)

    def _configuration(self, broker: int) -> str:
        port, controller = self._ports[broker]
        voters = ",".join(f"{number + 1}@127.0.0.1:{other}" for number, (_, other) in enumerate(self._ports))
        copies = str(min(3, len(self._ports)))
        safe = str(max(1, int(copies) - 1))
        lines = {
            "process.roles": "broker,controller",
            "node.id": str(broker + 1),
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(self.folder / str(broker) / "data"),
            "offsets.topic.replication.factor": copies,
            "offsets.topic.num.partitions": "5",
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": safe,
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            "auto.create.topics.enable": "true",
            **self._security(broker),
            **self._properties,
        }
        return "".join(f"{name}={value}\n" for name, value in lines.items())

    def _security(self, broker: int) -> dict[str, str]:
        if not self._users:
            return {}
        if not self.certificate.exists():
            key = self.folder / "key.pem"
            self_signed(["localhost"], self.certificate, key, addresses=["127.0.0.1"])
            (self.folder / "keystore.pem").write_bytes(key.read_bytes() + self.certificate.read_bytes())
        port, controller = self._ports[broker]
        plain, secure = f"PLAINTEXT://127.0.0.1:{port}", f"SASL_SSL://127.0.0.1:{self._secure_ports[broker]}"
        module = "org.apache.kafka.common.security"
        users = " ".join(f'user_{user}="{password}"' for user, password in self._users.items())
        return {
            "listeners": f"{plain},{secure},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"{plain},{secure}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.folder / "keystore.pem"),
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.sasl_ssl.plain.sasl.jaas.config": f"{module}.plain.PlainLoginModule required {users};",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{module}.scram.ScramLoginModule required;",
        }


def _command(*options: str) -> list[str]:
    return ["java", *options, "-cp", f"{jars()}/*"]


def _java(folder: Path, *words: str) -> str:
    command = [*_command("-Xmx128m"), *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout  # noqa: S603


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _quiet() -> Any:
    found = logging.getLogger("snowgauge.testing.kafka")
    found.disabled = True
    return found


if __name__ == "__main__":
    if shutil.which("mvn") is None:
        sys.exit("no Maven on this machine: tests with Kafka will be skipped")
    fetch()
    print(jars())
