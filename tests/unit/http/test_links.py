import pytest

from mooring.core.page import Listing
from mooring.http.links import pages


@pytest.mark.parametrize(
    ("query", "page", "size", "total", "link"),
    [
        ("", 1, 10, 10, ""),
        ("", 1, 10, 11, '</p?page=2&page_size=10>; rel="next"'),
        ("page=2", 2, 10, 11, '</p?page=1&page_size=10>; rel="prev"'),
        ("page=9", 9, 10, 11, ""),
        ("page=0", 0, 10, 11, '</p?page=1&page_size=10>; rel="next"'),
        ("page_size=0", 1, 0, 11, ""),
        ("page=2&page_size=0", 2, 0, 11, ""),
        ("q=name%3D~a%2Cx&page_size=1", 1, 1, 2, '</p?page=2&page_size=1&q=name=~a,x>; rel="next"'),
        ("q=a%0D%0AX:y%7F", 1, 1, 2, '</p?page=2&page_size=1&q=aX:y>; rel="next"'),
    ],
)
def test_neighbours(query: str, page: int, size: int, total: int, link: str) -> None:
    assert pages("/p", query, Listing(page, size), total) == link


def test_both_neighbours() -> None:
    expected = '</p?page=1&page_size=2>; rel="prev" , </p?page=3&page_size=2>; rel="next"'
    assert pages("/p", "page=2&page_size=2", Listing(2, 2), 5) == expected
