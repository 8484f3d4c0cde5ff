"""Evaluate a run again: ``python src/eval.py run=RUN_DIR``."""

from vidreid.commands.evaluate import main

if __name__ == "__main__":
    main()
