"""EASE (Steck 2019) in numpy. usage: ease_reference.py PEOPLE ITEMS LAMBDA

PEOPLE: a line of item numbers a person. Prints B, a row a line."""
import sys

import numpy as np

people, n, lam = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
x = []
for line in open(people):
    row = np.zeros(n)
    row[[int(item) for item in line.split()]] = 1
    x.append(row)
x = np.array(x)
p = np.linalg.inv(x.T @ x + lam * np.eye(n))
b = p / -np.diag(p)
np.fill_diagonal(b, 0)
for row in b:
    print(*(f"{cell:.9f}" for cell in row))
