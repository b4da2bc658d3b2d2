"""The product recommender on MovieLens 100K turned into purchases, against scikit-learn.

recommender_test.py BINARY VENV: scikit-learn, pinned by recommender_requirements.txt beside this file, goes into the
virtual environment VENV unless it is there already. Exit code 77 (skipped) when it cannot be installed, or
without build/data/ml-100k (`./dev data`).
"""

import collections
import csv
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from python_packages import SKIPPED, install

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parents[1] / "build/data/ml-100k"
SECRET = "a secret for this test alone"
ASKED = 200  # products
ODD = ["Électronique & Photo", "ΟΔΟΣ ΣΑΣ", "İstanbul Hediye", "日本語 本", "x²y a_b 2-in-1", "a", "Children's"]


def read(name):
    with open(DATA / name, newline="", encoding="utf-8") as file:
        rows = csv.reader(file, delimiter="\t")
        next(rows)
        return list(rows)


class Server:
    def __init__(self, binary, folder, *flags):
        self.folder = pathlib.Path(folder)
        self.process = subprocess.Popen(
            [binary, "serve", "--data", folder, "--port", "0", "--log-level", "warn", "--durability", "os",
             "--access-per-address", "0", "--access-per-caller", "0", *flags],
            stdout=subprocess.PIPE, text=True, env=os.environ | {"CLIENT_HEADER_SECRET": SECRET})
        self.url = self.process.stdout.readline().removeprefix("ready on ").strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def call(self, method, path, body=None, content_type="application/json"):
        data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={
            "Content-Type": content_type, "CLIENT_HEADER_SECRET": SECRET})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.loads(reply.read())

    def products(self, categories):
        """`categories` by product."""
        items = [{"id": f"product:{product}", "title": str(product), "categories": [category]}
                 for product, category in categories.items()]
        for at in range(0, len(items), 5000):
            self.call("POST", "/v1/items", items[at:at + 5000])

    def train(self, kind="plain_category_fit_model"):
        job = self.call("POST", "/v1/admin/jobs", {"kind": kind})
        deadline = time.monotonic() + 60
        while job["state"] in ("waiting", "running"):
            assert time.monotonic() < deadline, job
            job = self.call("GET", f"/v1/admin/jobs/{job['id']}")
        assert job["state"] == "done", job
        return job["result"]

    def model(self):
        """The fields of the trained model, read from its file."""
        head, body = (self.folder / "ai-models/plain_category_fit_model").read_bytes().split(b"\n", 1)
        assert head.split()[:3] == [b"millrace-model", b"1", b"plain_category_fit_model"], head
        assert int(head.split()[-1]) == len(body), head
        fields = collections.defaultdict(list)
        for number, value in protobuf(body):
            fields[number].append(value)
        doubles = [list(struct.unpack(f"<{len(fields[n][0]) // 8}d", fields[n][0])) if fields[n] else []
                   for n in (2, 4)]
        return {"words": [word.decode() for word in fields[1]], "idf": doubles[0], "centres": doubles[1],
                "clusters": fields[3][0], "categories": [name.decode() for name in fields[5]],
                "products": list(varints(fields[6][0])), "labels": list(varints(fields[7][0])),
                "inertia": struct.unpack("<d", fields[8][0])[0] if fields[8] else 0.0}


def varints(data):
    value = shift = 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


def protobuf(data):
    at = 0

    def varint():
        nonlocal at
        begin = at
        while data[at] >= 128:
            at += 1
        at += 1
        return next(varints(data[begin:at]))
    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
            continue
        size = {1: 8, 2: None}[tag & 7]
        size = varint() if size is None else size
        yield tag >> 3, data[at:at + size]
        at += size


def check_neighbours(server, matrix, products):
    """The ten nearest of 200 products are those of a brute-force computation, ties aside."""
    import numpy
    from sklearn.neighbors import NearestNeighbors
    nearest = NearestNeighbors(n_neighbors=12, metric="cosine", algorithm="brute").fit(matrix)
    rows = {product: row for row, product in enumerate(products)}
    unit = matrix / numpy.maximum(1e-300, numpy.sqrt(matrix.multiply(matrix).sum(axis=1)))
    unit = unit.tocsr()
    for product in products[::len(products) // ASKED][:ASKED]:
        distances, found = nearest.kneighbors(matrix[rows[product]])
        wanted = [1 - d for d, row in zip(distances[0], found[0]) if row != rows[product]][:10]
        ids = server.call("GET", f"/interaction-recommendations?product_id={product}&limit=10")
        assert len(ids) == len(set(ids)) == 10 and product not in ids, (product, ids)
        ours = [float((unit[rows[product]] @ unit[rows[other]].T).sum()) for other in ids]
        assert numpy.allclose(ours, wanted, atol=1e-9), (product, ours, wanted)


def vectors_of(model):
    from sklearn.feature_extraction.text import TfidfVectorizer
    vectorizer = TfidfVectorizer()
    rows = [name for name, n in zip(model["categories"], model["products"]) for _ in range(n)]
    return vectorizer, vectorizer.fit_transform(rows)


def check_tfidf(model, vectorizer):
    """Words and idf are scikit-learn's; with a cluster a vector the centres are the vectors."""
    import numpy
    assert model["words"] == vectorizer.get_feature_names_out().tolist()
    assert numpy.allclose(model["idf"], vectorizer.idf_, atol=1e-6)
    centres = numpy.array(model["centres"]).reshape(model["clusters"], -1)
    wanted = vectorizer.transform(model["categories"]).toarray()
    assert numpy.allclose(centres[model["labels"]], wanted, atol=1e-6)


def check_kmeans(model, vectors):
    """Inertia within 1 % of scikit-learn's on the same vectors, and it is what the centres say."""
    import numpy
    from sklearn.cluster import KMeans
    dense = vectors.toarray()
    centres = numpy.array(model["centres"]).reshape(model["clusters"], -1)
    squares = ((dense[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
    labels = [label for label, n in zip(model["labels"], model["products"]) for _ in range(n)]
    assert abs(squares.min(axis=1).sum() - model["inertia"]) < 1e-6 * model["inertia"]
    assert numpy.allclose(squares[range(len(labels)), labels], squares.min(axis=1))
    theirs = KMeans(n_clusters=model["clusters"], n_init=10, random_state=0).fit(vectors)
    assert model["inertia"] <= 1.01 * theirs.inertia_, (model["inertia"], theirs.inertia_)
    return model["inertia"] / theirs.inertia_


def check_separated(binary):
    """The same clusters as scikit-learn's, up to their names, where they are well apart."""
    from sklearn.cluster import KMeans
    groups = ["red wine bottle", "garden hand tools", "phone charger cable"]
    names = [f"{group} {extra}" for group in groups for extra in ("basic", "large", "small", "blue", "gift")]
    with tempfile.TemporaryDirectory(prefix="millrace-") as folder, \
            Server(binary, folder, "--num-clusters", "3") as server:
        server.products({i: names[i % len(names)] for i in range(90)})
        server.train()
        model = server.model()
        vectorizer, vectors = vectors_of(model)
        theirs = KMeans(n_clusters=3, n_init=10, random_state=0).fit(vectors)
        pairs = set(zip(model["labels"], theirs.predict(vectorizer.transform(model["categories"]))))
        assert len(pairs) == len(set(model["labels"])) == 3, pairs
        found = server.call("GET", "/category-recommendations?limit=100&category="
                            + urllib.parse.quote(names[0]))
        assert found[:6] == [0, 15, 30, 45, 60, 75], found
        assert len(found) == 30 and {names[i % 15].split()[0] for i in found} == {"red"}, found


def check_seed(server):
    """The requests of the seed as they are written."""
    server.call("POST", "/products", {"product_name": "Smartphone", "product_id": "product789",
                                      "category": "Electronics"})
    server.call("POST", "/interactions", {"user_id": "user123", "product_id": "product456",
                                          "category": "Electronics"})
    assert server.call("GET", "/interaction-recommendations?product_id=123&category=Electronics") == ["product789"]
    assert server.call("GET", "/category-recommendations?category=Electronics")[0] == "product789"
    assert isinstance(server.call("GET", "/products"), list)
    assert isinstance(server.call("GET", "/interactions"), list)


def compare(binary):
    import numpy
    from scipy.sparse import csr_matrix
    films = {int(row[0]): row[3] for row in read("ml-100k.item")}
    pairs = [(int(row[0]), int(row[1])) for row in read("ml-100k.inter")]
    products = sorted({product for _, product in pairs})
    place = {product: row for row, product in enumerate(products)}
    matrix = csr_matrix((numpy.ones(len(pairs)), ([place[p] for _, p in pairs], [u for u, _ in pairs])))
    categories = {product: films.get(product) or "unknown" for product in products}
    with tempfile.TemporaryDirectory(prefix="millrace-") as folder:
        with Server(binary, folder) as server:
            server.products(categories | {f"odd{i}": name for i, name in enumerate(ODD)})
            for at in range(0, len(pairs), 10_000):
                lines = [json.dumps({"id": f"{u} {p}", "source": "ml", "type": "purchase",
                                     "data": {"user": f"ml{u}", "item": f"product:{p}"}})
                         for u, p in pairs[at:at + 10_000]]
                server.call("POST", "/v1/events?wait=applied", "\n".join(lines), "application/x-ndjson")
            check_neighbours(server, matrix, products)
            server.train("user_cat_interaction_model")
            server.train()
            model = server.model()
            ratio = check_kmeans(model, vectors_of(model)[1])
            check_seed(server)
        with Server(binary, folder, "--num-clusters", "1000") as server:
            server.train()
            model = server.model()
            check_tfidf(model, vectors_of(model)[0])
        subprocess.run([binary, "verify", "--data", folder], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    check_separated(binary)
    print(f"{ASKED} of {len(products)} products: the same neighbours; {len(model['categories'])} categories: "
          f"the same vectors; inertia {ratio:.4f} of scikit-learn's")


def main(binary, venv):
    if not (DATA / "ml-100k.inter").exists():
        print("skipped: no build/data/ml-100k: ./dev data")
        return SKIPPED
    python = install(pathlib.Path(venv), HERE / "recommender_requirements.txt") / "python"
    if os.environ.get("RECOMMENDER_IN_VENV"):
        compare(binary)
        return 0
    return subprocess.run([python, "-B", __file__, binary, venv],
                          env=os.environ | {"RECOMMENDER_IN_VENV": "1"}).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
