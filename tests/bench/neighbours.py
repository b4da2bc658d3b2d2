#!/usr/bin/env python3
"""The product recommender: freshness of its neighbours, then their reads with a large matrix. neighbours.py BUILD

MILLRACE_BENCH_SHARE (0.1) of 100,000 products, 100,000 people and 10,000,000 interactions are loaded.
"""
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from harness import *  # noqa: F403

SHARE = float(os.environ.get("MILLRACE_BENCH_SHARE", "0.01" if QUICK else "0.1"))
PRODUCTS, PEOPLE, INTERACTIONS = (int(n * SHARE) for n in (100_000, 100_000, 10_000_000))
MEMORY, BUDGET = "1536MiB", 1536 * 2**20
SECRET = "a secret for this measurement"
READS = 500 if QUICK else 5_000


class Line:
    """One kept connection, without what a client library does around it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method, path, body=""):
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nClient-Header-Secret: {SECRET}\r\n"
                            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(65536)
        head, text = data.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(text) < length:
            text += self.socket.recv(65536)
        status = int(head.split()[1])
        if status not in (200, 201):
            raise SystemExit(f"{method} {path}: {status} {text[:300]!r}")
        return json.loads(text)


def p99(seconds):
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1e3


def freshness(durability):
    """From the request to post an interaction to the answer that shows it."""
    times = []
    with Server("--durability", durability) as server:
        line = Line(server.port)
        for i in range(1, READS // 5 + 2):
            line.ask("POST", "/products", json.dumps(
                {"product_id": i, "product_name": f"P {i}", "category": f"c{i % 50}"}))
        for i in range(1, READS // 5 + 1):
            line.ask("POST", "/interactions", json.dumps({"user_id": f"u{i}", "product_id": i}))
            begin = time.perf_counter()
            line.ask("POST", "/interactions", json.dumps({"user_id": f"u{i}", "product_id": i + 1}))
            found = line.ask("GET", f"/interaction-recommendations?product_id={i}&limit=100")
            times.append(time.perf_counter() - begin)
            if i + 1 not in found:
                raise SystemExit("a read did not show what was posted before it")
    return p99(times)


def load(server):
    rng = random.Random(7)
    for at in range(0, PRODUCTS, 5_000):
        server.request("POST", "/v1/items", json.dumps(
            [{"id": f"product:{i}", "title": f"Product {i}", "categories": [f"cat{i % 500}"]}
             for i in range(at, min(at + 5_000, PRODUCTS))]))
    sums = list(itertools.accumulate(1 / (i + 1) ** 0.8 for i in range(PRODUCTS)))
    products = rng.choices(range(PRODUCTS), cum_weights=sums, k=INTERACTIONS)
    begin = time.monotonic()
    for at in range(0, INTERACTIONS, 10_000):
        server.request("POST", "/v1/events", "[" + ",".join(
            f'{{"specversion":"1.0","id":"{k}","source":"b","type":"purchase","data":'
            f'{{"user":"u{rng.randrange(PEOPLE)}","item":"product:{products[k]}"}}}}'
            for k in range(at, min(at + 10_000, INTERACTIONS))) + "]")
    while any(p["lag"] for p in server.partitions()):
        time.sleep(0.1)
    say(f"{INTERACTIONS} interactions in {time.monotonic() - begin:.0f} s, made in Python")
    return products


def reads(server, ids):
    line = Line(server.port)
    times = []
    for product in ids:
        begin = time.perf_counter()
        line.ask("GET", f"/interaction-recommendations?product_id={product}&limit=10")
        times.append(time.perf_counter() - begin)
    return p99(times)


def metric(server, name):
    return float(re.search(rf"^{re.escape(name)} (\S+)$", server.request("GET", "/metrics").decode(), re.M)[1])


def large():
    data = tempfile.mkdtemp(prefix="millrace-bench-")
    flags = ("--memory", MEMORY, "--durability", "os")
    rng = random.Random(8)
    try:
        with Server(*flags, data=data) as server:
            products = load(server)
            for how, ids in (("any product", [rng.randrange(PRODUCTS) for _ in range(READS)]),
                             ("by popularity", rng.choices(products, k=READS))):
                took = reads(server, ids)
                bar(f"neighbours of {INTERACTIONS:,}, read p99, {how}", "< 2 ms", f"{took:.2f} ms", took < 2)
            resident, accounted = server.resident_mb(), metric(server, "state_memory_bytes")
            matrix = metric(server, 'state_memory_part_bytes{part="interaction_matrix"}') / 1e6
            refused = metric(server, "interaction_matrix_cells_refused")
            say(f"the matrix takes {matrix:.0f} MB, {refused:.0f} cells refused")
            bar("memory, resident", "< 2,000 MB", f"{resident:.0f} MB", resident < 2_000)
            bar("memory, accounted", f"<= {BUDGET / 1e6:.0f} MB", f"{accounted / 1e6:.0f} MB",
                accounted <= BUDGET and refused == 0)
        begin = time.monotonic()
        with Server(*flags, data=data) as server:
            Line(server.port).ask("GET", "/interaction-recommendations?product_id=1")
            took = time.monotonic() - begin
            bar("restart until neighbours answer", "said", f"{took:.1f} s", True)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def main():
    os.environ["CLIENT_HEADER_SECRET"] = SECRET
    for durability, wanted in {"os": 10, "fsync": 25}.items():
        took = freshness(durability)
        bar(f"interaction to neighbours p99, {durability}", f"< {wanted} ms", f"{took:.1f} ms", took < wanted)
    say(f"{PRODUCTS} products, {PEOPLE} people, {INTERACTIONS} interactions, --memory {MEMORY}")
    large()


main()
