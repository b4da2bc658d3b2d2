"""What neither compiler nor clang-tidy says. usage: lint.py [ROOT]"""
import pathlib
import re
import subprocess
import sys

RULES = [
    # g++ 12 destroys captures once too often: keep the lambda in a local, or pass by value.
    (r"co_await[^;]*?\[[^\]\s][^\]]*\]\s*(\([^()]*\)\s*)?(mutable\s*)?(noexcept\s*)?(->[^{;]*)?\{",
     r"(?!tests/).*", "capturing lambda inside a co_await expression"),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", r"tests/.*",
     "sleeping in a test: wait for a condition with a deadline"),
    (r"\b(TODO|FIXME|XXX)\b", r".*", "unfinished work belongs in an issue"),
    (r"(:|\bas|<) *any\b", r"serving/console/src/.*", "any: the compiler is to know what it is"),
]


def violations(root, names):
    for name in names:
        text = (root / name).read_text()
        for pattern, where, why in RULES:
            if re.fullmatch(where, name):
                for match in re.finditer(pattern, text):
                    yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {why}"
        yield from own_header_late(root, name, text)


def own_header_late(root, name, text):
    """A header compiles on its own where its .cc includes it before any other."""
    own = name.removesuffix(".cc") + ".h"
    first = re.search(r"^#include .*$", text, re.MULTILINE)
    if name.endswith(".cc") and (root / own).exists() and (not first or first[0] != f'#include "{own}"'):
        yield f"{name}:{text.count(chr(10), 0, first.start()) + 1 if first else 1}: include {own} first"


def main(root):
    listing = subprocess.run(["sh", root / "tests/check/sources.sh"], capture_output=True, text=True, check=True)
    console = [path.relative_to(root).as_posix() for path in sorted((root / "serving/console/src").rglob("*.ts*"))]
    found = list(violations(root, listing.stdout.split() + console))
    print("\n".join(found) or "lint: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
