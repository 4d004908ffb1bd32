"""What only a bucket does: parts, signed addresses, and a store that is busy, silent, or not ours."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from obstore.store import S3Store

from mooring.core.errors import ObjectMissing, StartError, StorageUnavailable
from mooring.settings import Storage
from mooring.storage import keys
from mooring.storage.driver import CanAppend, CanPresign
from mooring.storage.objectstore import AHEAD, PART, ObjectStore, from_settings
from tests.parts import s3
from tests.storage.bodies import Torn, body, names, noise, stored, torn
from tests.storage.conftest import in_bucket

pytestmark = pytest.mark.anyio

MIB = 1 << 20


async def test_it_can_presign_and_cannot_append(s3_driver: ObjectStore) -> None:
    assert isinstance(s3_driver, CanPresign)
    assert not isinstance(s3_driver, CanAppend)


def test_a_body_of_200_gigabytes_fits_and_holds_less_than_32_mebibytes() -> None:
    assert 10_000 * PART >= 200_000_000_000
    assert PART + AHEAD + MIB < 32 * MIB


async def test_a_small_body_is_one_request_and_a_large_one_is_parts(
    s3_driver: ObjectStore, s3_bucket: s3.Bucket
) -> None:
    for size, parts in ((AHEAD - 1, None), (AHEAD, 1), (2 * PART, 2), (2 * PART + 1, 3)):
        key = keys.segment()
        await s3_driver.write(key, body(noise(size)))
        [found] = [each for each in _objects(s3_bucket) if each["Key"].endswith(key)]
        # The ETag of an object in parts ends in their number.
        assert found["ETag"].strip('"').partition("-")[2] == (str(parts) if parts else "")


async def test_the_parts_of_a_body_that_fails_are_given_up(s3_driver: ObjectStore, s3_bucket: s3.Bucket) -> None:
    key = keys.segment()
    with pytest.raises(Torn):
        await s3_driver.write(key, torn(noise(50 * MIB)))
    assert _parts(s3_bucket, key) == []


async def test_the_parts_of_a_cancelled_body_are_given_up(s3_driver: ObjectStore, s3_bucket: s3.Bucket) -> None:
    stalled, key = asyncio.Event(), keys.segment()

    async def stalling() -> AsyncIterator[bytes]:
        async for piece in body(noise(50 * MIB)):
            yield piece
        stalled.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(s3_driver.write(key, stalling()))
    await stalled.wait()
    assert len(_parts(s3_bucket, key)) == 1
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert _parts(s3_bucket, key) == []
    assert await names(s3_driver, keys.SEGMENTS) == []


def _parts(bucket: s3.Bucket, key: str) -> list[str]:
    return [each for each in bucket.open_uploads() if each.endswith(key)]


async def test_the_prefix_keeps_to_itself(s3_bucket: s3.Bucket, s3_driver: ObjectStore) -> None:
    inner = in_bucket(s3_bucket, "a/b/")
    await inner.write("blobs/ab/prefixed", body(b"x"))
    assert await names(inner, keys.SEGMENTS) == ["blobs/ab/prefixed"]
    assert await names(s3_driver, keys.SEGMENTS) == []
    assert "a/b/blobs/ab/prefixed" in [each["Key"] for each in _objects(s3_bucket)]
    await inner.delete(["blobs/ab/prefixed"])


async def test_a_signed_address_serves_the_object_and_ranges_of_it(
    s3_driver: ObjectStore, s3_bucket: s3.Bucket
) -> None:
    key = keys.segment()
    await s3_driver.write(key, body(b"0123456789"))
    address = await s3_driver.presign(key, 60)
    assert await asyncio.to_thread(_get, address) == b"0123456789"
    assert await asyncio.to_thread(_get, address, "bytes=2-4") == b"234"


async def test_a_signed_address_that_was_changed_serves_nothing(bucket: s3.Bucket) -> None:
    driver, key, other = in_bucket(bucket), keys.segment(), keys.segment()
    for each in (key, other):
        await driver.write(each, body(b"secret"))
    address = await driver.presign(key, 60)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        await asyncio.to_thread(_get, address.replace(key, other))


def _get(address: str, range_: str = "") -> bytes:
    request = urllib.request.Request(address, headers={"Range": range_} if range_ else {})
    with urllib.request.urlopen(request, timeout=120) as response:
        return bytes(response.read())


def _objects(bucket: s3.Bucket) -> list[dict[str, str]]:
    pages = bucket.client().get_paginator("list_objects_v2").paginate(Bucket=bucket.name)
    return [each for page in pages for each in page.get("Contents", [])]


@pytest.fixture
def line(bucket: s3.Bucket) -> Iterator[s3.Line]:
    """A line to the bucket that can be made to fail."""
    line = s3.Line.to(bucket)
    yield line
    line.close()


def _hasty(bucket: s3.Bucket, line: s3.Line) -> ObjectStore:
    """The driver with the patience of a test. What is large is not written by it: it would wait as long for a part to
    be sent.
    """
    return ObjectStore(
        S3Store(
            bucket.name,
            prefix="hasty",
            config={
                "endpoint": line.endpoint,
                "region": s3.REGION,
                "access_key_id": bucket.access_key,
                "secret_access_key": bucket.secret_key,
            },
            client_options={"allow_http": True, "read_timeout": "1s", "timeout": "1day"},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=5)},
        )
    )


@pytest.mark.parametrize("state", ["busy", "silent"])
async def test_a_store_that_does_not_answer_is_unavailable_and_then_works_again(
    bucket: s3.Bucket, line: s3.Line, state: str
) -> None:
    driver, key = _hasty(bucket, line), keys.segment()
    await driver.write(key, body(b"x"))
    line.state = state  # type: ignore[assignment]
    attempts = await asyncio.gather(
        driver.write(keys.segment(), body(b"y")),
        stored(driver, key, 0, 1),
        stored(driver, key, 0, 2 * MIB),
        driver.delete([key]),
        names(driver, keys.SEGMENTS),
        driver.check(),
        return_exceptions=True,
    )
    assert [type(answer) for answer in attempts] == [StorageUnavailable] * 6
    line.state = "up"
    line.cut()
    assert await stored(driver, key, 0, 1) == b"x"
    await driver.delete([key])


@pytest.mark.parametrize("state", ["busy", "silent"])
async def test_an_outage_in_the_middle_of_a_body_fails_the_write(bucket: s3.Bucket, line: s3.Line, state: str) -> None:
    driver, key = _hasty(bucket, line), keys.segment()

    async def long() -> AsyncIterator[bytes]:
        for number in range(100):
            if number == 30:
                line.state = state  # type: ignore[assignment]
            yield noise(MIB, number)

    with pytest.raises(StorageUnavailable):
        await driver.write(key, long())
    line.state = "up"
    line.cut()
    with pytest.raises(ObjectMissing):
        await stored(driver, key, 0, 1)


async def test_a_connection_that_is_cut_while_reading_is_taken_up_again(bucket: s3.Bucket, line: s3.Line) -> None:
    driver, key, content = _hasty(bucket, line), keys.segment(), noise(60 * MIB)
    await in_bucket(bucket, "hasty").write(key, body(content))
    read = bytearray()
    async for piece in driver.read(key, 0, len(content)):
        if len(read) < 5 * MIB <= len(read) + len(piece):
            line.cut()
        read += piece
    assert read == content
    await driver.delete([key])


async def test_a_reader_slower_than_the_timeout_gets_everything(bucket: s3.Bucket, line: s3.Line) -> None:
    driver, key, content = _hasty(bucket, line), keys.segment(), noise(30 * MIB)
    await in_bucket(bucket, "hasty").write(key, body(content))
    reading = driver.read(key, 0, len(content))
    read = [await anext(reading)]
    await asyncio.sleep(1.5)  # longer than the driver's read timeout: that is what is tried
    read += [piece async for piece in reading]
    assert b"".join(read) == content
    await driver.delete([key])


async def test_a_wrong_key_or_bucket_is_said(bucket: s3.Bucket) -> None:
    for wrong, reason in (
        (bucket._replace(secret_key="wrong"), "the bucket refuses the key"),
        (bucket._replace(name="other"), "there is no such bucket"),
    ):
        driver = in_bucket(wrong)
        with pytest.raises(StorageUnavailable, match=f"the bucket cannot be used: .*{reason}"):
            await driver.check()
        for attempt in (stored(driver, keys.segment(), 0, 1), driver.delete([keys.segment()])):
            with pytest.raises(StorageUnavailable, match=reason):
                await attempt


@pytest.mark.parametrize(
    "storage",
    [
        Storage(kind="s3", bucket="b", region="eu-west-1", access_key="k", secret_key="s"),
        Storage(kind="s3", bucket="b", endpoint="http://127.0.0.1:1", options={"virtual_hosted_style_request": "true"}),
        Storage(kind="gcs", bucket="b", options={"skip_signature": "true"}),
        Storage(kind="azure", bucket="b", access_key="account", secret_key="c2VjcmV0"),
    ],
)
def test_each_kind_of_bucket_is_opened_from_its_settings(storage: Storage) -> None:
    assert isinstance(from_settings(storage), CanPresign)


@pytest.mark.parametrize(
    ("storage", "reason"),
    [
        (Storage(kind="s3", bucket="b", options={"colour": "red"}), "storage: the s3 client refuses .*colour"),
        (Storage(kind="azure", bucket="b", access_key="a", secret_key="?"), "storage: the azure client refuses"),
        (Storage(kind="s3", bucket="b", ca_bundle="/nowhere/ca.pem"), "storage.ca_bundle: /nowhere/ca.pem"),
    ],
)
def test_settings_that_cannot_be_right_stop_the_start(storage: Storage, reason: str) -> None:
    with pytest.raises(StartError, match=reason):
        from_settings(storage)
