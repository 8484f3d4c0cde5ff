"""Convolutional and transformer trunks from timm with their stage features."""
