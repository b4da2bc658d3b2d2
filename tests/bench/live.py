#!/usr/bin/env python3
"""1,000 WebSocket listeners, each on one user, and ten slow ones on everything, while 5,000 events/s come in.
live.py BUILD"""
import http.client
import json
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from harness import *  # noqa: F403

RATE = 5_000
LISTENERS, SLOW = 1_000, 10
BATCH = 50
LASTS = SECONDS * 2


def post(server):
    """Events by turns of the users u0 to u999, by a schedule. What came of it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    run, total = time.time_ns(), RATE * LASTS // LISTENERS * LISTENERS
    cpu, begin, waits = server.cpu_seconds(), time.monotonic(), []
    for at in range(0, total, BATCH):
        due = begin + at / RATE
        time.sleep(max(0, due - time.monotonic()))
        body = json.dumps([{"specversion": "1.0", "id": f"{run}-{n}", "source": "bench", "type": "view",
                            "data": {"user": f"u{n % LISTENERS}", "item": f"video:{n % ITEMS}"}}
                           for n in range(at, at + BATCH)])
        connection.request("POST", "/v1/events", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        if reply.status != 200 or json.loads(reply.read())["accepted"] != BATCH:
            raise SystemExit(f"a batch was answered {reply.status}")
        waits.append(time.monotonic() - due)
    seconds = time.monotonic() - begin
    connection.close()
    while any(p["applied"] < p["end"] for p in server.partitions()):
        time.sleep(0.05)
    return {"events": total, "rate": total / seconds, "p99_ms": statistics.quantiles(waits, n=100)[98] * 1e3,
            "cpu_us": (server.cpu_seconds() - cpu) / total * 1e6}


def with_listeners(server):
    client = subprocess.Popen([BUILD / "bench/tools/live_listeners", str(server.port), str(LISTENERS), str(SLOW)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if client.stdout.readline() != "ready\n":
        raise SystemExit("the listeners could not begin")
    posted = post(server)
    heard = json.loads(client.communicate()[0])
    each = posted["events"] // LISTENERS
    return posted | {"heard": sum(heard["readers"]) / posted["events"], "least": min(heard["readers"]) / each,
                     "slow": heard["slow"]}


def main():
    rates, shares, slow_ok = [], [], True
    with Server("--durability", "os", "--live-listeners", str(LISTENERS + SLOW),
                "--http-max-connections", "4096") as server:
        server.load(events=20_000)
        for alone, beside in alternate(lambda: post(server), lambda: with_listeners(server)):
            say(f"alone: {alone['rate']:.0f} events/s, p99 {alone['p99_ms']:.1f} ms, {alone['cpu_us']:.0f} us of CPU "
                f"an event; with {LISTENERS} + {SLOW} listeners: {beside['rate']:.0f} events/s, p99 "
                f"{beside['p99_ms']:.1f} ms, {beside['cpu_us']:.0f} us; readers heard {beside['heard']:.2%}, the "
                f"least {beside['least']:.2%}; slow ones (heard, dropped) {beside['slow'][:3]} ...")
            rates.append(beside["rate"] / alone["rate"])
            shares.append(beside["least"])
            slow_ok &= all(heard + dropped == beside["events"] and dropped > 0 for heard, dropped in beside["slow"])
    fall = 1 - statistics.median(rates)
    bar(f"{LISTENERS} listeners: ingest of {RATE}/s falls", "< 10 %", f"{fall:.1%}", fall < 0.1)
    bar("listeners that read get, the least", ">= 99.9 %", f"{min(shares):.2%}", min(shares) >= 0.999)
    bar("slow ones: heard + counted as dropped", "all", "all" if slow_ok else "not all", slow_ok)


main()
