"""Natively: the encoder of `mvfa predict` against onnxruntime on the processor.

In: a JSON plan on standard input: `encoder`, our program; `planes`, a file to write the picture to; `race` with
threads, counts and contenders. Out: the contenders on standard output with milliseconds of opening, of the first
picture and of warm ones, in alternation, and how far each one's outputs are from the peer's in f32. Fails where
either program does.
"""

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime

SEED = 12345


def picture(side):
    """As bench/page.js draws it: smooth with some noise, the same every time."""
    planes = np.empty((3, side, side), dtype="<f4")
    state = SEED
    for i in range(planes.size):
        state = (state * 1664525 + 1013904223) % 2**32
        x, y = i % side, i // side % side
        planes.flat[i] = 0.5 + 0.3 * math.sin(x / 17) * math.cos(y / 23) + 0.2 * (state / 2**32 - 0.5)
    return planes


class Ours:
    """`encoder`, a process of its own that answers on its pipes."""

    def __init__(self, plan, contender):
        command = [plan["encoder"], "--bundle", contender["model"], "--planes", plan["planes"]]
        threads = {"RAYON_NUM_THREADS": str(plan["race"]["threads"])}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **threads}
        )
        self.file = Path(plan["planes"]).with_suffix(".levels")
        self.open_ms = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the encoder stopped with {self.process.wait()}")
        return float(line)

    def ask(self, line):
        print(line, file=self.process.stdin, flush=True)
        return self.answer()

    def run(self):
        return self.ask("run")

    def outputs(self):
        self.ask(f"write {self.file}")
        return np.fromfile(self.file, dtype="<f4")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Peer:
    def __init__(self, plan, contender):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = plan["race"]["threads"]
        # Its threads would go on turning while the other program runs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        start = time.perf_counter()
        self.session = onnxruntime.InferenceSession(contender["graph"], options, providers=["CPUExecutionProvider"])
        self.open_ms = (time.perf_counter() - start) * 1e3
        self.pixels = plan["pixels"]

    def run(self):
        start = time.perf_counter()
        self.levels = self.session.run(None, {"pixels": self.pixels})
        return (time.perf_counter() - start) * 1e3

    def outputs(self):
        return np.concatenate([level.reshape(-1) for level in self.levels])

    def close(self):
        self.session = None


def apart(found, expected, levels):
    """Per level: the largest difference by the largest value, and the root mean square of the difference by that of the values."""
    if found.shape != expected.shape:
        raise RuntimeError(f"{found.size} and {expected.size} values")
    rows = []
    for a, b in zip(np.split(found, levels), np.split(expected, levels)):
        off = np.abs(a.astype(np.float64) - b)
        rows.append({"largest": float(off.max() / np.abs(b).max()), "rms": float(np.sqrt((off**2).mean() / (b**2).mean()))})
    return rows


def main(plan):
    kinds = {"ours": Ours, "peer": Peer}
    race = plan["race"]
    contenders = race["contenders"]
    manifest = json.loads((Path(contenders[0]["model"]) / "manifest.json").read_text())
    preprocess = manifest["preprocess"]
    planes = picture(preprocess["size_px"])
    planes.tofile(plan["planes"])
    mean, std = (np.array(preprocess[name], dtype=np.float32).reshape(3, 1, 1) for name in ("mean", "std"))
    plan["pixels"] = ((planes - mean) / std)[None]
    for contender in contenders:
        contender.update(openMs=[], firstMs=[], warmMs=[])
    live = []
    for launch in range(race["launches"]):
        for one in live:
            one.close()
        # Who comes first changes from launch to launch.
        order = range(len(contenders)) if launch % 2 == 0 else reversed(range(len(contenders)))
        live = [None] * len(contenders)
        for i in order:
            live[i] = kinds[contenders[i]["program"]](plan, contenders[i])
            contenders[i]["openMs"].append(live[i].open_ms)
            contenders[i]["firstMs"].append(live[i].run())
    for _ in range(race["warmUps"]):
        for one in live:
            one.run()
    for _ in range(race["runs"]):
        for one, contender in zip(live, contenders):
            contender["warmMs"].append(one.run())
    reference = next(i for i, c in enumerate(contenders) if (c["program"], c["weights"]) == ("peer", "f32"))
    expected = live[reference].outputs()
    for one, contender in zip(live, contenders):
        contender["apart"] = apart(one.outputs(), expected, len(manifest["vision"]["levels"]))
        one.close()
    json.dump(contenders, sys.stdout)


main(json.load(sys.stdin))
