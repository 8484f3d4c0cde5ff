"""A top-down pose network in an ONNX file: what it must be like, and running it."""

from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vidreid.errors import DataError
from vidreid.keypoints.estimators.model_file import read_onnx

_JOINTS = 17
_QUIET = 4
"""Only what ends the program is logged: everything else is raised and said in a sentence."""

# It would count its sessions for its makers.
onnxruntime.disable_telemetry_events()


class OnnxNetwork:
    """Runs a network that turns pictures of one person into bins (SimCC) or heatmaps of COCO's 17 joints.

    Attributes:
        size: Width and height of its input.
    """

    def __init__(self, path: str | Path, device: str = "auto") -> None:
        """Open the file and look at what it puts out.

        Args:
            path: ``.onnx``, or the archive that RTMPose is given out in.
            device: ``cpu``, ``cuda``, or ``auto``: CUDA where this onnxruntime has it.

        Raises:
            MissingDataError: If there is no such file.
            DataError: If it is no ONNX model, or one with other inputs or outputs.
            ValueError: For another device, or one that is not there.
        """
        self._path = path
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _QUIET
        model, providers = read_onnx(path), _providers(device)
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=providers)
        except Exception as error:  # onnxruntime's own kinds, which share no other base
            raise DataError(
                f"{path} is no ONNX model that can be run here ({_first_line(error)}): fetch it anew."
            ) from error
        if device == "cuda" and "CUDAExecutionProvider" not in self._session.get_providers():
            raise ValueError(
                "onnxruntime could not start on the GPU: install the CUDA version it was built for, or set "
                "estimator.device=cpu."
            )
        self._input, self._batch, self.size = self._read_input()
        self._outputs = [output.name for output in self._session.get_outputs()]
        # Shapes in the file may be names: the network is run once to see them.
        blank = np.zeros((1, 3, self.size[1], self.size[0]), np.float32)
        self._check(self.run(blank))

    def run(self, batch: NDArray[np.float32]) -> list[NDArray[np.floating]]:
        """Return the outputs for pictures ``(N, 3, H, W)``: one array of heatmaps, or bins of x and of y.

        Raises:
            DataError: If the network cannot be run.
        """
        step = self._batch or len(batch)
        parts = [self._run(batch[start : start + step], step) for start in range(0, len(batch), step)]
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def _run(self, batch: NDArray[np.float32], size: int) -> list[NDArray[np.floating]]:
        # A network of a fixed batch size is given blank pictures to the end of the last batch.
        given = np.concatenate([batch, np.zeros((size - len(batch), *batch.shape[1:]), np.float32)])
        try:
            outputs = cast(list[NDArray[np.floating]], self._session.run(None, {self._input: given}))
        except Exception as error:
            raise DataError(f"{self._path} cannot be run ({_first_line(error)}).") from error
        named = dict(zip(self._outputs, outputs, strict=True))
        if {"simcc_x", "simcc_y"} <= named.keys():
            outputs = [named["simcc_x"], named["simcc_y"]]
        return [np.asarray(output)[: len(batch)] for output in outputs]

    def _read_input(self) -> tuple[str, int | None, tuple[int, int]]:
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        if len(shape) != 4 or shape[1] != 3 or not all(isinstance(side, int) for side in shape[2:]):
            told = ", ".join(f"{each.name} {each.shape}" for each in inputs)
            raise DataError(
                f"{self._path} takes {told or 'nothing'}, not one picture (N, 3, height, width) of a fixed "
                "size: take a top-down pose network such as RTMPose."
            )
        batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None
        return inputs[0].name, batch, (shape[3], shape[2])

    def _check(self, outputs: list[NDArray[np.floating]]) -> None:
        shapes = [output.shape for output in outputs]
        (width, height), dimensions = self.size, [len(shape) for shape in shapes]
        fits = dimensions == [4] or (
            dimensions == [3, 3]
            and shapes[0][1] == shapes[1][1]
            and shapes[0][2] * height == shapes[1][2] * width
        )
        if not fits:
            told = ", ".join(f"{name} {shape}" for name, shape in zip(self._outputs, shapes, strict=True))
            raise DataError(
                f"{self._path} puts out {told}, neither the bins of RTMPose, simcc_x (N, 17, n W) and "
                "simcc_y (N, 17, n H), nor heatmaps (N, 17, h, w): take another export."
            )
        if shapes[0][1] != _JOINTS:
            raise DataError(
                f"{self._path} finds {shapes[0][1]} joints, and a keypoint store holds COCO's {_JOINTS}: "
                "take a model of 17 body joints (not Halpe's 26, nor the 133 of whole bodies)."
            )


def _providers(device: str) -> list[str]:
    """Return onnxruntime's names for a device, the first that works is taken."""
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f"estimator.device={device} is unknown: choose one of auto, cpu, cuda.")
    there = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device == "cuda" and not there:
        raise ValueError(
            "estimator.device=cuda, but onnxruntime has no GPU here: install onnxruntime-gpu in its place, "
            "or set estimator.device=cpu."
        )
    gpu = ["CUDAExecutionProvider"] if there and device != "cpu" else []
    return [*gpu, "CPUExecutionProvider"]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
