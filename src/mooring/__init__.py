"""Mooring: a container registry platform."""

__version__ = "0.1.0"
