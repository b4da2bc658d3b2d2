"""Is one algorithm better than another? A paired bootstrap over people, of NDCG@k.

usage: quality_bootstrap.py TRUTH A.tsv B.tsv [K]

TRUTH: lines `person<TAB>item,item,...`, what was held out of those who are asked about. A.tsv,
B.tsv: lists in the same form, best first (`millrace evaluate --lists`). Prints both means, the mean
difference, its 95 % interval over 10,000 draws, and the share of draws in which A is not better.
"""
import math
import sys

import numpy as np


def read(path):
    with open(path) as lines:
        rows = (line.rstrip("\n").split("\t") for line in lines)
        return {row[0]: row[1].split(",") for row in rows if len(row) > 1}


def ndcg(found, truth, k):
    wanted = set(truth)
    gain = sum(1 / math.log2(at + 2) for at, item in enumerate(found[:k]) if item in wanted)
    return gain / sum(1 / math.log2(at + 2) for at in range(min(k, len(wanted))))


def main():
    truth, a, b = (read(path) for path in sys.argv[1:4])
    k = int(sys.argv[4]) if len(sys.argv) > 4 else 10
    ours, theirs = (
        np.array([ndcg(lists.get(person, []), truth[person], k) for person in truth])
        for lists in (a, b)
    )
    difference = ours - theirs
    draws = np.random.default_rng(7).integers(0, len(difference), (10_000, len(difference)))
    means = difference[draws].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    print(f"people {len(truth)} A {ours.mean():.4f} B {theirs.mean():.4f} "
          f"difference {difference.mean():+.4f} [{low:+.4f}, {high:+.4f}] "
          f"not better in {(means <= 0).mean():.4f}")


if __name__ == "__main__":
    main()
