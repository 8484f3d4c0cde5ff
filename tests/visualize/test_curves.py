import numpy as np

from vidreid.visualize.curves import cmc_figure, figure_pixels, training_figure


def test_cmc_figure_shows_the_curves_in_per_cent():
    figure = cmc_figure({"a": [0.25, 0.5, 1.0], "b": np.linspace(0.1, 1, 50)}, max_rank=20)
    first, second = figure.axes[0].lines
    assert first.get_xdata().tolist() == [1, 2, 3]
    assert first.get_ydata().tolist() == [25, 50, 100]
    assert len(second.get_xdata()) == 20
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "a  (rank-1 25.0 %)",
        "b  (rank-1 10.0 %)",
    ]
    low, high = figure.axes[0].get_ylim()
    assert low < 10
    assert high > 100


def test_curves_without_numbers_are_no_crash():
    for curves in ({}, {"nothing counted": [None] * 50}):
        assert figure_pixels(cmc_figure(curves)).ndim == 3


def test_training_figure():
    figure = training_figure({"run": ([0, 10, 20], [3.0, 2.0, 1.0])}, "loss", horizontal="step")
    assert figure.axes[0].lines[0].get_ydata().tolist() == [3, 2, 1]
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("step", "loss")


def test_figure_pixels():
    pixels = figure_pixels(cmc_figure({"a": [0.5]}), dpi=50)
    assert pixels.shape == (180, 280, 3)
    assert pixels.dtype == np.uint8
    assert pixels.min() < 100 < pixels.max()
