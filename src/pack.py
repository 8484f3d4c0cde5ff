"""Copy the frames of a benchmark into one file a split: ``python src/pack.py data=mars data.root=DIR``."""

from vidreid.commands.pack import main

if __name__ == "__main__":
    main()
