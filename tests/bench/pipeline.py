#!/usr/bin/env python3
"""Events through a real Kafka broker, ours against Kafka Streams, by turns. pipeline.py BUILD

Per round: a million events in the public topic, folded by Millrace (read, checked, appended to
`interactions`, applied with all of its state), then the same topic by the peer (a subset of that
state, exactly once), then Millrace again with an empty state straight from `interactions`.
"""
import os
import pathlib
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import harness
from harness import *  # noqa: F403

COUNT = 100_000 if QUICK else 1_000_000
PARTITIONS = 4
BARS = {"events": 5, "interactions": 8}
JARS = ROOT / "build/kafka/libs"
PEER = SHARED / "peers/kafka-streams/run.sh"
PATIENCE_S = 300


def missing():
    for path, how in ((SHARED / "peers/events.py", "MILLRACE_SHARED names another folder"),
                      (PEER, "MILLRACE_SHARED names another folder"),
                      (JARS, "`./dev test` fetches it")):
        if not path.exists():
            return f"no {path} ({how})"
    for program in ("java", "mvn", "kcat"):
        if not shutil.which(program):
            return f"no {program}"
    return ""


class Broker:
    """One broker of one node on ports of its own, with the memory that the issue gives it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="millrace-kafka-")
        self.port, controller = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        properties = pathlib.Path(self.folder, "server.properties")
        properties.write_text(
            "process.roles=broker,controller\nnode.id=1\n"
            f"controller.quorum.voters=1@127.0.0.1:{controller}\n"
            f"listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}\n"
            f"advertised.listeners=PLAINTEXT://{self.address}\n"
            "controller.listener.names=CONTROLLER\n"
            f"log.dirs={self.folder}/data\nnum.partitions={PARTITIONS}\n"
            "offsets.topic.replication.factor=1\noffsets.topic.num.partitions=2\n"
            "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
            "group.initial.rebalance.delay.ms=0\ngroup.min.session.timeout.ms=500\n")
        java = ["java", "-Xmx512m", "-cp", f"{JARS}/*"]
        subprocess.run([*java, "kafka.tools.StorageTool", "format", "-t", "bWlsbHJhY2UtYmVuY2gtMQ",
                        "-c", properties], check=True, capture_output=True)
        self.process = subprocess.Popen([*java, "kafka.Kafka", properties],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for_port(self.port, PATIENCE_S)
        except SystemExit:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fill(self, topic, lines):
        """The file's `key<TAB>value` lines into a topic, which is made by that."""
        subprocess.run(["kcat", "-P", "-b", self.address, "-t", topic, "-K", "\t", "-l", lines,
                        "-X", "partitioner=murmur2_random", "-X", "linger.ms=50"],
                       check=True, capture_output=True)


class Node:
    """`millrace serve` on that broker. What it says on stderr comes with the time it came at."""

    def __init__(self, broker, prefix):
        self.data = tempfile.mkdtemp(prefix="millrace-bench-")
        self.process = subprocess.Popen(
            [BUILD / "millrace", "serve", "--data", self.data, "--port", "0", "--log", "kafka",
             "--kafka-bootstrap", broker.address, "--kafka-prefix", prefix,
             "--partitions", str(PARTITIONS), "--node-id", "bench"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = queue.Queue()
        for stream in (self.process.stdout, self.process.stderr):
            threading.Thread(target=self.listen, args=(stream,), daemon=True).start()

    def listen(self, stream):
        for line in stream:
            self.said.put((time.monotonic(), line))

    def wait_for(self, text):
        """When it said that, and what."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                at, line = self.said.get(timeout=until - time.monotonic())
            except (queue.Empty, ValueError):
                raise SystemExit(f"the server never said {text!r}") from None
            if text in line:
                return at, line

    def ready(self):
        at, line = self.wait_for("ready on ")
        self.port = int(line.rsplit(":", 1)[1])
        return at

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.data, ignore_errors=True)

    def cpu_s(self):
        """Of all its threads, so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    request = harness.Server.request
    partitions = harness.Server.partitions

    def applied(self):
        return sum(p["applied"] for p in self.partitions() if p["partition"] != "catalog")


def said_cpu(node, source, before):
    say(f"from {source}: {(node.cpu_s() - before) * 1e6 / COUNT:.1f} us of the server's CPU an event")


def from_events(broker, prefix):
    """Events a second, from the first that shows until all do."""
    with Node(broker, prefix) as node:
        node.ready()
        rules, cpu = None, node.cpu_s()
        seen, began = 0, 0.0
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            now, applied = time.monotonic(), node.applied()
            if rules is None or applied <= PARTITIONS:  # one record of rules a partition
                rules = applied
            elif not began:
                seen, began = applied, now
            elif applied - rules >= COUNT:
                said_cpu(node, "events", cpu)
                return (applied - seen) / (now - began)
            time.sleep(0.01)
        raise SystemExit("not everything was applied")


def from_interactions(broker, prefix):
    """Events a second of an empty state that reads the whole log, until all show."""
    with Node(broker, prefix) as node:
        began, _ = node.wait_for("catching up: 0 of ")
        cpu = node.cpu_s()
        ended = node.ready()
        if node.applied() < COUNT:
            raise SystemExit("not everything was applied")
        said_cpu(node, "interactions", cpu)
        return COUNT / (ended - began)


def peer(broker, topic):
    out = subprocess.run([PEER, broker.address, topic, str(COUNT)], check=True,
                         capture_output=True, text=True).stdout
    return float(out.rsplit("events_per_s=", 1)[1])


def load_items(broker, prefix):
    with Node(broker, prefix) as node:
        node.ready()
        items = subprocess.run([SHARED / "peers/events.py", "--items"], check=True,
                               capture_output=True, text=True).stdout.splitlines()
        for at in range(0, len(items), 2_000):
            node.request("POST", "/v1/items", "[" + ",".join(items[at:at + 2_000]) + "]")


def main():
    names = {source: f"from {source} / Kafka Streams" for source in BARS}
    if why := missing():
        for source, wanted in BARS.items():
            skipped(names[source], f">= {wanted}", why)
        return
    lines = ROOT / f"build/bench/events-{COUNT}.tsv"  # which bench apply makes, too
    if not lines.exists():
        lines.parent.mkdir(parents=True, exist_ok=True)
        with open(lines, "w") as out:
            subprocess.run([SHARED / "peers/events.py", str(COUNT)], stdout=out, check=True)
    pairs = {source: [] for source in BARS}
    for n in range(ROUNDS):
        with Broker() as broker:  # each round's own, so that none finds another's files
            prefix = f"r{n}-"
            load_items(broker, prefix)
            broker.fill(prefix + "events", lines)
            ours = from_events(broker, prefix)
            theirs = peer(broker, prefix + "events")
            again = from_interactions(broker, prefix)
        say(f"{ours:,.0f}/s from events, {theirs:,.0f}/s Kafka Streams, "
            f"{again:,.0f}/s from interactions")
        pairs["events"].append((ours, theirs))
        pairs["interactions"].append((again, theirs))
    for source, wanted in BARS.items():
        ratio = statistics.median(a / b for a, b in pairs[source])
        bar(names[source], f">= {wanted}", f"{ratio:.1f}", ratio >= wanted)


if __name__ == "__main__":
    main()
