"""Every driver, over real places for bytes."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from obstore.store import LocalStore

from mooring.settings import Storage
from mooring.storage.driver import Driver
from mooring.storage.filesystem import Filesystem
from mooring.storage.objectstore import ObjectStore, from_settings
from tests.parts import s3

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def moto() -> Iterator[s3.Bucket]:
    with s3.moto() as bucket:
        yield bucket


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory: tmpfs knows fewer system calls than a disk's file system."""
    if not MEMORY.is_dir():
        pytest.skip(f"{MEMORY} is not on this machine")
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="mooring-") as folder:
        yield Path(folder)


def in_bucket(bucket: s3.Bucket, prefix: str = "") -> ObjectStore:
    """The driver as the settings make it, under a prefix that no other test uses."""
    return from_settings(
        Storage(
            kind="s3",
            bucket=bucket.name,
            prefix=prefix or uuid4().hex,
            endpoint=bucket.endpoint,
            region=s3.REGION,
            access_key=bucket.access_key,
            secret_key=bucket.secret_key,
        )
    )


KINDS: dict[str, Callable[[pytest.FixtureRequest], Driver]] = {
    "folder": lambda request: Filesystem(request.getfixturevalue("tmp_path") / "data"),
    "folder-in-memory": lambda request: Filesystem(request.getfixturevalue("memory") / "data"),
    "moto": lambda request: in_bucket(request.getfixturevalue("moto")),
    "versitygw": lambda request: in_bucket(request.getfixturevalue("bucket")),
    # obstore's own folder refuses to delete what is not there, as GCS and Azure do.
    "local-store": lambda request: ObjectStore(LocalStore(request.getfixturevalue("tmp_path"))),  # type: ignore[arg-type]
}


@pytest.fixture(params=KINDS)
async def driver(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    """Each driver in turn, empty."""
    driver = KINDS[request.param](request)
    yield driver
    await driver.close()


@pytest.fixture(params=["moto", "versitygw"])
async def s3_driver(request: pytest.FixtureRequest) -> AsyncIterator[ObjectStore]:
    """The object store over each S3 server in turn, empty."""
    driver = KINDS[request.param](request)
    assert isinstance(driver, ObjectStore)
    yield driver
    await driver.close()


@pytest.fixture
def s3_bucket(request: pytest.FixtureRequest, s3_driver: ObjectStore) -> s3.Bucket:
    """The bucket that `s3_driver` writes to."""
    kind = request.node.callspec.params["s3_driver"]
    bucket = request.getfixturevalue("moto" if kind == "moto" else "bucket")
    assert isinstance(bucket, s3.Bucket)
    return bucket


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Filesystem]:
    """The folder driver over `tmp_path`."""
    driver = Filesystem(tmp_path)
    yield driver
    await driver.close()
