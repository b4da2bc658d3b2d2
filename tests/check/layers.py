"""Who includes whom: the table and the vendor fences of DESIGN.md. usage: layers.py [ROOT]"""
import pathlib
import re
import sys

LAYERS = ["base", "schemas", "state", "ingest", "processors", "serving", "app", "train"]
# A vendor header (by pattern) may be included only by files that match.
FENCES = [
    (r"rocksdb/", r"state/rocks\.(h|cc)"),
    (r"boost/beast", r"serving/http/(request_parser|websocket)\.cc"),
    (r"boost/asio", r"serving/http/(server\.cc|(connection(_\w+)?|websocket|worker|tls)\.(h|cc))"),
    (r"openssl/", r"serving/http/tls\.cc"),
    (r"simdjson", r"schemas/event_json\.cc"),
    (r"prometheus/", r"base/metrics\.cc"),
    (r"sodium", r"base/crypto\.cc"),
    (r"Eigen/", r"processors/training/(kmeans|linear_model|sequence_math)\.cc"),
    (r"torch/", r"train/(net|fit_state)\.h"),
    (r"utf8proc", r"processors/training/tfidf\.cc"),
    (r"librdkafka/", r"ingest/kafka_\w+\.(h|cc)"),
    (r"cctz/", r"serving/surfaces/time_zone\.cc"),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def violations(root):
    for layer, folder in enumerate(LAYERS):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".h", ".cc"):
                continue
            name = path.relative_to(root).as_posix()
            for quote, target in INCLUDE.findall(path.read_text()):
                top = target.split("/")[0]
                if quote == '"' and top not in LAYERS[: layer + 1]:
                    yield f"{name}: includes {target}; {folder}/ may include {', '.join(LAYERS[:layer + 1])}"
                for vendor, allowed in FENCES:
                    if re.match(vendor, target) and not re.fullmatch(allowed, name):
                        yield f"{name}: includes {target}; only {allowed} may"


if __name__ == "__main__":
    found = list(violations(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    print("\n".join(found) or "layers: clean")
    sys.exit(1 if found else 0)
