#!/usr/bin/env python3
"""Reads against a bare server that sends the same bytes; the feed's tail; memory. reads.py BUILD"""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from harness import *  # noqa: F403

ROUTES = [
    ("popular list", "/v1/lists/popular", 0.6),
    ("feed", "/v1/feed/u{}", 0.3),
    ("genre_weighted", "/v1/recommendations/u{}?algorithm=genre_weighted", 0.3),
]


def script(path):
    """A wrk script that asks for `path`, its {} a random user."""
    if "{}" not in path:
        return f'request = function() return wrk.format("GET", "{path}") end\n'
    before, after = path.split("{}")
    return (f'math.randomseed(1)\nrequest = function()\n'
            f'  return wrk.format("GET", "{before}" .. math.random(0, {USERS - 1}) .. "{after}")\n'
            f'end\n')


def typical_body(server, path):
    """The answer of median length among some users."""
    bodies = [server.request("GET", path.replace("{}", str(u))) for u in range(0, USERS, 99)]
    return sorted(bodies, key=len)[len(bodies) // 2]


def against_bare(server):
    tops = {}
    for name, path, wanted in ROUTES:
        if bare_binary() is None:
            tops[name] = wrk(server.port, script(path))
            say(f"{name}: {tops[name]:.0f} req/s; {no_peer()}")
            skipped(f"{name} / bare server", f">= {wanted}", "no peer")
            continue
        body = typical_body(server, path)
        with Bare(body) as bare:
            pairs = alternate(lambda: wrk(server.port, script(path)),
                              lambda: wrk(bare.port, script(path)))
        for ours, peer in pairs:
            say(f"{name}: {ours:9.0f} req/s, bare {peer:9.0f} req/s, ratio {ours / peer:.2f} "
                f"({len(body)} bytes)")
        tops[name] = statistics.median(ours for ours, _ in pairs)
        ratio = median_ratio(pairs)
        bar(f"{name} / bare server", f">= {wanted}", f"{ratio:.2f}", ratio >= wanted)
    return tops


def recommended():
    """The movie surface's `recommended`: each request with the token of one of 600 people."""
    name, wanted, people = "recommended", 0.3, 600
    films = SHARED / "data/ml-latest-small"
    if not films.exists() or bare_binary() is None:
        return skipped(f"{name} / bare server", f">= {wanted}", "no data set, or no peer")
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as data:
        subprocess.run([BUILD / "millrace", "seed", "movies", "--data", data, "--from", films, "--users",
                        str(people), "--deeds", "160", "--password", "for this measurement"],
                       check=True, capture_output=True)
        with Server("--accounts-logins-per-address", "0", data=data) as server:
            tokens = [json.loads(server.request("POST", "/api/token/", json.dumps(
                {"username": f"viewer{n}", "password": "for this measurement"})))["token"]
                for n in range(1, people + 1)]
            headers = ",".join(f'{{Authorization="Bearer {token}"}}' for token in tokens)
            asks = (f'math.randomseed(1)\nlocal people = {{{headers}}}\nrequest = function()\n  return '
                    f'wrk.format("GET", "/api/movies/recommended/", people[math.random({people})])\nend\n')
            bodies = [server.request("GET", "/api/movies/recommended/", token=token) for token in tokens]
            body = sorted(bodies, key=len)[people // 2]
            with Bare(body) as bare:
                pairs = alternate(lambda: wrk(server.port, asks), lambda: wrk(bare.port, asks))
    for ours, peer in pairs:
        say(f"{name}: {ours:9.0f} req/s, bare {peer:9.0f} req/s, ratio {ours / peer:.2f} ({len(body)} bytes)")
    ratio = median_ratio(pairs)
    bar(f"{name} / bare server", f">= {wanted}", f"{ratio:.2f}", ratio >= wanted)


def tail(server, top):
    runs = [open_loop("get", server.port, int(top / 2), SECONDS, 64, USERS, "/v1/feed/u{}")
            for _ in range(ROUNDS)]
    for run in runs:
        say(f"feed at {top / 2:.0f}/s, open loop: {run}; bare server's p99 {noise(top / 2)}")
        if run["failed"] or run["answered"] != run["scheduled"]:
            raise SystemExit("the feed failed under a constant rate")
    p99 = statistics.median(run["p99_ms"] for run in runs)
    bar("feed p99 at half its top rate", "< 5 ms", f"{p99:.2f} ms", p99 < 5)


def memory():
    films = ROOT / "build/data/ml-100k"
    if not films.exists() and subprocess.run([ROOT / "dev", "data"]).returncode != 0:
        return skipped("resident with MovieLens 100K", "< 150 MB", "no data set")
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as data:
        subprocess.run([BUILD / "millrace", "import", "movielens", films, "--data", data],
                       check=True, capture_output=True)
        with Server(data=data) as server:
            server.request("GET", "/v1/lists/popular")
            megabytes = server.resident_mb()
    bar("resident with MovieLens 100K", "< 150 MB", f"{megabytes:.0f} MB", megabytes < 150)


def main():
    with Server("--durability", "os") as server:
        server.load()
        say(f"{ITEMS} items, {EVENTS} events of {USERS} users; server and peer with {THREADS} "
            f"threads, wrk -t1 -c64 -d{SECONDS}s")
        tops = against_bare(server)
        tail(server, tops["feed"])
    recommended()
    memory()


main()
