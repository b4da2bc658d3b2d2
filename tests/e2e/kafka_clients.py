"""Events by confluent-kafka, the client of most Python programs. usage: kafka_clients.py VENV BOOTSTRAP TOPIC
Lines of stdin: headers as a JSON object, a tab, the key, a tab, the value. The package comes from PyPI, pinned, into
VENV; exit code 77 without an index."""
import pathlib
import subprocess
import sys

PINNED = "confluent-kafka==2.6.1"
PRODUCE = """
import json, sys
from confluent_kafka import Producer
failed = []
producer = Producer({"bootstrap.servers": sys.argv[1], "partitioner": "murmur2_random"})
for line in sys.stdin:
    headers, key, value = line.rstrip("\\n").split("\\t")
    producer.produce(sys.argv[2], value.encode(), key.encode(), headers=list(json.loads(headers).items()),
                     on_delivery=lambda error, _: error and failed.append(error))
sys.exit(str(failed) if producer.flush(60) or failed else 0)
"""


def main(venv, bootstrap, topic):
    stamp = venv / "installed"
    if not (stamp.exists() and stamp.read_text() == PINNED):
        for command in ([sys.executable, "-m", "venv", "--clear", venv],
                        [venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check", PINNED]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                print(done.stdout + done.stderr)
                return 77
        stamp.write_text(PINNED)
    return subprocess.run([venv / "bin/python", "-c", PRODUCE, bootstrap, topic]).returncode


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), *sys.argv[2:]))
