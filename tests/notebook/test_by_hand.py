"""Networks by hand in numpy, with arrays that are transposed, and weights that no object holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_listed_folders import errors, judged

DIGITS = """# %%
import numpy as np
import pandas as pd
table = np.array(pd.read_csv('digits.csv'))
m, n = table.shape
np.random.shuffle(table)
dev = table[0:1000].T
y_dev, x_dev = dev[0], dev[1:n] / 255.
rest = table[1000:m].T
y, x = rest[0], rest[1:n] / 255.
def start():
    return np.random.rand(10, 784) - 0.5, np.random.rand(10, 1) - 0.5
def forward(W, b, x):
    z = W.dot(x) + b
    return np.exp(z) / sum(np.exp(z))
def slopes(a, x, y):
    wanted = np.zeros((10, y.size))
    wanted[y, np.arange(y.size)] = 1
    d = a - wanted
    return 1 / m * d.dot(x.T), 1 / m * np.sum(d)
def accuracy(a, y):
    return np.sum(np.argmax(a, 0) == y) / y.size
def descend(x, y, rate, steps):
    W, b = start()
    for step in range(steps):
        dW, db = slopes(forward(W, b, x), x, y)
        W = W - rate * dW
        b = b - rate * db
    return W, b
W, b = descend(x, y, 0.1, 500)
print('dev accuracy', accuracy(forward(W, b, x_dev), y_dev))
"""
CLASS = """# %%
import numpy as np
from sklearn.datasets import load_breast_cancer
x, y = load_breast_cancer(return_X_y=True)
n = int(0.8 * x.shape[0])
train, test = x[:n], x[n:]
y_train, y_test = np.reshape(y[:n], (-1, 1)), np.reshape(y[n:], (-1, 1))
train, test = np.hstack((np.ones((len(train), 1)), train)), np.c_[np.ones(len(test)), test]
class Regression:
    def __init__(self, width):
        self.theta = np.random.randn(width, 1)
    def odds(self, x):
        return 1 / (1 + np.exp(-np.matmul(x, self.theta)))
    def fit(self, x, y, rate=0.1):
        for step in range(90):
            self.theta = self.theta - rate * np.matmul(x.T, self.odds(x) - y)
    def predict(self, x):
        return self.odds(x) >= 0.5
model = Regression(train.shape[1])
model.fit(train, y_train)
print('test accuracy', np.mean(model.predict(test) == y_test))
"""
JAX = """# %%
import jax
import jax.numpy as jnp
import numpy as np
x, y = np.load('x.npz')['x_train'], np.load('x.npz')['y_train']
n = 900
def loss(w, x, y):
    return jnp.mean((x @ w - y) ** 2)
w = jnp.zeros(9)
for step in range(50):
    w = w - 0.1 * jax.grad(loss)(w, x[:n], y[:n])
print('test accuracy', jnp.mean((x[n:] @ w > 0.5) == y[n:]))
"""


@pytest.mark.parametrize(
    ("text", "right", "other"),
    [
        (DIGITS, "forward(W, b, x_dev), y_dev)", "forward(W, b, x), y)"),
        (DIGITS, "table[0:1000].T", "table[0:2000].T"),
        (CLASS, "model.predict(test) == y_test", "model.predict(train) == y_train"),
        (CLASS, "x[:n], x[n:]", "x[:n], x[:n]"),
        (JAX, "(x[n:] @ w > 0.5) == y[n:]", "(x[:n] @ w > 0.5) == y[:n]"),
    ],
    ids=["digits", "digits overlap", "class", "class twice", "jax"],
)
def test_what_weights_by_hand_learned_from_is_no_test(text: str, right: str, other: str, tmp_path: Path) -> None:
    assert text.count(right) == 1
    fine = judged(text, tmp_path)
    assert (fine.status, errors(fine)) == ("right", []), fine.problem
    wrong = judged(text.replace(right, other), tmp_path)
    assert wrong.status != "right", wrong.checked
    assert set(errors(wrong)) <= {"evaluates-on-training-data", "labels-of-other-rows"}


def test_a_slope_that_is_added_is_no_descent(tmp_path: Path) -> None:
    """Without a descent the rows that were learned from are not known: nothing is said of those measured on."""
    text = DIGITS.replace("W = W - rate * dW", "V = rate * dW").replace("x_dev), y_dev)", "x), y)")
    assert errors(judged(text, tmp_path)) == []
