"""Ways to spoil a file or a tree, drawn by hypothesis: what copying and editing do to data, and worse."""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 0.5, 1e308, float("nan"), float("inf"),
    "", " ", "0", "-1", "nan", "../../etc/passwd", "/etc/passwd", "a\\..\\b", "a\0b", "é", "\ud800",
    "9" * 5000, [], [[]], {}, {"": None}, [None], ["a", 1],
)  # fmt: skip
"""What may stand in the place of a value of a JSON file."""
ODD_TEXTS = (
    b"", b" ", b"0", b"-1", b"1", b"65536", b"2147483648", b"9223372036854775808", b"1e999", b"nan", b"0.5",
    b"\xff\xfe", b"\xc3\x28", b"../..", b"/etc/passwd", b"\0", b"a", b"1" * 400, b"\xef\xbb\xbf",
)  # fmt: skip
"""What may stand in the place of a word of a text file."""
ODD_NAMES = (
    b"\xff\xfe", b"name with spaces", b"Thumbs.db", b".hidden", b"0001 (1)", b"0001C1T0001F001.jpg.part",
    "\u0661\u0662".encode(), b"9" * 120, b"-1", b"cam3",
)  # fmt: skip
"""What a file or folder may be called instead."""


@st.composite
def spoiled_bytes(draw: st.DrawFn, original: bytes) -> bytes:
    """Bytes cut, doubled, with some flipped, replaced, taken out or put in."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(["cut", "flip", "put", "take", "double", "random"]))
        length = draw(st.integers(1, 64))
        if kind == "cut":
            del data[place:]
        elif kind == "flip" and place < len(data):
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "put":
            data[place:place] = draw(st.binary(min_size=1, max_size=8))
        elif kind == "take":
            del data[place : place + length]
        elif kind == "double":
            data[place:place] = data[place : place + length]
        else:
            data[place : place + length] = draw(st.binary(max_size=length))
    return bytes(data)


@st.composite
def spoiled_words(draw: st.DrawFn, original: bytes) -> bytes:
    """Text in which a word is another one, or a line is missing, doubled, moved, joined to the next."""
    lines = original.split(b"\n")
    for _ in range(draw(st.integers(1, 2))):
        row = draw(st.integers(0, len(lines) - 1))
        kind = draw(st.sampled_from(["word", "word", "drop", "double", "move", "join", "comma"]))
        if kind == "word":
            separator = b"," if b"," in lines[row] else None
            words = lines[row].split(separator)
            if words:
                words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(ODD_TEXTS))
            lines[row] = (separator or b" ").join(words)
        elif kind == "drop" and len(lines) > 1:
            del lines[row]
        elif kind == "double":
            lines.insert(row, lines[row])
        elif kind == "move":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(row))
        elif kind == "join" and row + 1 < len(lines):
            lines[row : row + 2] = [lines[row] + lines[row + 1]]
        else:
            lines[row] = lines[row].replace(b" ", b",", 1)
    return b"\n".join(lines)


@st.composite
def spoiled_json(draw: st.DrawFn, original: bytes) -> bytes:
    """JSON in which one value, anywhere, is another one, missing or doubled."""
    root = [json.loads(original)]
    parent: Any = root
    key: Any = 0
    while isinstance(parent[key], list | dict) and parent[key] and draw(st.integers(0, 3)):
        parent = parent[key]
        keys = list(parent) if isinstance(parent, dict) else range(len(parent))
        key = draw(st.sampled_from(keys))
    kind = draw(st.sampled_from(["replace", "replace", "drop", "double", "nest"]))
    if kind == "drop" and parent is not root:
        del parent[key]
    elif kind == "double" and isinstance(parent, list) and parent is not root:
        parent.insert(key, parent[key])
    elif kind == "nest":
        parent[key] = [parent[key]]
    else:
        parent[key] = draw(st.sampled_from(ODD_VALUES))
    return json.dumps(root[0]).encode()


@st.composite
def spoiled_mat(draw: st.DrawFn, original: bytes) -> bytes:
    """A MATLAB file whose matrix has another type, shape, name or number in it."""
    contents = {k: v for k, v in loadmat(BytesIO(original)).items() if not k.startswith("__")}
    name = draw(st.sampled_from(sorted(contents)))
    matrix = contents[name]
    kind = draw(
        st.sampled_from(["type", "number", "number", "rows", "columns", "name", "empty", "text", "cells"])
    )
    if kind == "type":
        to = draw(st.sampled_from(["int8", "uint8", "float32", "float64", "complex128", "uint64", "bool"]))
        contents[name] = matrix.astype(to)
    elif kind == "number":
        odd = draw(
            st.sampled_from([0, -1, 1, 7, 255, 65535, 2**31 - 1, 2**53, -(2**40), np.nan, np.inf, 0.5])
        )
        contents[name] = matrix.astype(np.float64)
        contents[name].flat[draw(st.integers(0, matrix.size - 1))] = odd
    elif kind == "rows":
        contents[name] = matrix[draw(st.integers(0, len(matrix))) :]
    elif kind == "columns":
        contents[name] = draw(st.sampled_from([matrix.T, matrix[:, :-1], matrix[..., None].repeat(2, 2)]))
    elif kind == "name":
        contents[name + "s"] = contents.pop(name)
    elif kind == "empty":
        contents[name] = np.zeros((0, 0))
    elif kind == "text":
        contents[name] = "text"
    else:
        contents[name] = np.array([[None, matrix]], dtype=object)
        contents[name][0, 0] = np.zeros(0)
    written = BytesIO()
    savemat(written, contents)
    return written.getvalue()


def spoiled_file(path: Path, original: bytes) -> st.SearchStrategy[bytes]:
    """Bytes for a file: half of them damaged as bytes, half as what the file holds."""
    inner = {".json": spoiled_json, ".mat": spoiled_mat}.get(path.suffix)
    if b"\x89HDF" in original[:1024]:
        inner = spoiled_bytes
    if inner is None:
        inner = spoiled_words if path.suffix in (".txt", ".csv", ".pose", ".ini") else spoiled_bytes
    return st.one_of(spoiled_bytes(original), inner(original))


@contextlib.contextmanager
def spoiled_tree(draw: Callable[[st.SearchStrategy[Any]], Any], paths: list[Path]) -> Iterator[None]:
    """Spoil one of these files or folders in its place, and mend it afterwards.

    Args:
        draw: Draws from a strategy.
        paths: What may be spoiled.
    """
    path = draw(st.sampled_from(paths))
    kind = draw(st.sampled_from(["rename", "remove", "empty", "loop", "other kind", "extra", "dangling"]))
    name = os.fsdecode(draw(st.sampled_from(ODD_NAMES)))
    as_folder = draw(st.booleans())
    # Hypothesis may end an example at any draw: from here on there is none.
    aside, was_folder = path.with_name(".aside"), path.is_dir()
    if kind == "extra":
        made = (path if was_folder else path.parent) / name
        if made.exists():
            made = made.with_name("another")
    else:
        made = path.with_name(name) if kind == "rename" else path
        if made.exists():
            made = path if kind != "rename" else path.with_name("another" + path.suffix)
        path.rename(aside)
    try:
        if kind == "rename":
            shutil.copytree(aside, made) if was_folder else shutil.copy(aside, made)
        elif kind == "loop":
            made.symlink_to(path.parent if was_folder else made)
        elif kind == "dangling":
            made.symlink_to(path.with_name(".nowhere"))
        elif kind != "remove":
            folder = {"extra": as_folder, "empty": was_folder, "other kind": not was_folder}[kind]
            made.mkdir() if folder else made.touch()
        yield
    finally:
        _remove(made)
        if aside.exists():
            aside.rename(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
