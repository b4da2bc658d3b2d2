#!/usr/bin/env python3
"""What logging answers costs reads: CPU of a feed request with it and without. impressions.py BUILD"""
import os
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from harness import *  # noqa: F403

FEED = (f'math.randomseed(1)\nrequest = function()\n'
        f'  return wrk.format("GET", "/v1/feed/u" .. math.random(0, {USERS - 1}))\nend\n')


def cpu_us(server):
    ticks = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")")[1].split()
    return (int(ticks[11]) + int(ticks[12])) * 1e6 / os.sysconf("SC_CLK_TCK")


def cost(server):
    """CPU microseconds a request, and requests a second."""
    before = cpu_us(server)
    rate = wrk(server.port, FEED)
    return (cpu_us(server) - before) / (rate * SECONDS), rate


def logged(server):
    lines = server.request("GET", "/metrics").decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines
            if line.startswith("impressions_")}


def main():
    with Server("--durability", "os") as on, \
            Server("--durability", "os", "--feed-impressions-per-second", "0") as off:
        on.load()
        off.load()
        pairs = alternate(lambda: cost(on), lambda: cost(off))
        say(f"with: {logged(on)}")
    for (with_us, with_rate), (without_us, without_rate) in pairs:
        say(f"feed: {with_us:.1f} us of CPU a request at {with_rate:.0f}/s, "
            f"without {without_us:.1f} at {without_rate:.0f}/s, ratio {with_us / without_us:.2f}")
    ratio = statistics.median(a[0] / b[0] for a, b in pairs)
    bar("feed's CPU with impressions / without", "<= 1.15", f"{ratio:.2f}", ratio <= 1.15)


main()
