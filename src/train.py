"""Train a network, resume a run, sweep: ``python src/train.py experiment=kmpnet_pcb_mars data.root=DIR``."""

from vidreid.commands.train import main

if __name__ == "__main__":
    main()
