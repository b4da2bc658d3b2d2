#!/usr/bin/env python3
"""Events in: single POSTs against a bare server, batches of 100 against single POSTs. ingest.py BUILD"""
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from harness import *  # noqa: F403

BATCH = 100


def script(size):
    """A wrk script that posts `size` new views a request."""
    open_array, close_array = ("[", "]") if size > 1 else ("", "")
    return f"""
local run, k = "{time.time_ns()}-", 0
math.randomseed(1)
local function event()
  k = k + 1
  return '{{"specversion":"1.0","id":"' .. run .. k .. '","source":"bench","type":"view","data":{{"user":"u'
    .. math.random(0, {USERS - 1}) .. '","item":"video:' .. math.random(0, {ITEMS - 1}) .. '"}}}}'
end
request = function()
  local events = {{}}
  for i = 1, {size} do events[i] = event() end
  return wrk.format("POST", "/v1/events", {{["Content-Type"] = "application/json"}},
    '{open_array}' .. table.concat(events, ",") .. '{close_array}')
end
"""


def wait_until_applied(server):
    """So that one run's rest of work is not charged to the next."""
    until = time.monotonic() + 60
    while any(p["applied"] < p["end"] for p in server.partitions()):
        if time.monotonic() > until:
            raise SystemExit("a minute after the run its events are not applied")
        time.sleep(0.1)


def post(server, size):
    rate = wrk(server.port, script(size)) * size
    wait_until_applied(server)
    return rate


def measure(durability):
    with Server("--durability", durability) as server:
        server.load(events=20_000)
        answer = server.request("POST", "/v1/events",
                                json.dumps(next(interactions(1, source="answer"))))
        wanted = 0.25
        if bare_binary() is None:
            skipped(f"single POSTs / bare server, {durability}", f">= {wanted}", "no peer")
        else:
            with Bare(answer) as bare:
                pairs = alternate(lambda: post(server, 1), lambda: wrk(bare.port, script(1)))
            for ours, peer in pairs:
                say(f"{durability}: single POSTs {ours:9.0f} /s, bare {peer:9.0f} /s, "
                    f"ratio {ours / peer:.2f}")
            ratio = median_ratio(pairs)
            bar(f"single POSTs / bare server, {durability}", f">= {wanted}", f"{ratio:.2f}",
                ratio >= wanted)
        pairs = alternate(lambda: post(server, BATCH), lambda: post(server, 1))
        for batches, single in pairs:
            say(f"{durability}: batches of {BATCH} {batches:9.0f} events/s, single {single:9.0f} "
                f"events/s, ratio {batches / single:.1f}")
        ratio = median_ratio(pairs)
        bar(f"batches of {BATCH} / single POSTs, {durability}", ">= 8", f"{ratio:.1f}", ratio >= 8)


def main():
    for durability in ("fsync", "os"):
        measure(durability)


main()
