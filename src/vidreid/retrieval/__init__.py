"""Search in features of tracklets."""
