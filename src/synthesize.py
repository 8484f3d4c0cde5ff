"""Render the procedural benchmark: ``python src/synthesize.py size=small root=DIR report=true``."""

from vidreid.commands.synthesize import main

if __name__ == "__main__":
    main()
