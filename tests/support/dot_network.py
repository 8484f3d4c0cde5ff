"""A pose network that can be checked by hand: it finds a dot of its own colour for each joint."""

from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
GREY = 128
"""Background: on the way from it to a colour, which edges go, lies no other colour."""
COLOURS = np.array(
    [(r, g, b) for b in (255, 0, GREY) for g in (0, GREY, 255) for r in (GREY, 255, 0)
     if (r, g, b) not in ((GREY, GREY, GREY), (0, 0, 0))]
)[:17]  # fmt: skip
"""RGB of the joints, all of which another order of the channels mixes up; black lies around the crop."""
_REACH = 60.0
"""Distance in colour up to which a pixel counts."""

Outputs = Literal["simcc", "heatmaps"]


def dotted(height: int, width: int, leave_out: tuple[int, ...] = ()) -> tuple[NDArray[np.uint8], NDArray]:
    """Return an image ``(h, w, 3)`` RGB with 17 square dots, and their middles ``(17, 2)`` in x, y."""
    image = np.full((height, width, 3), GREY, np.uint8)
    half = max(1, int(min(width / 3, height / 6) / 4))
    places = [(int((n % 3 + 0.5) * width / 3), int((n // 3 + 0.5) * height / 6)) for n in range(17)]
    for n, (x, y) in enumerate(places):
        if n not in leave_out:
            image[y - half : y + half + 1, x - half : x + half + 1] = COLOURS[n]
    return image, np.array(places, float)


def write_dot_network(
    path: Path,
    outputs: Outputs = "simcc",
    size: tuple[int, int] = (192, 256),
    batch: int | str = "batch",
    joints: int = 17,
    gain: float = 0.01,
) -> Path:
    """Write the network.

    A pixel of colour p answers to the joint of colour c with ``max(0, 1 - |p - c|^2 / 60^2)``. Bins are these
    summed over rows or columns and blurred, two bins a pixel; heatmaps are blurred, one place for 4 pixels.

    Args:
        path: The file.
        outputs: What it puts out.
        size: Width and height of its input.
        batch: Fixed or free size of a batch.
        joints: Those above 17 are found nowhere.
        gain: Factor of the bins, for confidences.
    """
    width, height = size
    colours = np.concatenate([COLOURS, np.full((joints, 3), 1e4)])[:joints].astype(np.float32)
    constants = {
        "std": np.array(STD, np.float32).reshape(1, 3, 1, 1),
        "mean": np.array(MEAN, np.float32).reshape(1, 3, 1, 1),
        "ones": np.ones((1, 3, 1, 1), np.float32),
        "linear": (-2 * colours).reshape(joints, 3, 1, 1),
        "square": (colours**2).sum(1),
        "reach": np.float32(_REACH**2),
        "one": np.float32(1),
        "rows": np.array([2], np.int64),
        "columns": np.array([3], np.int64),
        "blur_x": _blur(width) * np.float32(gain),
        "blur_y": _blur(height) * np.float32(gain),
    }
    nodes = [
        helper.make_node("Mul", ["input", "std"], ["scaled"]),
        helper.make_node("Add", ["scaled", "mean"], ["pixels"]),
        helper.make_node("Mul", ["pixels", "pixels"], ["squares"]),
        helper.make_node("Conv", ["squares", "ones"], ["length"]),
        helper.make_node("Conv", ["pixels", "linear", "square"], ["product"]),
        helper.make_node("Add", ["length", "product"], ["distance"]),
        helper.make_node("Div", ["distance", "reach"], ["near"]),
        helper.make_node("Sub", ["one", "near"], ["signed"]),
        helper.make_node("Relu", ["signed"], ["answer"]),
    ]
    if outputs == "simcc":
        nodes += [
            helper.make_node("ReduceSum", ["answer", "rows"], ["sum_x"], keepdims=0),
            helper.make_node("ReduceSum", ["answer", "columns"], ["sum_y"], keepdims=0),
            helper.make_node("MatMul", ["sum_x", "blur_x"], ["simcc_x"]),
            helper.make_node("MatMul", ["sum_y", "blur_y"], ["simcc_y"]),
        ]
        # In another order than the usual one: names decide.
        results = [("simcc_y", [batch, joints, 2 * height]), ("simcc_x", [batch, joints, 2 * width])]
    else:
        # Twice, for a peak instead of a plateau.
        pool = {"kernel_shape": [17, 17], "pads": [8] * 4, "count_include_pad": 1}
        nodes += [
            helper.make_node("AveragePool", ["answer"], ["blurred"], **pool),
            helper.make_node("AveragePool", ["blurred"], ["heatmaps"], strides=[4, 4], **pool),
        ]
        results = [("heatmaps", [batch, joints, height // 4, width // 4])]
    save_network(path, nodes, constants, [batch, 3, height, width], results)
    return path


def save_network(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: dict[str, NDArray],
    shape: list[int | str],
    results: list[tuple[str, list[int | str]]],
) -> None:
    """Write any network of one input called ``input``."""
    graph = helper.make_graph(
        nodes,
        "dots",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, each) for name, each in results],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _blur(pixels: int, sigma: float = 6.0) -> NDArray[np.float32]:
    """``(pixels, 2 pixels)``: bin ``b`` looks at the pixels around ``b / 2``."""
    distance = np.arange(pixels)[:, None] - np.arange(2 * pixels)[None, :] / 2
    return np.exp(-(distance**2) / (2 * sigma**2)).astype(np.float32)
