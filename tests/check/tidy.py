"""clang-tidy over every .cc of the compile database, as many at once as there are cores.

usage: tidy.py BUILD_DIR. A file that was clean is not looked at again until it, a header it includes,
its flags or a .clang-tidy changes: a marker per content hash lies in build/tidy. Files of one folder are
looked at together, because most of the time goes into the headers that they share.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "tidy"
BATCH = 16
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


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def unit_folder(source):
    """Where a unit of `source` lies: under the same .clang-tidy files as the source itself."""
    top = source.relative_to(ROOT).parts[0]
    folder = CACHE / "unit" / top
    folder.mkdir(parents=True, exist_ok=True)
    if (ROOT / top / ".clang-tidy").is_file():
        shutil.copy(ROOT / top / ".clang-tidy", folder)
    return folder


def tidy(sources, flags):
    """(clean sources, findings, sources to look at once more) of one unit that includes all `sources`."""
    unit = unit_folder(sources[0]) / (hashlib.sha256(repr(sources).encode()).hexdigest()[:16] + ".cc")
    unit.write_text("".join(f'#include "{source}"\n' for source in sources))
    if len(sources) > 1:
        # Names without linkage may clash between files; those files wait for another unit.
        parsed = run("clang++-16", "-fsyntax-only", "-ferror-limit=0", *flags, str(unit))
        if parsed.returncode != 0:
            clash = [s for s in sources[1:] if f"{s}:" in re.sub(r"(?m)^(?!.* error: ).*", "", parsed.stderr)]
            return [], "", [sources[:1]] + [[s] for s in sources[1:]] if not clash else [
                [s for s in sources if s not in clash], clash]
    checked = run("clang-tidy-16", "--quiet", "--checks=-bugprone-suspicious-include", str(unit if len(sources) > 1 else sources[0]), "--", *flags)
    if checked.returncode == 0:
        return sources, "", []
    return [], checked.stdout + checked.stderr, []


def groups(build):
    """Files that need a look, by folder and flags, with the marker that says that one is clean."""
    found, markers = {}, {}
    for entry in json.loads((pathlib.Path(build) / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if not source.is_relative_to(ROOT) or source.is_relative_to(ROOT / "build"):
            continue
        if any(b"#include <torch/" in read(path) for path in closure(source)):
            continue  # clang 16 cannot parse libtorch's headers as C++20
        flags = [f for f in shlex.split(entry["command"]) if re.match(r"-(D|I|std=)", f) or f.startswith("/")]
        flags = [f if f.startswith("-") else f"-isystem{f}" for f in flags[1:] if not f.endswith((".cc", ".o"))]
        marker = CACHE / key(source, entry["command"])
        if not marker.exists() and source not in markers:
            markers[source] = marker
            found.setdefault((source.parent, tuple(flags + ["-w"])), []).append(source)
    return found, markers


def main(build):
    CACHE.mkdir(parents=True, exist_ok=True)
    found, markers = groups(build)
    began, failed = time.monotonic(), False
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        todo = [(files[i:i + BATCH], flags) for (_, flags), files in found.items()
                for i in range(0, len(files), BATCH)]
        while todo:
            results = zip(todo, pool.map(lambda work: tidy(*work), todo))
            todo = []
            for (_, flags), (clean, findings, again) in results:
                for source in clean:
                    markers[source].touch()
                todo += [(sources, flags) for sources in again]
                if findings:
                    failed = True
                    print(findings, flush=True)
    print(f"clang-tidy: {len(markers)} files looked at in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
