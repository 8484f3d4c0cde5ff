"""Losses and the recipe that sums them."""
