"""The procedural walkers: a benchmark in MARS format made from a seed."""

from vidreid.synthetic.benchmark import synthesize

__all__ = ["synthesize"]
