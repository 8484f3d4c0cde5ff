"""Draw what a network is given, sees and finds: ``python src/pictures.py figure=skeletons run=RUN_DIR``."""

from vidreid.commands.pictures import main

if __name__ == "__main__":
    main()
