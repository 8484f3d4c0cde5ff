"""Pictures of tracklets, rankings and skeletons."""
