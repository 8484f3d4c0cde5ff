"""Collect a study into a table: ``python src/collect.py folder=runs/studies/kmpnet_ablation``."""

from vidreid.commands.collect import main

if __name__ == "__main__":
    main()
