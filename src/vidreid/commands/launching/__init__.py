"""Trainings on any number of processes: who starts them, what they agree on, how they end together."""
