"""Python packages of a test, pinned, in a virtual environment of their own."""

import hashlib
import pathlib
import subprocess
import sys

SKIPPED = 77


def install(venv, requirements):
    """The folder of the environment's programs; ends the test when it cannot be had."""
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    stamp = pathlib.Path(venv) / "installed"
    if not (stamp.exists() and stamp.read_text() == wanted):
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(venv)],
            [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check",
             "--requirement", str(requirements)],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                print(done.stdout + done.stderr)
                print(f"skipped: {requirements.name} cannot be installed; is a package index in reach, "
                      "and python3-venv installed?")
                sys.exit(SKIPPED)
        stamp.write_text(wanted)
    return venv / "bin"
