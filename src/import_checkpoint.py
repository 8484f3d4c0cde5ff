"""Turn a released checkpoint into a run: ``python src/import_checkpoint.py method=kmpnet_pcb file=FILE``."""

from vidreid.commands.import_checkpoint import main

if __name__ == "__main__":
    main()
