#!/usr/bin/env python3
"""Computes the job's output with Python's own integers, and prints how many digits are classified rightly.

It shares nothing with the kernel but the three `.bin` files, so the two can be held against each other.
"""

import argparse
import struct
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PIXELS, HIDDEN, CLASSES = 64, 48, 10
HELD_OUT_EVERY = 7


def layer(table, inputs, neurons):
    """Orders a weight table of `weights.bin` as one list of weights for each neuron."""
    return [[table[(i // 4 * neurons + n) * 4 + i % 4] for i in range(inputs)] for n in range(neurons)]


def dense(rows, biases, values):
    return [bias + sum(w * v for w, v in zip(row, values)) for row, bias in zip(rows, biases)]


def classify():
    """Returns the output of the job: one byte, the class 0..9, for each image."""
    fields = struct.unpack(
        f"<{PIXELS * HIDDEN}b{HIDDEN}i{HIDDEN * CLASSES}b{CLASSES}iii", (FOLDER / "weights.bin").read_bytes()
    )
    parts, start = [], 0
    for length in (PIXELS * HIDDEN, HIDDEN, HIDDEN * CLASSES, CLASSES, 2):
        parts.append(fields[start : start + length])
        start += length
    table1, bias1, table2, bias2, (multiplier, shift) = parts
    rows1, rows2 = layer(table1, PIXELS, HIDDEN), layer(table2, HIDDEN, CLASSES)

    images = (FOLDER / "images.bin").read_bytes()
    classes = bytearray()
    for start in range(0, len(images), PIXELS):
        sums = dense(rows1, bias1, images[start : start + PIXELS])
        hidden = [min(max(s * multiplier + (1 << shift - 1) >> shift, 0), 127) for s in sums]
        scores = dense(rows2, bias2, hidden)
        classes.append(scores.index(max(scores)))
    return bytes(classes)


def report(classes):
    """Prints the accuracy over all digits, over those held out of training, and over those seen in it."""
    labels = (FOLDER / "labels.bin").read_bytes()
    right = [found == label for found, label in zip(classes, labels, strict=True)]
    held_out = right[::HELD_OUT_EVERY]
    seen = [r for i, r in enumerate(right) if i % HELD_OUT_EVERY]
    for name, part in (("all", right), ("held out", held_out), ("seen in training", seen)):
        print(f"{name}: {sum(part)} of {len(part)} right, {sum(part) / len(part):.2%}")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    report(classify())
