"""The commands of docs/tutorial.md, as they stand in the page, against a fresh server. usage: tutorial.py BINARY

The page's `console` block starts the server, with this binary and a free port; its `sh` blocks run in one shell,
which ends at the first command that fails. The `json` block behind one is what it prints: documents one after the
other, whose members are all there with these values. "…" is any value, at the end of a list any further ones.
"""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/tutorial.md"
DEADLINE = 120  # seconds for all commands together
ANY = "…"


def blocks(text):
    """(language, content, line) of each fenced block."""
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        yield match[1], match[2], text.count("\n", 0, match.start()) + 1


def steps_of(page):
    """The command that starts the server, and (commands, printed, line) of each `sh` block."""
    start, steps, last = None, [], ""
    for language, content, line in blocks(page):
        if language == "console":
            assert start is None, f"line {line}: a second server"
            start = shlex.split(content.splitlines()[0].removeprefix("$ "))
        elif language == "sh":
            steps.append((content, None, line))
        elif language == "json":
            assert last == "sh", f"line {line}: printed by what?"
            steps[-1] = (steps[-1][0], content, steps[-1][2])
        else:
            sys.exit(f"line {line}: a block of '{language}', which nothing looks at")
        last = language
    return start, steps


def documents(text):
    decoder, out, at = json.JSONDecoder(), [], 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        out.append(value)
    return out


def differences(wanted, got, where):
    if wanted == ANY:
        return
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name, value in wanted.items():
            if name not in got:
                yield f"{where}: no member '{name}'"
            else:
                yield from differences(value, got[name], f"{where}.{name}")
    elif isinstance(wanted, list) and isinstance(got, list):
        more = wanted[-1:] == [ANY]
        wanted = wanted[:-1] if more else wanted
        if len(got) < len(wanted) or (len(got) > len(wanted) and not more):
            yield f"{where}: {len(got)} elements, and {len(wanted)} in the page"
        for n, (one, other) in enumerate(zip(wanted, got)):
            yield from differences(one, other, f"{where}[{n}]")
    elif wanted != got or isinstance(wanted, bool) != isinstance(got, bool):
        yield f"{where}: {json.dumps(got, ensure_ascii=False)}, and in the page {json.dumps(wanted, ensure_ascii=False)}"


def sums_that_are_none(got):
    """The page says that parts add up to the score."""
    if isinstance(got, dict):
        if "parts" in got and abs(sum(got["parts"].values()) - got["score"]) > 1e-9:
            yield f"parts do not add up: {got}"
        got = list(got.values())
    if isinstance(got, list):
        for value in got:
            yield from sums_that_are_none(value)


def problems_of(step, printed):
    commands, wanted, line = step
    for curl in re.findall(r"\bcurl (.*)", commands.replace("\\\n", " ")):
        if not curl.startswith("-fsS ") and "%{http_code}" not in curl:
            yield f"line {line}: a curl without -f, whose status nobody sees"
    try:
        got, wanted = documents(printed), documents(wanted or "")
    except json.JSONDecodeError as error:
        yield f"line {line}: no JSON ({error}): {printed}"
        return
    if len(got) != len(wanted):
        yield f"line {line}: {len(got)} documents, and {len(wanted)} in the page: {printed}"
    for n, (one, other) in enumerate(zip(wanted, got)):
        yield from (f"line {line}: {what}" for what in differences(one, other, f"document {n}"))
    yield from (f"line {line}: {what}" for what in sums_that_are_none(got))


def run(steps, url, folder):
    """What each step prints, in files of its own, from one shell; the shell's exit code and errors."""
    script = "set -eo pipefail\n" + "".join(
        f"exec > {shlex.quote(str(folder / f'{n}.out'))}\n{commands}" for n, (commands, _, _) in enumerate(steps))
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=os.environ | {"MILLRACE": url},
                          stderr=subprocess.PIPE, text=True, timeout=DEADLINE, check=False)
    outputs = sorted(folder.glob("*.out"), key=lambda path: int(path.stem))
    return [path.read_text() for path in outputs], done.returncode, done.stderr


def main(binary):
    start, steps = steps_of(PAGE.read_text())
    with tempfile.TemporaryDirectory(prefix="millrace-") as folder:
        server = subprocess.Popen([os.path.abspath(binary), *start[1:], "--port", "0", "--log-level", "warn"],
                                  cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            url = server.stdout.readline().removeprefix("ready on ").strip()
            printed, code, errors = run(steps, url, pathlib.Path(folder))
        finally:
            server.terminate()
            server.wait()
    problems = [what for step, out in zip(steps, printed) for what in problems_of(step, out)]
    if code != 0:
        problems.append(f"line {steps[len(printed) - 1][2]}: the shell ended with {code}: {errors}")
    print("\n".join(problems) or f"{len(steps)} blocks of the tutorial run, and print what it says")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
