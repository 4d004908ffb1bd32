"""What the data plane's handlers work with."""

from msgspec import Struct

from mooring.db.engine import Database
from mooring.features.configuration.queries import Current
from mooring.features.quotas.service import Quotas
from mooring.features.signin.service import SignIn
from mooring.http.exchange import Origin
from mooring.registry.bearer import Tokens
from mooring.registry.buffer import Buffer
from mooring.registry.cache import ByteCache
from mooring.registry.gate import Gate
from mooring.storage.driver import Driver
from mooring.storage.uploads import RunningHashes


class Registry(Struct, frozen=True):
    """The parts that one process's data plane is made of; app.py puts them together."""

    db: Database
    driver: Driver
    configuration: Current
    quotas: Quotas
    signin: SignIn
    tokens: Tokens
    gate: Gate
    origin: Origin
    manifests: ByteCache
    hashes: RunningHashes
    buffer: Buffer
    redirect: bool  # blobs by signed addresses, where the driver can
    sparse: bool  # manifests may name what the repository lacks
