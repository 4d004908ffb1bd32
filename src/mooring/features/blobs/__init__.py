"""Blobs and uploads: which bytes there are, where they lie, and which repositories may see them."""
