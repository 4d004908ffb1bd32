import json

import pytest

from mooring.core import errors
from mooring.http.problems import body_of, headers_of, on_the_wire, status_of


def test_the_shape_is_the_one_of_both_protocols() -> None:
    error = errors.NotFound("project 7 not found")
    assert status_of(error) == 404
    assert body_of(error) == b'{"errors":[{"code":"NOT_FOUND","message":"project 7 not found"}]}\n'
    assert headers_of(error) == [(b"content-type", b"application/json; charset=utf-8")]


def test_detail_and_headers_come_along() -> None:
    error = errors.Unauthorized(detail={"name": "a/b"}, headers={"WWW-Authenticate": "Bearer"})
    assert json.loads(body_of(error))["errors"] == [
        {"code": "UNAUTHORIZED", "message": "unauthorized", "detail": {"name": "a/b"}}
    ]
    assert (b"www-authenticate", b"Bearer") in headers_of(error)


def test_several_errors_are_one_answer() -> None:
    error = errors.WireErrors([errors.ManifestBlobUnknown(detail="a"), errors.ManifestBlobUnknown(detail="b")])
    assert status_of(on_the_wire(error)) == 400
    assert [each["detail"] for each in json.loads(body_of(error))["errors"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (KeyError("secret"), 500, "internal server error"),
        (errors.WireError("secret"), 500, "internal server error"),
        (errors.ObjectMissing("secret"), 500, "internal server error"),
        (errors.StorageFull("secret"), 507, errors.InsufficientStorage.text),
        (errors.DatabaseUnavailable("secret"), 503, errors.ServiceUnavailable.text),
        (errors.ServiceUnavailable("starting"), 503, "starting"),
    ],
)
def test_particulars_of_a_failure_stay_here(error: Exception, status: int, message: str) -> None:
    answer = on_the_wire(error)
    assert status_of(answer) == status
    assert json.loads(body_of(answer))["errors"][0]["message"] == message
