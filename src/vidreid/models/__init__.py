"""Networks that know nothing of training, configurations or files."""
