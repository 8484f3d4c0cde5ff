"""The settings that a search may change, in plain words, as Optuna's distributions.

``{low: 1e-4, high: 1e-2, log: true}`` is a range, of whole numbers if both ends are; ``[2, 4, 8]`` a choice.
On the command line also Hydra's own words: ``a=1,2``, ``choice(1, 2)``, ``range(2, 8, 2)``,
``interval(0.1, 1)``, ``tag(log, interval(1e-4, 1e-2))`` and ``int(interval(1, 9))``.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override, QuotedString
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

Space = dict[str, BaseDistribution]

_WORDS = {"low", "high", "log", "step"}
_BARE = re.compile(r"[A-Za-z_][\w./-]*")
_NOT_TEXT = {"true", "false", "null", "nan", "inf", "yes", "no", "on", "off"}


def read_space(tree: Mapping[str, Any]) -> Space:
    """Return the distributions of a search space.

    Args:
        tree: Settings by their names, nested as in the configuration or with dots, such as ``optimizer.lr``.

    Raises:
        ValueError: If a setting stands there twice, or its words make no range and no choice.
    """
    space: Space = {}
    for name, words in _leaves(tree):
        if name in space:
            raise ValueError(f"The search space has {name} twice: leave one of them out.")
        space[name] = _distribution(name, words)
    return space


def split_overrides(overrides: Iterable[Override]) -> tuple[dict[str, str], Space]:
    """Part the words of a command line into what is fixed and what is searched.

    Args:
        overrides: As Hydra has parsed them.

    Returns:
        The fixed ones as they were given, by their keys; and the searched ones as distributions.
    """
    fixed: dict[str, str] = {}
    searched: Space = {}
    for override in overrides:
        name = override.get_key_element()
        assert override.input_line is not None
        if not override.is_sweep_override():
            fixed[name] = override.input_line
        elif override.is_interval_sweep():
            searched[name] = _interval(name, override.value())
        else:
            values = [_plain(value) for value in override.sweep_iterator()]
            searched[name] = _choice(name, values)
    return fixed, searched


def override(name: str, value: Any) -> str:
    """Return the word of a command line that gives a setting a value."""
    if value is None:
        text = "null"
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str) and not (_BARE.fullmatch(value) and value.lower() not in _NOT_TEXT):
        text = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    else:
        text = str(value)
    return f"{name}={text}"


def example(distribution: BaseDistribution) -> Any:
    """Return a value of a distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[0]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    return distribution.low


def told(distribution: BaseDistribution) -> Any:
    """Return a distribution in the words of the configuration."""
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    words: dict[str, Any] = {"low": distribution.low, "high": distribution.high}
    if distribution.log:
        words["log"] = True
    if distribution.step not in (None, 1):
        words["step"] = distribution.step
    return words


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, branch in tree.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(branch, Mapping) and branch and not _WORDS & branch.keys():
            yield from _leaves(branch, name)
        elif branch is not None:  # an entry that a later configuration has emptied
            yield name, branch


def _distribution(name: str, words: Any) -> BaseDistribution:
    if isinstance(words, list | tuple):
        return _choice(name, list(words))
    if not isinstance(words, Mapping):
        raise ValueError(
            f"The search space has {name}: {words}, which is neither a choice such as [2, 4, 8] nor a range "
            "such as {low: 1e-4, high: 1e-2, log: true}."
        )
    unknown = words.keys() - _WORDS
    if unknown or not {"low", "high"} <= words.keys():
        what = f"the unknown word {min(unknown)}" if unknown else "no low or no high"
        raise ValueError(f"The range of {name} has {what}: write {{low: 1e-4, high: 1e-2, log: true}}.")
    return _range(name, words["low"], words["high"], bool(words.get("log", False)), words.get("step"))


def _range(name: str, low: Any, high: Any, log: bool, step: Any) -> BaseDistribution:
    for what, value in (("low", low), ("high", high), *((("step", step),) if step is not None else ())):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"The range of {name} has {what}: {value}, which is no number.")
    if low > high:
        raise ValueError(f"The range of {name} has low: {low} above high: {high}: exchange them.")
    if log and low <= 0:
        raise ValueError(f"The range of {name} is logarithmic and has low: {low}: it must be above 0.")
    if log and step is not None:
        raise ValueError(f"The range of {name} has both log and step: leave one of them out.")
    if step is not None and step <= 0:
        raise ValueError(f"The range of {name} has step: {step}: it must be above 0.")
    whole = all(isinstance(value, int) for value in (low, high, step) if value is not None)
    if step is not None and not _divides(step, high - low):
        raise ValueError(f"The range of {name} from {low} to {high} is no multiple of step: {step}.")
    if whole:
        return IntDistribution(low, high, log=log, step=step or 1)
    return FloatDistribution(float(low), float(high), log=log, step=None if step is None else float(step))


def _divides(step: float, length: float) -> bool:
    return math.isclose(length / step, round(length / step), abs_tol=1e-9)


def _choice(name: str, values: list[Any]) -> BaseDistribution:
    for value in values:
        if not (value is None or isinstance(value, bool | int | float | str)):
            raise ValueError(
                f"The choices of {name} hold {value}: they must be numbers, words, true, false or null."
            )
    told = [(type(value), value) for value in values]
    if not values or len(set(told)) < len(told):
        what = "a value twice" if values else "no value"
        raise ValueError(f"The choices of {name} hold {what}: write each once, as in [2, 4, 8].")
    return CategoricalDistribution(values)


def _interval(name: str, sweep: Any) -> BaseDistribution:
    assert isinstance(sweep, IntervalSweep)
    return _range(name, sweep.start, sweep.end, "log" in sweep.tags, None)


def _plain(value: Any) -> Any:
    return value.text if isinstance(value, QuotedString) else value
