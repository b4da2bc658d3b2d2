#!/usr/bin/env python3
"""The ranker `hybrid_ensemble` against a bare server with the same bytes, and its p99. hybrid.py BUILD

Over ml-latest-small as seed 002 asks (`/api/recommendations/`, which keeps what it ranked for a second) and by `/v1`,
which ranks for each request; and by `/v1` over a synthetic catalogue of 100,000 items and as many people.
"""
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from harness import *  # noqa: F403

SEEDS = "/api/recommendations/{}/?count=10"
OURS = "/v1/recommendations/{}?algorithm=hybrid_ensemble&limit=10"
MANY = 5_000 if QUICK else 100_000
FLAGS = ("--durability", "os", "--memory", "2GiB", "--engine-api-per-minute", "0", "--engine-trainings-per-hour", "0")


def measure(name, server, path, first, people, wanted):
    before, after = path.split("{}")
    script = (f'math.randomseed(1)\nrequest = function()\n  return wrk.format("GET", "{before}" .. '
              f'math.random({first}, {first + people - 1}) .. "{after}")\nend\n')
    bodies = [server.request("GET", path.replace("{}", str(first + u * (people // 100)))) for u in range(100)]
    body = sorted(bodies, key=len)[len(bodies) // 2]
    own = sum(b'"algorithm":"hybrid_ensemble"' in one for one in bodies)
    say(f"{name}: {people} people, {own} of {len(bodies)} answers are the ranker's own, {len(body)} bytes")
    if bare_binary() is None:
        top = wrk(server.port, script)
        skipped(f"{name} / bare server", f">= {wanted}", "no peer")
    else:
        with Bare(body) as bare:
            pairs = alternate(lambda: wrk(server.port, script), lambda: wrk(bare.port, script))
        for ours, peer in pairs:
            say(f"{name}: {ours:9.0f} req/s, bare {peer:9.0f} req/s, ratio {ours / peer:.3f}")
        ratio, top = median_ratio(pairs), statistics.median(ours for ours, _ in pairs)
        bar(f"{name} / bare server", f">= {wanted}", f"{ratio:.3f}", ratio >= wanted)
    runs = [open_loop("get", server.port, int(top / 2), SECONDS, 64, people, path) for _ in range(ROUNDS)]
    if any(run["failed"] for run in runs):
        raise SystemExit(f"reads failed: {runs}")
    p99 = statistics.median(run["p99_ms"] for run in runs)
    say(f"{name} at {int(top / 2)}/s: {runs[0]}; bare server's p99 {noise(top / 2)}")
    bar(f"{name}, p99 at half its top rate", "< 10 ms", f"{p99:.2f} ms", p99 < 10)


def main():
    films = SHARED / "data/ml-latest-small"
    if films.exists():
        with tempfile.TemporaryDirectory(prefix="millrace-bench-") as data:
            subprocess.run([BUILD / "millrace", "import", "movielens", films, "--data", data],
                           check=True, capture_output=True)
            with Server(*FLAGS, data=data) as server:
                trained(server, "linear_model")
                measure("hybrid_ensemble, ml-latest-small", server, SEEDS, 1, 610, 0.15)
                measure("the same by /v1", server, OURS, 1, 610, 0.15)
    else:
        skipped("hybrid_ensemble, ml-latest-small / bare server", ">= 0.15", "no data set")
    with Server(*FLAGS) as server:
        server.load(events=20 * MANY, users=MANY, items=MANY)
        trained(server, "linear_model")
        measure(f"hybrid_ensemble, {MANY:,} items", server, OURS.replace("{}", "u{}"), 0, MANY, 0.075)


main()
