"""From videos and the boxes of a tracker to crops, tracklets and a manifest."""
