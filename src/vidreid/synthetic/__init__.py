"""The procedural walkers: a benchmark in MARS format made from a seed."""
