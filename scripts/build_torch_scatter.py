"""Build torch-scatter against the installed torch, keep the wheel, install it, and run one operation.

A wheel of torch-scatter works with exactly the torch it was compiled for, and pip's own cache does not know
that. So the wheels are kept by torch, Python and platform under the user's cache folder
(``$XDG_CACHE_HOME/vidreid/wheels`` or ``~/.cache/vidreid/wheels``), outside the clone: a machine builds
once, about five minutes.

Run by the Python of the environment that is to get it: ``.venv/bin/python scripts/build_torch_scatter.py``.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements-scatter.txt"

CHECK = """
import torch, torch_scatter
source, index = torch.tensor([1.0, 2.0, 4.0], requires_grad=True), torch.tensor([0, 1, 1])
total = torch_scatter.scatter(source, index, reduce="sum")
largest, _ = torch_scatter.scatter_max(source, index)
(total + largest).sum().backward()
assert total.tolist() == [1.0, 6.0] and largest.tolist() == [1.0, 4.0] and source.grad.tolist() == [2.0, 1.0,
2.0]
"""


def works() -> bool:
    """Whether torch-scatter can be imported in a new process and computes one sum and one maximum."""
    return subprocess.run([sys.executable, "-c", CHECK], capture_output=True, check=False).returncode == 0


def cuda_toolkit_matches() -> bool:
    """Whether a compiler of the major CUDA version that torch was built with is on the path."""
    import torch

    if torch.version.cuda is None or not torch.cuda.is_available() or shutil.which("nvcc") is None:
        return False
    said = subprocess.run(["nvcc", "--version"], capture_output=True, text=True, check=False).stdout
    return f"release {torch.version.cuda.split('.')[0]}." in said


def wheel_folder(with_cuda: bool) -> Path:
    """The folder of the wheel that fits this torch, Python and platform."""
    import torch

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    device = "cuda" if with_cuda else "cpu"
    key = f"torch-{torch.__version__}-{sys.implementation.cache_tag}-{platform}-{device}"
    return cache / "vidreid" / "wheels" / key


def pip(*arguments: str, **environment: str) -> None:
    """Run this environment's pip, without its cache, and stop with its exit status if it fails."""
    command = [sys.executable, "-m", "pip", *arguments, "--no-deps", "--no-cache-dir"]
    status = subprocess.run(command, env=os.environ | environment, check=False).returncode
    if status:
        sys.exit(f"torch-scatter: `pip {' '.join(arguments[:1])}` failed with status {status} (see above).")


def install(wheel: Path) -> bool:
    """Install a wheel and say whether the installed package works."""
    pip("install", "--quiet", "--no-index", "--force-reinstall", str(wheel))
    return works()


def build(folder: Path, with_cuda: bool) -> Path:
    """Compile the wheel into a temporary folder beside ``folder`` and return its path there."""
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        sys.exit("torch-scatter is compiled from source: install a C++ compiler (g++) or set CXX.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial-", dir=folder.parent))
    print("Compiling torch-scatter, about five minutes; the wheel is kept for the next time.", flush=True)
    switches = {"FORCE_CUDA": "1"} if with_cuda else {"FORCE_ONLY_CPU": "1"}
    try:
        pip(
            "wheel", "--no-build-isolation", "--require-hashes", "--wheel-dir", str(temporary),
            "--requirement", str(REQUIREMENTS), **switches,
        )  # fmt: skip
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return next(temporary.glob("torch_scatter-*.whl"))


def main() -> None:
    """Use the kept wheel if there is one that works, else build, check and keep it."""
    with_cuda = cuda_toolkit_matches()
    folder = wheel_folder(with_cuda)
    for kept in folder.glob("torch_scatter-*.whl"):
        if install(kept):
            print(f"torch-scatter installed from the kept wheel in {folder}")
            return
        print(f"The kept wheel does not work and is built anew: {kept}")
        shutil.rmtree(folder)
    wheel = build(folder, with_cuda)
    try:
        if not install(wheel):
            sys.exit(
                "torch-scatter was built but cannot compute a sum: see `python -c 'import torch_scatter'`."
            )
        if not folder.exists():
            wheel.parent.rename(folder)
    finally:
        shutil.rmtree(wheel.parent, ignore_errors=True)
    print(f"torch-scatter built and installed; the wheel is kept in {folder}")


if __name__ == "__main__":
    main()
