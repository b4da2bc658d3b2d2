"""What the measurements share: a server to measure, its load, the bare peer, wrk, and the table."""
import bisect
import http.client
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release").resolve()
SHARED = pathlib.Path(os.environ.get("MILLRACE_SHARED", ROOT.parent / "shared"))
QUICK = bool(os.environ.get("MILLRACE_BENCH_QUICK"))  # one short round each, to try the harness
ROUNDS = 1 if QUICK else 3
SECONDS = 2 if QUICK else 5
USERS, ITEMS, EVENTS = 5_000, 10_000, 200_000
THREADS = len(os.sched_getaffinity(0))

# One machine is one address: what is measured is the server, not its limits.
UNLIMITED = ["--access-per-address", "0", "--access-per-caller", "0"]

# Ended from outside, the servers still end with us.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

TYPES = (["view"] * 60 + ["play"] * 10 + ["complete"] * 5 + ["like"] * 8 + ["save"] * 3
         + ["share"] * 2 + ["purchase", "skip"] + ["rate"] * 10)


def say(text=""):
    print(text, flush=True)


def bar(name, wanted, measured, met):
    """One row of the closing table; ./dev bench collects lines that start so."""
    say(f"BAR\t{name}\t{wanted}\t{measured}\t{'met' if met else 'MISSED'}")


def skipped(name, wanted, why):
    say(f"BAR\t{name}\t{wanted}\tnot measured: {why}\t-")


def catalogue(items=ITEMS):
    return [{"id": f"video:{i}", "kind": "video", "title": f"Video {i}",
             "categories": [f"cat{i % 24}"], "tags": [f"t{i % 97}", f"t{i % 31}"],
             "price": 5 + i % 200} for i in range(items)]


def interactions(count, users=USERS, items=ITEMS, source="bench"):
    """Users Zipf(0.8), items Zipf(1.0), a tenth of them ratings; the same every time."""
    def zipf(n, s):
        return list(itertools.accumulate(1 / (i + 1) ** s for i in range(n)))
    rng = random.Random(7)
    user_sums, item_sums = zipf(users, 0.8), zipf(items, 1.0)
    for k in range(count):
        kind = rng.choice(TYPES)
        data = {"user": f"u{bisect.bisect(user_sums, rng.random() * user_sums[-1])}",
                "item": f"video:{bisect.bisect(item_sums, rng.random() * item_sums[-1])}"}
        if kind == "rate":
            data["value"] = rng.randrange(1, 11) / 2
        yield {"specversion": "1.0", "id": f"e{k}", "source": source, "type": kind, "data": data}


class Server:
    """`millrace serve` on a folder of its own, gone with the `with`."""

    def __init__(self, *args, data=None):
        self.own = data is None
        self.data = data or tempfile.mkdtemp(prefix="millrace-bench-")
        self.process = subprocess.Popen(
            [BUILD / "millrace", "serve", "--data", self.data, "--port", "0", *UNLIMITED,
             *args],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        match = re.match(r"ready on http://[^:]+:(\d+)", line)
        if not match:
            raise SystemExit(f"the server did not start: {line!r}")
        self.port = int(match[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        if self.own:
            shutil.rmtree(self.data, ignore_errors=True)

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024 / 1e6

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def request(self, method, path, body=None, token=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"} if body else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        text = reply.read()
        connection.close()
        if reply.status not in (200, 201, 202, 207):
            raise SystemExit(f"{method} {path}: {reply.status} {text[:300]!r}")
        return text

    def partitions(self):
        """Where the log's partitions end and what of them is applied."""
        return json.loads(self.request("GET", "/v1/admin/status"))["partitions"]

    def load(self, events=EVENTS, users=USERS, items=ITEMS, batch=2_000):
        things = catalogue(items)
        for at in range(0, len(things), batch):
            self.request("POST", "/v1/items", json.dumps(things[at:at + batch]))
        stream = interactions(events, users, items)
        while chunk := list(itertools.islice(stream, batch)):
            # The last one waits until all before it shows, too.
            self.request("POST", "/v1/events?wait=applied", json.dumps(chunk))


class Bare:
    """The peer: any request is answered with the same bytes."""

    def __init__(self, body):
        self.file = tempfile.NamedTemporaryFile()
        self.file.write(body)
        self.file.flush()
        self.port = free_port()
        self.process = subprocess.Popen(
            [bare_binary(), str(self.port), str(THREADS), self.file.name])
        wait_for_port(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.file.close()


def train(server, model):
    """Begins a training; where to ask for it."""
    reply = json.loads(server.request("POST", "/api/enhanced-train/", json.dumps({"model": model})))
    return reply["status_url"]


def running(server, url):
    return json.loads(server.request("GET", url))["status"] in ("waiting", "running")


def trained(server, model):
    url = train(server, model)
    while running(server, url):
        time.sleep(0.2)


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, seconds=4):
    import socket
    import time
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"nothing listens on port {port}")


def bare_binary():
    """The compiled peer, or None where its source is not there."""
    source = SHARED / "peers/bare-beast/bare_beast.cc"
    if not source.exists():
        return None
    binary = BUILD / "bench/bare_beast"
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        binary.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["g++", "-std=c++20", "-O2", source, "-o", binary, "-pthread"], check=True)
    return binary


def no_peer():
    return f"no {SHARED}/peers/bare-beast (MILLRACE_SHARED names another folder)"


def wrk(port, script, seconds=None, connections=64):
    """Requests per second of a wrk run with that Lua script."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        out = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds or SECONDS}s", "-s", file.name,
             f"http://127.0.0.1:{port}"], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out:
        raise SystemExit(f"wrk saw failures:\n{out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def alternate(ours, peer, rounds=None):
    """[(ours, peer)] of runs by turns, so that noise of the machine hits both."""
    return [(ours(), peer()) for _ in range(rounds or ROUNDS)]


def median_ratio(pairs):
    return statistics.median(a / b for a, b in pairs)


def open_loop(*args):
    out = subprocess.run([BUILD / "bench/tools/open_loop", *map(str, args)], check=True,
                         capture_output=True, text=True).stdout
    return json.loads(out)


def noise(rate, body=b"{}"):
    """p99 in ms of the bare server at that rate: what the machine alone does to a tail just now."""
    if bare_binary() is None:
        return "unknown"
    with Bare(body) as bare:
        run = open_loop("get", bare.port, int(rate), 2, 64, USERS, "/")
    return f"{run['p99_ms']:.1f} ms"
