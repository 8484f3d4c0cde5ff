"""Sweeps: the search for settings with Optuna, its trials, and the tables of sweeps."""
