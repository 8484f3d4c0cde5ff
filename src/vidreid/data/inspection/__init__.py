"""Looking at a benchmark before anybody trains on it: what is wrong with its tables, frames and keypoints."""
