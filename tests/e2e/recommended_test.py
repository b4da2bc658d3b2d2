"""The movie surface on MovieLens' ml-latest-small against a plain computation from its CSV files.

recommended_test.py BINARY: 50 of its users sign up and ask for `recommended`; `popular`, `top-rated` and
`most-watched` are compared whole. Exit code 77 (skipped) where the data set is not at hand beside the
checkout, or in MILLRACE_SHARED.
"""

import collections
import csv
import fractions
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "an admin token for this test alone"
WANTED = 20
SIGNED_UP = range(1, 611, 12)  # 51 of 610


def data_folder():
    for shared in filter(None, (os.environ.get("MILLRACE_SHARED"), ROOT.parent / "shared",
                                ROOT.parent.parent / "shared")):
        folder = pathlib.Path(shared) / "data/ml-latest-small"
        if (folder / "ratings.csv").exists():
            return folder
    print("skipped: no ml-latest-small; name its place by MILLRACE_SHARED")
    sys.exit(77)


class Movie:
    def __init__(self, row):
        self.id = int(row["movieId"])
        self.title = row["title"]
        self.genres = [] if row["genres"] == "(no genres listed)" else row["genres"].split("|")
        self.stars = {}  # by user, exactly: halves

    @property
    def average(self):
        return sum(self.stars.values()) / len(self.stars) if self.stars else fractions.Fraction(0)

    @property
    def popularity(self):
        return float(self.average) * 0.7 + len(self.stars) * 0.3


def read(folder):
    movies, ratings = {}, []
    with open(folder / "movies.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            movies[int(row["movieId"])] = Movie(row)
    with open(folder / "ratings.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            user, movie, stars = int(row["userId"]), int(row["movieId"]), row["rating"]
            movies[movie].stars[user] = fractions.Fraction(stars)
            ratings.append((user, movie, float(stars)))
    return movies, ratings


def recommended(user, popular):
    """The seed's seven steps. `popular`: all movies, the most popular first."""
    seen = [movie for movie in popular if user in movie.stars]
    liked = [movie for movie in seen if movie.stars[user] >= 3]                          # 1
    analysed = collections.Counter(genre for movie in liked for genre in movie.genres)   # 2
    merged = []
    for genre, count in analysed.items():
        weight = fractions.Fraction(count, len(liked))                                   # 3
        quantity = math.floor(WANTED * weight + fractions.Fraction(1, 2))                # 4
        unseen = [movie for movie in popular if user not in movie.stars and genre in movie.genres]
        merged += [movie for movie in unseen[:quantity] if movie not in merged]          # 5, 6
    merged = sorted(merged, key=popular.index)[:WANTED]                                  # 7
    for fits in (lambda movie: set(movie.genres) & set(analysed), lambda movie: True):
        for movie in popular:
            if len(merged) < WANTED and movie not in merged and user not in movie.stars and fits(movie):
                merged.append(movie)
    return sorted(merged, key=popular.index)


class Api:
    def __init__(self, url):
        self.url = url

    def call(self, method, path, body=None, token=None, content_type="application/json"):
        headers = {"Content-Type": content_type} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.loads(reply.read())

    def all_pages(self, path):
        page = self.call("GET", f"{path}?page_size=100")
        results = page["results"]
        while page["next"]:
            page = self.call("GET", page["next"].removeprefix(self.url))
            results += page["results"]
        assert page["count"] == len(results), (path, page["count"], len(results))
        return results


def load(api, movies, ratings):
    """Tokens of those who signed up, by their user id in the data set."""
    people = {}
    tokens = {}
    for user in SIGNED_UP:
        login = {"username": f"ml{user}", "password": f"a long sentence of {user}"}
        account = api.call("POST", "/api/users/", login | {"email": f"ml{user}@example.org"})
        people[user] = account["id"]
        tokens[user] = api.call("POST", "/api/token/", login)["token"]
    items = [{"id": f"movie:{movie.id}", "title": movie.title, "categories": movie.genres}
             for movie in movies.values()]
    for at in range(0, len(items), 5000):
        api.call("POST", "/v1/items", items[at:at + 5000], TOKEN)
    for at in range(0, len(ratings), 10_000):
        lines = [json.dumps({"id": f"{user} {movie}", "source": "ml", "type": "rate", "data": {
            "user": str(people.get(user, f"ml{user}")), "item": f"movie:{movie}", "value": stars}})
            for user, movie, stars in ratings[at:at + 10_000]]
        verdict = api.call("POST", "/v1/events?wait=applied", "\n".join(lines), TOKEN,
                           "application/x-ndjson")
        assert verdict["accepted"] == len(lines), verdict
    return tokens


def expect(what, shown, wanted):
    """`shown` of the server are the movies `wanted`, in their order and with their figures."""
    assert [movie["id"] for movie in shown] == [movie.id for movie in wanted], what
    for ours, movie in zip(shown, wanted):
        assert ours["watch_count"] == len(movie.stars), (what, ours)
        assert (ours["average_rating"] is None) == (not movie.stars), (what, ours)
        assert abs((ours["average_rating"] or 0) - float(movie.average)) < 1e-9, (what, ours)
        assert abs(ours["popularity"] - movie.popularity) < 1e-9, (what, ours)
        assert {genre["name"] for genre in ours["genres"]} == set(movie.genres), (what, ours)


def main(binary):
    movies, ratings = read(data_folder())

    def by(key):
        return sorted(movies.values(), key=lambda movie: (*(-part for part in key(movie)), movie.id))
    popular = by(lambda movie: (movie.popularity,))
    with tempfile.TemporaryDirectory(prefix="millrace-") as folder:
        server = subprocess.Popen(
            [binary, "serve", "--data", folder + "/data", "--port", "0", "--log-level", "warn",
             "--access-per-address", "0", "--access-per-caller", "0", "--access-sign-ups", "0",
             "--durability", "os", "--admin-token", TOKEN], stdout=subprocess.PIPE, text=True)
        try:
            api = Api(server.stdout.readline().removeprefix("ready on ").strip())
            tokens = load(api, movies, ratings)
            for user, token in tokens.items():
                page = api.call("GET", "/api/movies/recommended/", token=token)
                assert page["count"] == WANTED
                expect(f"recommended for user {user}", page["results"], recommended(user, popular))
            expect("popular", api.all_pages("/api/movies/popular/"), popular)
            expect("top-rated", api.all_pages("/api/movies/top-rated/"),
                   [movie for movie in by(lambda movie: (movie.average, len(movie.stars)))
                    if movie.average >= 3])
            expect("most-watched", api.all_pages("/api/movies/most-watched/"),
                   by(lambda movie: (len(movie.stars), movie.average)))
            print(f"{len(tokens)} users, {len(movies)} movies, {len(ratings)} ratings: all equal")
            return 0
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
