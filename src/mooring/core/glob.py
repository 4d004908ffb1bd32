"""Patterns over names and tags, as Harbor's selectors have them: the grammar of Go's doublestar.

    *      any characters of a component        [abc] [a-z] [^a]   one character of a class, or of none of it
    ?      one character of a component         {a,b}              either of the alternatives
    **     any number of components             \\c                the character itself

Components are what slashes divide. wcmatch matches them; braces are ours, since a shell reads `{1..3}` and `{a}`
otherwise, and so is `**`, since a regular expression of many takes time without bound.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from wcmatch import glob

MAX_LENGTH: Final = 1024  # characters of a pattern
_MAX_ALTERNATIVES: Final = 64
_MAX_DEPTH: Final = 8  # of braces in braces
_FLAGS: Final = glob.DOTGLOB | glob.CASE | glob.FORCEUNIX

# A component's matcher; None for `**`.
_Component = glob.WcMatcher[str] | None


class BadPattern(ValueError):
    """The pattern is not in the grammar; the message says why."""


class Glob:
    """A pattern, compiled. The empty one matches everything, as in Harbor."""

    __slots__ = ("_alternatives",)

    def __init__(self, pattern: str) -> None:
        """Raises BadPattern."""
        if len(pattern) > MAX_LENGTH:
            raise BadPattern(f"a pattern may have {MAX_LENGTH} characters, this one has {len(pattern)}")
        choices, _ = _expand(pattern, 0, 0)
        self._alternatives: Final = [_components(choice) for choice in choices] if pattern else [[None]]

    def matches(self, name: str) -> bool:
        """Whether the whole name fits the pattern, in time that grows with their lengths alone."""
        names = name.split("/")
        return any(_fits(components, names) for components in self._alternatives)


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Glob:
    """The pattern, compiled once for all who use it. Raises BadPattern."""
    return Glob(pattern)


def _components(choice: str) -> list[_Component]:
    return [None if part == "**" else glob.compile(part, flags=_FLAGS) for part in choice.split("/")]


def _fits(components: Sequence[_Component], names: Sequence[str]) -> bool:
    """Go on from the last `**` whenever the rest does not fit; no earlier one needs to be tried again."""
    at = place = 0
    again, resume = -1, 0
    while place < len(names):
        component = components[at] if at < len(components) else None
        if at < len(components) and component is None:
            again, resume = at, place
            at += 1
        elif component is not None and component.match(names[place]):
            at += 1
            place += 1
        elif again >= 0:
            resume += 1
            at, place = again + 1, resume
        else:
            return False
    return at == len(components)


def _expand(pattern: str, at: int, depth: int) -> tuple[list[str], int]:
    """The choices that the pattern leaves from `at` on, up to the brace that closes it, and where that ends."""
    if depth > _MAX_DEPTH:
        raise BadPattern("braces are nested too deeply")
    finished: list[str] = []
    choices = [""]
    while at < len(pattern):
        character = pattern[at]
        if depth and character == ",":
            finished, choices, pieces = finished + choices, [""], [""]
            at += 1
        elif depth and character == "}":
            return finished + choices, at + 1
        elif character == "{":
            pieces, at = _expand(pattern, at + 1, depth + 1)
        else:
            piece, at = _class(pattern, at) if character == "[" else _character(pattern, at)
            pieces = [piece]
        choices = [choice + piece for choice in choices for piece in pieces]
        if len(finished) + len(choices) > _MAX_ALTERNATIVES:
            raise BadPattern(f"the braces leave more than {_MAX_ALTERNATIVES} alternatives")
    if depth:
        raise BadPattern("a brace is not closed")
    return choices, at


def _character(pattern: str, at: int) -> tuple[str, int]:
    """The character at this place with the backslash that it may have, and the place behind it."""
    length = 2 if pattern[at] == "\\" else 1
    if at + length > len(pattern):
        raise BadPattern("a backslash is followed by nothing")
    return pattern[at : at + length], at + length


def _class(pattern: str, at: int) -> tuple[str, int]:
    """The class that begins here as wcmatch reads it, and the place behind it."""
    at += 1
    opening = "["
    if pattern.startswith("^", at):
        opening, at = "[^", at + 1
    members = ""
    while at < len(pattern) and pattern[at] != "]":
        character, at = _character(pattern, at)
        members += character if character == "-" or len(character) == 2 or character.isalnum() else f"\\{character}"
    if at == len(pattern) or not members:
        raise BadPattern("a class is empty or not closed")
    return f"{opening}{members}]", at + 1
