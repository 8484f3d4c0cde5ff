"""Search spaces in plain words, and words of a command line."""

import math
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from vidreid.commands.sweeps.space import override, read_space, split_overrides, told


def test_words_become_distributions() -> None:
    space = read_space(
        {
            "optimizer": {"lr": {"low": 1e-4, "high": 1e-2, "log": True}, "weight_decay": None},
            "data.clip_length": [2, 4, 8],
            "data": {"batch_size": {"low": 2, "high": 8, "step": 2}, "erasing": {"low": 0, "high": 0.5}},
            "optimizer.name": ["adam", None, True],
        }
    )
    assert space == {
        "optimizer.lr": FloatDistribution(1e-4, 1e-2, log=True),
        "data.clip_length": CategoricalDistribution((2, 4, 8)),
        "data.batch_size": IntDistribution(2, 8, step=2),
        "data.erasing": FloatDistribution(0.0, 0.5),
        "optimizer.name": CategoricalDistribution(("adam", None, True)),
    }
    assert read_space({name: told(distribution) for name, distribution in space.items()}) == space


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"low": 2, "high": 1}, "low: 2 above high: 1: exchange them"),
        ({"low": 0, "high": 1.0, "log": True}, "is logarithmic and has low: 0: it must be above 0"),
        ({"low": 1}, "no low or no high"),
        ({"low": 1, "hihg": 2}, "unknown word hihg"),
        ({"low": 1, "high": "much"}, "high: much, which is no number"),
        ({"low": 1, "high": math.inf}, "high: inf, which is no number"),
        ({"low": True, "high": 2}, "low: True, which is no number"),
        ({"low": 1, "high": 2, "step": 0}, "step: 0: it must be above 0"),
        ({"low": 0.0, "high": 1.0, "step": 0.3}, "is no multiple of step: 0.3"),
        ({"low": 1.0, "high": 2.0, "step": 0.5, "log": True}, "both log and step"),
        ([], "hold no value"),
        ([2, 2], "hold a value twice"),
        ([[1, 2]], r"hold \[1, 2\]: they must be numbers, words"),
        (3, "neither a choice such as"),
    ],
)
def test_words_that_make_no_range_and_no_choice(words: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"model.width.*{sentence}"):
        read_space({"model": {"width": words}})


def test_a_setting_stands_in_the_space_once() -> None:
    with pytest.raises(ValueError, match=r"has optimizer.lr twice"):
        read_space({"optimizer.lr": [1, 2], "optimizer": {"lr": [1, 2]}})


def test_one_and_true_are_two_choices() -> None:
    assert read_space({"a": [1, True]})["a"] == CategoricalDistribution((1, True))


def test_a_command_line_is_parted() -> None:
    words = [
        "experiment=pcb_synthetic", "optimizer=adam,adamw", "optimizer.lr=tag(log, interval(1e-4, 1e-2))",
        "data.clip_length=choice(2,4)", "seed=range(0,4,2)", "model.width=int(interval(1, 9))",
        "model.visual.channels=[8,16]", "~loss_optimizer", "name='a b',c",
    ]  # fmt: skip
    fixed, searched = split_overrides(OverridesParser.create().parse_overrides(words))
    assert list(fixed.values()) == [words[0], words[6], words[7]]
    assert searched == {
        "optimizer": CategoricalDistribution(("adam", "adamw")),
        "optimizer.lr": FloatDistribution(1e-4, 1e-2, log=True),
        "data.clip_length": CategoricalDistribution((2, 4)),
        "seed": CategoricalDistribution((0, 2)),
        "model.width": IntDistribution(1, 9),
        "name": CategoricalDistribution(("a b", "c")),
    }


@pytest.mark.parametrize(
    "value",
    [1, -3, 0.1, 1e-05, 1.5e300, True, False, None, "adam", "key_reid/full", "true", "null", "1e-3", "a b",
     "it's", "a,b", "\\", "", "${seed}", "[1]", "nan"],
)  # fmt: skip
def test_a_value_survives_the_way_through_a_command_line(value: Any) -> None:
    (parsed,) = OverridesParser.create().parse_overrides([override("a.b", value)])
    assert parsed.key_or_group == "a.b"
    assert parsed.value() == value
    assert type(parsed.value()) is type(value)
