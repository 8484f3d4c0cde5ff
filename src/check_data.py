"""Say what is wrong with a benchmark: ``python src/check_data.py data=mars data.root=DIR``."""

from vidreid.commands.check_data import main

if __name__ == "__main__":
    main()
