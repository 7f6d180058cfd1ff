"""The vision tower of a bundle as an ONNX graph, for the benchmark's peer.

In: a bundle's folder and two files to write. Out: a graph from pixels [1, 3, side, side], as the tower
reads them, to the raw block tokens [1, tokens, width] of every level, in f32; and the same graph as
onnxruntime itself quantises it (8-bit weights, activations quantised as they come). Fails where the
bundle has quantised weights (their scales are not read here).
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

OPSET = 20


def weights_of(folder, manifest):
    parts = {}
    for file in manifest["files"]:
        if file["group"] != "vision":
            continue
        tensors = load_file(folder / file["path"])
        for tensor in file["tensors"]:
            assert tensor["dtype"] in ("f16", "f32"), "quantised bundles are not supported"
            # A tensor that is too large for one file lies in several, each with some of its rows.
            suffix = "[{}:{}]".format(*tensor["rows"]) if "rows" in tensor else ""
            parts.setdefault(tensor["name"], []).append(tensors[tensor["name"] + suffix].astype(np.float32))
    return {name: np.concatenate(rows) for name, rows in parts.items()}


class Graph:
    def __init__(self, weights):
        self.weights, self.nodes, self.constants = weights, [], {}

    def constant(self, name, value):
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def weight(self, name, transpose=False):
        value = self.weights[name]
        return self.constant(name, value.T if transpose else value)

    def op(self, kind, *inputs, **attributes):
        out = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def ints(self, *values):
        return self.constant("i" + "_".join(map(str, values)), np.array(values, dtype=np.int64))

    def linear(self, x, name):
        y = self.op("MatMul", x, self.weight(f"{name}.weight", transpose=True))
        return self.op("Add", y, self.weight(f"{name}.bias")) if f"{name}.bias" in self.weights else y

    def norm(self, x, name, eps):
        return self.op(
            "LayerNormalization", x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), epsilon=eps, axis=-1
        )

    def scaled(self, x, name):
        return self.op("Mul", x, self.weight(name)) if name in self.weights else x


def block(g, x, prefix, vision, tokens):
    width, heads, eps = vision["width"], vision["heads"], vision["norm_eps"]
    head = width // heads
    h = g.linear(g.norm(x, f"{prefix}.ln1", eps), f"{prefix}.attn.qkv")
    h = g.op("Reshape", h, g.ints(tokens, 3, heads, head))
    query, key, value = (
        g.op("Squeeze", g.op("Slice", h, g.ints(i), g.ints(i + 1), g.ints(1)), g.ints(1)) for i in range(3)
    )
    query = g.op("Transpose", query, perm=[1, 0, 2])
    key = g.op("Transpose", key, perm=[1, 2, 0])
    value = g.op("Transpose", value, perm=[1, 0, 2])
    query = g.op("Mul", query, g.constant("scale", np.float32(head**-0.5)))
    a = g.op("Softmax", g.op("MatMul", query, key), axis=-1)
    a = g.op("Transpose", g.op("MatMul", a, value), perm=[1, 0, 2])
    a = g.op("Reshape", a, g.ints(1, tokens, width))
    x = g.op("Add", x, g.scaled(g.linear(a, f"{prefix}.attn.out"), f"{prefix}.ls1"))
    h = g.linear(g.norm(x, f"{prefix}.ln2", eps), f"{prefix}.mlp.fc1")
    if vision["activation"] == "gelu":
        h = g.op("Gelu", h)
    else:
        h = g.op("Mul", h, g.op("Sigmoid", g.op("Mul", h, g.constant("quick", np.float32(1.702)))))
    return g.op("Add", x, g.scaled(g.linear(h, f"{prefix}.mlp.fc2"), f"{prefix}.ls2"))


def main(folder, target, quantised):
    manifest = json.loads((folder / "manifest.json").read_text())
    vision, side = manifest["vision"], manifest["preprocess"]["size_px"]
    g = Graph(weights_of(folder, manifest))
    width, patch = vision["width"], vision["patch_px"]
    grid = side // patch
    tokens = 1 + grid * grid
    kernel = g.constant("kernel", g.weights["vision.patch.weight"].reshape(width, 3, patch, patch))
    bias = [g.weight("vision.patch.bias")] if "vision.patch.bias" in g.weights else []
    x = g.op("Conv", "pixels", kernel, *bias, strides=[patch, patch])
    x = g.op("Transpose", g.op("Reshape", x, g.ints(1, width, grid * grid)), perm=[0, 2, 1])
    cls = g.constant("class", g.weights["vision.class_embedding"].reshape(1, 1, width))
    x = g.op("Add", g.op("Concat", cls, x, axis=1), g.weight("vision.position_embedding"))
    if vision["pre_norm"]:
        x = g.norm(x, "vision.ln_pre", vision["norm_eps"])
    outputs = []
    for i in range(vision["levels"][-1]):
        x = block(g, x, f"vision.blocks.{i}", vision, tokens)
        if i + 1 in vision["levels"]:
            name = f"level{i + 1}"
            g.nodes.append(helper.make_node("Identity", [x], [name]))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, tokens, width]))
    inputs = [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, side, side])]
    graph = helper.make_graph(g.nodes, "tower", inputs, outputs, list(g.constants.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, target)
    # The patch projection stays as it is: a single small layer, and its integer form is the slower one.
    quantize_dynamic(target, quantised, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])


main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
