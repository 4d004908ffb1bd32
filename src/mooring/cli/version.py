"""`mooring version`."""

import platform

from mooring import __version__


def version() -> None:
    """Print the versions of Mooring and of the Python that runs it."""
    print(f"mooring {__version__} (Python {platform.python_version()})")
