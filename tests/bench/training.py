#!/usr/bin/env python3
"""Reads' p99 while a model is trained, and without, by turns, at half the top rate. training.py BUILD"""
import json
import pathlib
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from harness import *  # noqa: F403

PATH = "/v1/recommendations/u{}?algorithm=hybrid_ensemble&limit=10"
SCRIPT = (f'math.randomseed(1)\nrequest = function()\n'
          f'  return wrk.format("GET", "/v1/recommendations/u" .. math.random(0, {USERS - 1}) '
          f'.. "?algorithm=hybrid_ensemble&limit=10")\nend\n')
MODEL = "linear_model"


class Training:
    """Trains again and again while it is open."""

    def __init__(self, server):
        self.server, self.trained, self.over = server, 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.is_set():
            url = train(self.server, MODEL)
            while running(self.server, url) and not self.over.is_set():
                time.sleep(0.2)
            self.trained += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def p99(server, rate):
    run = open_loop("get", server.port, rate, SECONDS, 64, USERS, PATH)
    if run["failed"]:
        raise SystemExit(f"reads failed: {run}")
    return run["p99_ms"]


def main():
    with Server("--durability", "os", "--engine-api-per-minute", "0",
                "--engine-trainings-per-hour", "0") as server:
        server.load()
        trained(server, MODEL)
        rate = int(wrk(server.port, SCRIPT) / 2)
        say(f"half the top rate: {rate} req/s")

        def with_training():
            with Training(server) as training:
                measured = p99(server, rate)
            say(f"trained {training.trained} times meanwhile")
            return measured

        pairs = alternate(with_training, lambda: p99(server, rate))
    for training, without in pairs:
        say(f"p99 {training:.1f} ms while training, {without:.1f} without, "
            f"ratio {training / without:.2f}")
    ratio = statistics.median(a / b for a, b in pairs)
    bar("reads' p99 while training / without", "<= 2", f"{ratio:.2f}", ratio <= 2)


main()
