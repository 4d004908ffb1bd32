"""Lists by pages, as every list of the data plane has them: `n` at most, what follows `last`, a Link to the rest."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlencode

from mooring.core.errors import BadRequest
from mooring.http.exchange import Headers

T = TypeVar("T")

_EVERYTHING: Final = 1 << 62  # rows
_NUMBER: Final = re.compile(r"\+?[0-9]{1,32}")
_MOST: Final = (1 << 63) - 1


class Page(NamedTuple):
    """What was asked for: `most` names after `last`, all of them where it is None."""

    most: int | None
    last: str

    @property
    def limit(self) -> int:
        """Rows to ask for: one more than the page has tells whether there is another."""
        return _EVERYTHING if self.most is None else min(self.most + 1, _EVERYTHING)

    def cut(self, path: str, names: Sequence[str]) -> tuple[Sequence[str], Headers]:
        """The page out of the rows, and the Link to what follows it (RFC 8288)."""
        if self.most is None or len(names) <= self.most:
            return names, []
        shown = names[: self.most]
        rest = urlencode({"last": shown[-1], "n": self.most})
        return shown, [(b"link", f'<{path}?{rest}>; rel="next"'.encode())]


def page(query: dict[str, str]) -> Page:
    """The parameters `n` and `last`. Raises BadRequest."""
    return Page(number(query.get("n", "")), query.get("last", ""))


def number(text: str) -> int | None:
    """A parameter that counts; None when it was not given. Raises BadRequest."""
    if not text:
        return None
    if _NUMBER.fullmatch(text) is None or int(text) > _MOST:
        raise BadRequest("the N must be a positive int type")
    return int(text)
