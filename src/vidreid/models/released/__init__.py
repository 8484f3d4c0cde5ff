"""Importers of checkpoints that the methods' authors released."""
