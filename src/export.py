"""Write the descriptor network of a run: ``python src/export.py run=RUN_DIR``."""

from vidreid.commands.export import main

if __name__ == "__main__":
    main()
