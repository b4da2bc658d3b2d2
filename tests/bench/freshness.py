#!/usr/bin/env python3
"""POST to visible at 1,000 events/s, open loop, a read by position behind each. freshness.py BUILD"""
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from harness import *  # noqa: F403

RATE = 1_000
BARS_MS = {"os": 10, "fsync": 25}


def main():
    for durability, wanted in BARS_MS.items():
        runs = []
        for _ in range(ROUNDS):
            with Server("--durability", durability) as server:
                server.load(events=0)  # the items' views are what the client posts
                runs.append(open_loop("fresh", server.port, RATE, SECONDS, 64, USERS, ITEMS))
            say(f"{durability}: {runs[-1]}; bare server's p99 at {2 * RATE}/s {noise(2 * RATE)}")
            if runs[-1]["failed"] or runs[-1]["answered"] != runs[-1]["scheduled"]:
                raise SystemExit("a read did not show what was posted before it")
        p99 = statistics.median(run["p99_ms"] for run in runs)
        bar(f"POST to visible p99 at {RATE}/s, {durability}", f"< {wanted} ms", f"{p99:.1f} ms",
            p99 < wanted)


main()
