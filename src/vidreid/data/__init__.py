"""From a folder on disk to batches of clips."""
