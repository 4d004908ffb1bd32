"""Headers of the control API: how many there are, where the next page is, where the new thing is."""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from litestar import Request, Response

from mooring.core.page import Listing

T = TypeVar("T")


class Answer(Response[Any]):
    """An answer whose body is empty when there is nothing to say; Terraform takes a `null` for something."""

    def render(self, content: Any, media_type: str, enc_hook: Any = None) -> bytes:
        return b"" if content is None else super().render(content, media_type, enc_hook)


def listed(request: Request[Any, Any, Any], items: Sequence[T], total: int, listing: Listing) -> Response[Sequence[T]]:
    """One page of a list, with X-Total-Count and, where there are neighbours, Link."""
    headers = {"X-Total-Count": str(total)}
    link = pages(request.scope["path"], request.scope["query_string"].decode("latin-1"), listing, total)
    if link:
        headers["Link"] = link
    return Response(items, headers=headers)


def pages(path: str, query: str, listing: Listing, total: int) -> str:
    """The value of Link. Addresses are relative and not escaped, as clients of Harbor put the host before them."""
    parameters = dict(parse_qsl(query, keep_blank_values=True))

    def neighbour(number: int, relation: str) -> str:
        pairs = sorted({**parameters, "page": str(number), "page_size": str(listing.size)}.items())
        return f'<{path}?{"&".join(f"{key}={value}" for key, value in pairs)}>; rel="{relation}"'

    links = []
    if listing.size and listing.page > 1 and (listing.page - 1) * listing.size < total:
        links.append(neighbour(listing.page - 1, "prev"))
    if listing.size and listing.page * listing.size < total:
        links.append(neighbour(listing.page + 1, "next"))
    return _header_text(" , ".join(links))


def created(request: Request[Any, Any, Any], key: int | str, body: Any = None) -> Response[Any]:
    """201 with the path of what was made: the request's and the key. Never absolute: Terraform keeps it as the id."""
    return Answer(body, status_code=201, headers={"Location": f"{request.scope['path'].rstrip('/')}/{key}"})


def begun(request: Request[Any, Any, Any], execution_id: int, *, above: int = 1) -> Response[Any]:
    """201 with the path of the run that was started, of which the number is 0 when none was. Runs are beside what was
    called, or so many segments above its end.
    """
    runs = request.scope["path"].rstrip("/").rsplit("/", above)[0]
    return Answer(None, status_code=201, headers={"Location": f"{runs}/{execution_id}"})


def _header_text(text: str) -> str:
    """The text without control characters, which no header may have (RFC 9110 section 5.5)."""
    return text.translate(dict.fromkeys((*range(32), 127))).encode().decode("latin-1")
