"""clang-tidy over every .cc of the compile database, as many at once as there are cores.

usage: tidy.py BUILD_DIR. A file that was clean is not looked at again until it, a header it includes,
its flags or a .clang-tidy changes: a marker per content hash lies in build/tidy.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "tidy"
INCLUDE = re.compile(rb'^\s*#include "([^"]+)"', re.M)


def read(path, known={}):
    if path not in known:
        known[path] = path.read_bytes() if path.is_file() else b""
    return known[path]


def closure(source):
    """The source and all project headers that it includes, directly or not."""
    seen, todo = set(), [source]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo += [ROOT / name.decode() for name in INCLUDE.findall(read(path))]
    return sorted(seen)


def key(source, command):
    digest = hashlib.sha256(command.encode())
    for path in [ROOT / ".clang-tidy", ROOT / "tests" / ".clang-tidy", *closure(source)]:
        digest.update(hashlib.sha256(str(path).encode() + read(path)).digest())
    return digest.hexdigest()


def tidy(build, source, marker):
    run = subprocess.run(
        ["clang-tidy-16", "--quiet", "-p", build, "--extra-arg=-Wno-everything", str(source)],
        capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if run.returncode == 0:
        marker.touch()
        return source, ""
    return source, run.stdout + run.stderr


def main(build):
    CACHE.mkdir(parents=True, exist_ok=True)
    todo = {}
    for entry in json.loads((pathlib.Path(build) / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if source.is_relative_to(ROOT) and not source.is_relative_to(ROOT / "build"):
            marker = CACHE / key(source, entry["command"])
            if not marker.exists():
                todo[source] = marker
    began, failed = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # The largest first, so that no core idles at the end.
        order = sorted(todo, key=lambda s: -s.stat().st_size)
        for source, findings in pool.map(lambda s: tidy(build, s, todo[s]), order):
            if findings:
                failed += 1
                print(findings)
    print(f"clang-tidy: {len(todo)} files looked at in {time.monotonic() - began:.0f} s, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
