#!/usr/bin/env python3
"""Trains the network and writes `images.bin`, `labels.bin` and `weights.bin` beside this file.

Training is in floating point with fixed seeds, on six digits of seven; every seventh digit is held out. The trained
network is then rounded to 8-bit integers, one scale for each layer. README.md gives the layout of `weights.bin`.
"""

import argparse
import os
import struct
import warnings
from pathlib import Path

# Sums of floating-point numbers depend on how they are split between threads.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

FOLDER = Path(__file__).resolve().parent
HELD_OUT_EVERY = 7
NEURONS = 48
PIXEL_MAX = 16
SHIFT = 31


def quantise(weights):
    """Rounds weights to -127..127. Returns them with the scale: weight = scale * integer."""
    scale = np.abs(weights).max() / 127
    return np.rint(weights / scale).astype(np.int8), scale


def words(weights):
    """Orders int8 weights [inputs, neurons] as words of four inputs, one word for each neuron in a row."""
    inputs, neurons = weights.shape
    return weights.reshape(inputs // 4, 4, neurons).transpose(0, 2, 1).tobytes()


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    digits = load_digits()
    pixels, labels = digits.data, digits.target
    held_out = np.arange(len(labels)) % HELD_OUT_EVERY == 0

    # The number of passes is fixed, so stopping there is no reason to warn.
    warnings.simplefilter("ignore", ConvergenceWarning)
    network = MLPClassifier((NEURONS,), alpha=1e-2, max_iter=300, tol=0, n_iter_no_change=300, random_state=2609)
    network.fit(pixels[~held_out] / PIXEL_MAX, labels[~held_out])
    for name, part in (("seen in training", ~held_out), ("held out", held_out)):
        score = network.score(pixels[part] / PIXEL_MAX, labels[part])
        print(f"in floating point, {name}: {score:.2%} of {part.sum()}")

    (weights1, weights2), (bias1, bias2) = network.coefs_, network.intercepts_
    hidden = np.maximum(pixels[~held_out] / PIXEL_MAX @ weights1 + bias1, 0)
    hidden_scale = hidden.max() / 127
    weights1, scale1 = quantise(weights1)
    weights2, scale2 = quantise(weights2)
    scale1, scale2 = scale1 / PIXEL_MAX, scale2 * hidden_scale
    multiplier = round(scale1 / hidden_scale * 2**SHIFT)

    (FOLDER / "images.bin").write_bytes(pixels.astype(np.uint8).tobytes())
    (FOLDER / "labels.bin").write_bytes(labels.astype(np.uint8).tobytes())
    (FOLDER / "weights.bin").write_bytes(
        words(weights1)
        + np.rint(bias1 / scale1).astype("<i4").tobytes()
        + words(weights2)
        + np.rint(bias2 / scale2).astype("<i4").tobytes()
        + struct.pack("<ii", multiplier, SHIFT)
    )


if __name__ == "__main__":
    main()
