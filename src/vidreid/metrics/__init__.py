"""Ranking metrics: pure functions over distances and ids, and the torchmetrics class."""
