"""Mooring beside the registries that people run today: the same requests in alternation (docs/performance.md)."""
