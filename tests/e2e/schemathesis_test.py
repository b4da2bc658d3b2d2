"""Schemathesis over all operations of all surfaces, without a credential and with an administrator's, each
against a fresh server: no 5xx, no undocumented status, no violation of the document.

schemathesis_test.py BINARY VENV: Schemathesis, pinned by requirements.txt beside this file, goes
into the virtual environment VENV unless it is there already. Exit code 77 (skipped) when it cannot be
installed because no package index is in reach. MILLRACE_LONG asks for more examples,
MILLRACE_SEED for others.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import urllib.request

from python_packages import install

TOKEN = "an admin token for this test alone"
HERE = pathlib.Path(__file__).resolve().parent
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def request(url, method, body=None, content_type="application/json"):
    data = body.encode() if isinstance(body, str) else body
    call = urllib.request.Request(url, data=data, method=method, headers={
        "Content-Type": content_type, "Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(call, timeout=30) as reply:
        return reply.read()


def fill(url):
    """A few items and people, so that answers have something to be wrong about."""
    for i in range(1, 9):
        request(f"{url}/v1/items/movie:{i}", "PUT", json.dumps({
            "title": f"Film {i}", "categories": ["Drama", f"Genre {i % 3}"], "tags": ["old"],
            "price": "9.99", "created": "2001-02-03T04:05:06Z", "attributes": {"color": "black"},
            "hidden": i == 8}))
        request(f"{url}/v1/items/product:{i}", "PUT", json.dumps({"title": f"Thing {i}", "price": "19.99"}))
        request(f"{url}/v1/items/video:{i}", "PUT", json.dumps({
            "title": f"Video {i}", "categories": ["Drama"], "tags": ["old"],
            "attributes": {"product_id": i, "video_file": f"https://example.org/{i}.mp4"}}))
    request(f"{url}/api/v1/store/", "POST", json.dumps({"name": "Corner"}))
    request(f"{url}/api/v1/store/products/", "POST", json.dumps({
        "name": "Lamp", "description": "Bright.", "price": "10.00", "quantity": 3, "category": "Light", "store_id": 1}))
    request(f"{url}/api/ab-test/create/", "POST", json.dumps({
        "experiment_id": "rec_test_v1", "name": "Test", "start_date": "2020-01-01T00:00:00Z",
        "end_date": "2199-01-01T00:00:00Z", "minimum_sample_size": 1, "variants": [
            {"name": "control", "config": {"algorithm": "popular"}},
            {"name": "treatment", "config": {"algorithm": "feed", "feed_tag": 2}}]}))
    request(f"{url}/v1/admin/currencies/EUR", "PUT", json.dumps({"rate": "0.92"}))
    video = (HERE / "fixtures" / "tiny.mp4").read_bytes().decode("latin-1")
    form = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{content}\r\n' for name, more, content in (
        ("title", "", "Uploaded"), ("product_id", "", "1"), ("file", '; filename="tiny.mp4"', video)))
    request(f"{url}/api/v1/shoppable-videos/", "POST", (form + "--b--").encode("latin-1"), "multipart/form-data; boundary=b")
    events = []
    types = ("view", "like", "share", "save", "rate", "watch", "play", "skip")
    for n in range(200):
        data = {"user": f"u{n % 9}", "item": f"movie:{n % 10}", "mood": "calm", "device": "tv",
                "context": {"place": "home"}, "session": f"s{n % 5}"}
        kind = types[n % len(types)]
        if kind == "rate":
            data["value"] = 0.5 + n % 10 / 2
        events.append(json.dumps({"id": f"e{n}", "source": "fill", "type": kind, "data": data}))
    request(f"{url}/v1/events?wait=applied", "POST", "\n".join(events), "application/x-ndjson")


def run(program, binary, headers):
    """One campaign against a server of its own, whose requests carry `headers`."""
    examples = "400" if os.environ.get("MILLRACE_LONG") else "25"
    seed = os.environ.get("MILLRACE_SEED", "1")
    with tempfile.TemporaryDirectory(prefix="millrace-") as folder:
        stderr = open(pathlib.Path(folder) / "stderr", "w+")
        server = subprocess.Popen(
            [binary, "serve", "--data", folder + "/data", "--port", "0", "--log-level", "warn",
             "--durability", "os", "--admin-token", TOKEN,
             # Wrong tokens and paths by the hundred are its trade.
             "--access-per-address", "0", "--access-per-caller", "0", "--access-sign-ups", "0",
             "--access-block-failures", "0", "--engine-api-per-minute", "0",
             "--engine-trainings-per-hour", "0", "--engine-bulk-per-hour", "0"], stdout=subprocess.PIPE, stderr=stderr, text=True,
            env=os.environ | {"CLIENT_HEADER_SECRET": TOKEN})
        try:
            ready = server.stdout.readline()
            if not ready.startswith("ready on "):
                print("the server did not start")
                return 1
            url = ready.removeprefix("ready on ").strip()
            fill(url)
            administrator = json.loads(request(f"{url}/api/users/", "GET"))["results"][0]["id"]
            # Without a credential means without: left alone it signs up by itself.
            config = pathlib.Path(folder) / "schemathesis.toml"
            config.write_text("[auth]\nauto-signup = false\n")
            result = subprocess.run(
                [program, "--config-file", str(config), "run", url + "/openapi.yaml", "--checks", ",".join(CHECKS),
                 "--exclude-path", "/v1/live",  # a stream without an end
                 "--phases", "examples,coverage,fuzzing", "--max-examples", examples,
                 "--seed", seed, "--generation-database", "none", "--continue-on-failure",
                 "--request-timeout", "30", "--no-color", *headers], cwd=folder,
                env=os.environ | {"SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py"),
                                  "MILLRACE_ADMINISTRATOR": str(administrator)}
            ).returncode
            if server.poll() is not None:
                print(f"the server ended, code {server.returncode}")
                return 1
            request(f"{url}/api/users/{administrator}/", "GET")  # the credential held to the end
            server.send_signal(signal.SIGTERM)
            if server.wait(timeout=60) != 0:
                print(f"the server ended with code {server.returncode}")
                return 1
            return result
        finally:
            if server.poll() is None:
                server.kill()
                server.wait()
            stderr.seek(0)
            sys.stdout.flush()
            print(stderr.read()[-5000:])


def main(binary, venv):
    program = str(install(pathlib.Path(venv).absolute(), HERE / "requirements.txt") / "schemathesis")
    campaigns = {"without a credential": [], "as an administrator": ["-H", f"Authorization: Bearer {TOKEN}"],
                 "with the secret": ["-H", f"Client-Header-Secret: {TOKEN}"]}
    results = []
    for name, headers in campaigns.items():
        print(f"== {name}", flush=True)
        results.append(run(program, binary, headers))
    return max(results)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
