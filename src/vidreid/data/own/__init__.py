"""From a manifest or a folder tree of one's own to tables and a frame list."""
