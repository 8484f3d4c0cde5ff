"""The same descriptors under every protocol: ``python src/protocols.py run=RUN_DIR``."""

from vidreid.commands.protocols import main

if __name__ == "__main__":
    main()
