"""Skeletons, the keypoint store and what reads and writes keypoints."""
