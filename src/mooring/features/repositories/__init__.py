"""Repositories: they exist from their first manifest until they are deleted."""
