"""Places that many tests read from."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

REPO_ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repo_root() -> Path:
    return REPO_ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Small real files for tests (MARS metadata and others) that are not part of the project."""
    folder = Path(os.environ.get("VIDREID_TEST_DATA", REPO_ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}: set VIDREID_TEST_DATA to the folder that holds them")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what reads golden numbers, for ``make test-golden``: tests named so, and users of the fixture."""
    for item in items:
        if "test_golden" in item.nodeid or "golden" in getattr(item, "fixturenames", ()):
            item.add_marker("golden")


@pytest.fixture(scope="session")
def golden() -> Path:
    """Numbers of the methods' released code."""
    return Path(os.environ.get("VIDREID_GOLDEN", REPO_ROOT / "tests" / "golden"))


@pytest.fixture(scope="session")
def golden_file(golden: Path) -> Callable[[str], Path]:
    """Find a golden file, or skip the test: a folder of ``VIDREID_GOLDEN`` need not hold every case."""

    def find(name: str) -> Path:
        if not (golden / name).is_file():
            pytest.skip(f"{golden} has no {name}")
        return golden / name

    return find


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The procedural benchmark in its smallest size, rendered once for all tests."""
    from vidreid.synthetic.benchmark import synthesize

    root = tmp_path_factory.mktemp("synthetic") / "tiny"
    synthesize(root, size="tiny", seed=0, workers=1, progress=False)
    return root


@pytest.fixture(scope="session")
def posetrackreid_root(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path) -> Path:
    """A tiny tree in the format of PoseTrackReID: 6 training identities in 2 videos each, and keypoints."""
    from support.dressed import dressed
    from support.posetrackreid_tree import make_posetrackreid_tree

    root = make_posetrackreid_tree(tmp_path_factory.mktemp("posetrackreid") / "posetrack-reid")
    return dressed(root, tiny_root)


@pytest.fixture(scope="session")
def ilids_vid_root(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path) -> Path:
    """A tiny tree in the format of iLIDS-VID: 12 people, ten splits in its split file."""
    from support.camera_pair_trees import make_ilids_tree
    from support.dressed import dressed

    root = make_ilids_tree(tmp_path_factory.mktemp("ilids_vid") / "ilids-vid")
    return dressed(root, tiny_root)


@pytest.fixture(scope="session")
def prid2011_root(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path) -> Path:
    """A tiny tree in the format of PRID2011: 12 people in ten splits, and some whom no split names."""
    from support.camera_pair_trees import make_prid_tree
    from support.dressed import dressed

    root = make_prid_tree(tmp_path_factory.mktemp("prid2011") / "prid2011")
    return dressed(root, tiny_root)


@pytest.fixture(scope="session")
def ccvid_root(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path) -> Path:
    """A tiny tree in the format of CCVID: 6 training identities in two outfits, walkers as pictures."""
    from support.outfit_trees import make_ccvid_tree, walkers

    return make_ccvid_tree(tmp_path_factory.mktemp("ccvid") / "ccvid", pictures=walkers(tiny_root))


@pytest.fixture(scope="session")
def mevid_root(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path) -> Path:
    """A tiny tree in the format of MEVID: 6 training identities in two outfits, walkers as pictures."""
    from support.outfit_trees import make_mevid_tree, walkers

    return make_mevid_tree(tmp_path_factory.mktemp("mevid") / "mevid", pictures=walkers(tiny_root))


@pytest.fixture(scope="session")
def x_mars_root(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path) -> Path:
    """A tiny tree of X-MARS: 4 training identities, of whom two lie in MARS's folder of test images."""
    from support.dressed import dressed
    from support.x_mars_tree import make_x_mars_tree

    root = make_x_mars_tree(tmp_path_factory.mktemp("x_mars") / "mars")
    return dressed(root, tiny_root)


@pytest.fixture(scope="session")
def g2a_vreid_root(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path) -> Path:
    """A tiny tree of G2A-VReID: 4 training and 3 test identities in 2 cameras, and keypoints."""
    from support.dressed import dressed
    from support.g2a_vreid_tree import make_g2a_vreid_tree

    root = make_g2a_vreid_tree(tmp_path_factory.mktemp("g2a_vreid") / "g2a-vreid")
    return dressed(root, tiny_root)


@pytest.fixture(scope="session")
def duke_video_reid_root(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path) -> Path:
    """A tiny tree in the format of DukeMTMC-VideoReID: 4 training identities, 2 who are asked for."""
    from support.dressed import dressed
    from support.duke_video_reid_tree import make_duke_video_reid_tree

    root = make_duke_video_reid_tree(tmp_path_factory.mktemp("duke_video_reid") / "duke")
    return dressed(root, tiny_root, lambda path: path.parent.parent.name)


@pytest.fixture(scope="session")
def ls_vid_root(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path) -> Path:
    """A tiny tree in the format of LS-VID: 4 training identities, 2 queries in a list of 6 test tracklets."""
    from support.dressed import dressed
    from support.ls_vid_tree import make_ls_vid_tree

    root = make_ls_vid_tree(tmp_path_factory.mktemp("ls_vid") / "ls-vid")
    return dressed(root, tiny_root)
