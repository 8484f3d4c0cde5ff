"""``figure=skeletons``: tracklets with their keypoints (Figure 5 of KMPNet)."""

from pathlib import Path

from omegaconf import DictConfig

from vidreid.commands.pictures.opening import FRAMES, listed, open_data
from vidreid.keypoints.skeleton import SKELETONS
from vidreid.training.run_folder import RunFolder
from vidreid.visualize.examples import Examples, spread_or_named
from vidreid.visualize.save import save_png
from vidreid.visualize.skeletons import skeleton_sheet


def draw_skeletons(config: DictConfig) -> Path:
    """Draw tracklets with their keypoints as the run's data give them."""
    run = RunFolder.existing(config.run)
    data = open_data(run, config)
    examples = Examples(data, config.split or "train")
    chosen = spread_or_named(examples, config.tracklets, config.count)
    rows = []
    for tracklet in chosen:
        example = examples.read(int(tracklet), FRAMES if config.frames is None else config.frames)
        assert example.keypoints is not None
        rows.append((example.frames, example.keypoints))
    picture = skeleton_sheet(rows, SKELETONS[data.joints])
    file = save_png(picture, config.file or run.pictures / "skeletons_tracklets.png")
    print(f"{file}: tracklets {listed(chosen)} of the {examples.split} split, keypoints {data.keypoints}")
    return file
