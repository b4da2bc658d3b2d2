"""Every alert says what to do, and is tested both ways by promtool. usage: alerts.py ROOT"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


def problems(alerts, tests):
    """Of the texts of alerts.yml and of alerts_test.yml."""
    rules = re.split(r"^ +- alert: ", alerts, flags=re.M)[1:]
    for rule in rules:
        name = rule.split(maxsplit=1)[0]
        expectations = re.findall(r'alertname="%s", .*exp_samples: \[(.)' % name, tests)
        if set(expectations) != {"]", "{"}:
            yield f"{name} is not tested both ways"
        for annotation in ("summary", "runbook"):
            if f"          {annotation}: " not in rule:
                yield f"{name} has no {annotation}"
    if not rules:
        yield "there are no alerts"


def main(root):
    alerts, tests = root / "docker/prometheus/alerts.yml", root / "tests/check/alerts_test.yml"
    found = list(problems(alerts.read_text(), tests.read_text()))
    print("\n".join(found) or "alerts: each has a runbook and is tested both ways")
    if found:
        return 1
    if not shutil.which("promtool"):
        print("skipped: no promtool: apt-get install prometheus")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        for file in (alerts, tests):
            shutil.copy(file, folder)
        return subprocess.run(["promtool", "test", "rules", pathlib.Path(folder) / tests.name]).returncode


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
