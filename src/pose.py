"""Estimate keypoints: ``python src/pose.py data=mars data.root=DIR estimator=rtmpose ...``."""

from vidreid.commands.pose import main

if __name__ == "__main__":
    main()
