"""The `mooring` command: one file for each of its commands.

Heavy modules are imported by the command that needs them, so that `mooring version` waits for no database library.
"""

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cyclopts import App, CycloptsError

from mooring.core.errors import MooringError

_COMMANDS: Final = {
    "serve": "Serve the registry until SIGTERM. SIGHUP reads the certificate anew.",
    "worker": "Run the background jobs alone, beside servers on other machines.",
    "migrate": "Bring the database to this program's schema, as serve does too, or up or down to a revision.",
    "doctor": "Look whether Mooring can serve with these settings, and say what to do where it cannot.",
    "scrub": "Read and hash everything that is stored, and say what is missing or damaged.",
    "version": "Print the versions of Mooring and of the Python that runs it.",
}
_USER_COMMANDS: Final = {
    "list": ("show", "List everybody's name, address and rights."),
    "create": ("create", "Add somebody. The password is asked for, or read from standard input."),
    "password": (
        "password",
        "Give somebody another password, asked for or read from standard input.",
    ),
}


def app() -> App:
    """The command line: every command by the name of its function, imported when it is called."""
    line = App(
        name="mooring",
        help="A container registry: the OCI registry and Harbor's API.",
        help_format="plaintext",
        version_flags=["--version"],
        version=_version,
        help_on_error=False,
        print_error=False,
        exit_on_error=False,
        result_action="return_value",
    )
    for name, purpose in _COMMANDS.items():
        line.command(f"mooring.cli.{name}:{name}", name=name, help=purpose)
    people = App(name="user", help="See and change people's accounts, on the machine that holds the database.")
    for name, (function, purpose) in _USER_COMMANDS.items():
        people.command(f"mooring.cli.user:{function}", name=name, help=purpose)
    line.command(people)
    return line


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 when it did its work, 1 when it could not, 2 when it was not understood."""
    try:
        status = app()(list(sys.argv[1:] if arguments is None else arguments))
    except MooringError as error:
        _say(str(error))
        sys.exit(1)
    except CycloptsError as error:
        _say(f"{' '.join(str(error).split()).rstrip('.')}; see mooring --help")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
    except Exception as error:
        _say(f"this is a bug in Mooring, please report it: {_place(error)}")
        sys.exit(1)
    sys.exit(status or 0)


def _say(sentence: str) -> None:
    print(f"mooring: {sentence}", file=sys.stderr)


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-4:]))
    return f"{type(error).__name__}: {error} at {places}"


def _version() -> str:
    from mooring import __version__

    return __version__
