#!/usr/bin/env python3
"""The ranker `session` over streamed two-item sessions, against a bare server with the same bytes. session.py BUILD"""
import bisect
import itertools
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from harness import *  # noqa: F403

SESSIONS = 5_000 if QUICK else 100_000
CONNECTIONS = 16
PATH = "/v1/recommendations/s{}?algorithm=session&limit=10"


def steps():
    """Two views a session, of items that go by Zipf(1.0) or follow from the first one."""
    rng = random.Random(11)
    sums = list(itertools.accumulate(1 / (i + 1) for i in range(ITEMS)))
    for s in range(SESSIONS):
        first = bisect.bisect(sums, rng.random() * sums[-1])
        second = (first * 7 + rng.randrange(20)) % ITEMS
        if rng.random() < 0.5 or second == first:
            second = bisect.bisect(sums, rng.random() * sums[-1])
        for k, item in enumerate((first, second)):
            yield {"specversion": "1.0", "id": f"{s}-{k}", "source": "bench", "type": "view",
                   "data": {"user": f"s{s}", "item": f"video:{item}"}}


def load(server, batch=2_000):
    things = catalogue()
    for at in range(0, len(things), batch):
        server.request("POST", "/v1/items", json.dumps(things[at:at + batch]))
    stream = steps()
    while chunk := list(itertools.islice(stream, batch)):
        server.request("POST", "/v1/events?wait=applied", json.dumps(chunk))


def script():
    before, after = PATH.split("{}")
    return (f'math.randomseed(1)\nrequest = function()\n  return wrk.format("GET", "{before}" .. '
            f'math.random(0, {SESSIONS - 1}) .. "{after}")\nend\n')


def p99_ms(port):
    """Of a closed loop at full rate, as wrk tells it."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script())
        file.flush()
        out = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", file.name,
                              f"http://127.0.0.1:{port}"], check=True, capture_output=True, text=True).stdout
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def main():
    with Server("--durability", "os") as server:
        load(server)
        bodies = [server.request("GET", PATH.replace("{}", str(s))) for s in range(0, SESSIONS, 499)]
        own = sum(json.loads(body)["algorithm"] == "session" for body in bodies)
        body = sorted(bodies, key=len)[len(bodies) // 2]
        say(f"{SESSIONS} sessions of two of {ITEMS} items; {own} of {len(bodies)} answers are the ranker's own, "
            f"{len(body)} bytes; wrk -t1 -c{CONNECTIONS} -d{SECONDS}s")
        name, wanted = "session / bare server", 0.4
        if bare_binary() is None:
            say(no_peer())
            skipped(name, f">= {wanted}", "no peer")
            tails = [p99_ms(server.port) for _ in range(ROUNDS)]
        else:
            with Bare(body) as bare:
                pairs = alternate(lambda: wrk(server.port, script(), connections=CONNECTIONS),
                                  lambda: wrk(bare.port, script(), connections=CONNECTIONS))
                tails = [p99_ms(server.port) for _ in range(ROUNDS)]
                say(f"p99 of the bare server: {p99_ms(bare.port):.2f} ms")
            for ours, peer in pairs:
                say(f"{ours:9.0f} req/s, bare {peer:9.0f} req/s, ratio {ours / peer:.2f}")
            ratio = median_ratio(pairs)
            bar(name, f">= {wanted}", f"{ratio:.2f}", ratio >= wanted)
        tail = statistics.median(tails)
        bar(f"session p99, {CONNECTIONS} connections", "< 3 ms", f"{tail:.2f} ms", tail < 3)
        gauges = dict(re.findall(r"^(sessions\w*) (\S+)$",
                                 server.request("GET", "/metrics").decode(), re.M))
        say(f"sessions in memory: {gauges}")


main()
