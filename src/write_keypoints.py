"""Write a benchmark's keypoints for other tools: ``python src/write_keypoints.py format=coco out=DIR``."""

from vidreid.commands.write_keypoints import main

if __name__ == "__main__":
    main()
