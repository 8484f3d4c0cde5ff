"""Cut tracked people out of videos: ``python src/crop.py out=DIR video=FILE tracks=FILE camera=1``."""

from vidreid.commands.crop import main

if __name__ == "__main__":
    main()
