"""What can be set, and what holds when it is not. docs/operations/settings.md says the same to administrators."""

from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

Port = Annotated[int, Meta(ge=1, le=65535)]
# Written as a number of seconds or as Harbor writes durations: 90s, 5m0s, 168h.
Seconds = Annotated[int, Meta(ge=0, extra={"is_duration": True})]
# A relative path counts from the folder of the file that gives it, elsewhere from the working directory.
FilePath = Annotated[str, Meta(extra={"is_path": True})]
Secret = Annotated[str, Meta(extra={"is_secret": True})]
Url = Annotated[
    str, Meta(pattern=r"^(https?://[^/\s]+/?)?$", extra={"allowed": "an address such as https://registry.example.com"})
]
DatabaseUrl = Annotated[
    str,
    Meta(
        pattern=r"^(postgresql://.+|sqlite:////.+)?$",
        extra={"is_secret": True, "allowed": "postgresql://user:password@host:5432/name or sqlite:////absolute/path"},
    ),
]
ProxyUrl = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[^/\s]+/?)?$",
        extra={"is_secret": True, "allowed": "an address such as http://user:password@proxy.example.com:3128"},
    ),
]
Networks = Annotated[list[str], Meta(extra={"is_networks": True})]

PRIVATE_NETWORKS: Final = (
    "127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10",
)  # fmt: skip


# The addresses of the database and of proxies may hold a password.
_SECRETS: Final = frozenset(
    {"url", "http_proxy", "https_proxy", "secret_key", "admin_password", "config_overwrite_json"}
)


class Section(Struct, frozen=True, kw_only=True):
    """Settings that belong together; printed, secrets show as `***`."""

    def __repr__(self) -> str:
        members = ((name, getattr(self, name)) for name in self.__struct_fields__)
        shown = (f"{name}={'***' if name in _SECRETS and value else repr(value)}" for name, value in members)
        return f"{type(self).__name__}({', '.join(shown)})"


class Http(Section, frozen=True, kw_only=True):
    """The plain listener. With https on, it only redirects there."""

    host: str = "0.0.0.0"  # noqa: S104 - a registry is there to be reached
    port: Port = 8080


class Https(Section, frozen=True, kw_only=True):
    """The TLS listener, on when its section is given.

    The certificate, with its chain, and the key are PEM files; SIGHUP has them read again.
    """

    host: str = "0.0.0.0"  # noqa: S104
    port: Port = 8443
    certificate: FilePath
    private_key: FilePath


class Database(Section, frozen=True, kw_only=True):
    """`url` is empty for the SQLite file in the data folder. Of PostgreSQL's connections one process opens
    at most `connections` for transactions that write, and half as many each for lists and for reads on the event loop.
    """

    url: DatabaseUrl = ""
    connections: Annotated[int, Meta(ge=1, le=1000)] = 8
    synchronous: Literal["full", "normal"] = "full"


class Storage(Section, frozen=True, kw_only=True):
    """Where blobs are.

    `root` is the folder that holds `blobs/`; empty means the data folder. The other members are the object store's;
    `options` goes to its client as it is. `redirect` sends clients to signed addresses of the store instead of passing
    the bytes on.
    """

    kind: Literal["filesystem", "s3", "gcs", "azure"] = "filesystem"
    root: FilePath = ""
    fsync: Literal["always", "never"] = "always"
    bucket: str = ""
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    access_key: str = ""
    secret_key: Secret = ""
    ca_bundle: FilePath = ""
    redirect: bool = False
    options: dict[str, str] = field(default_factory=dict)


class UploadPurging(Section, frozen=True, kw_only=True):
    """Uploads that nobody has continued for `age` are dropped; looked for once in an `interval`."""

    enabled: bool = True
    age: Annotated[int, Meta(ge=7200, extra={"is_duration": True, "allowed": "two hours or more, such as 168h"})] = (
        7 * 86_400
    )
    interval: Annotated[int, Meta(ge=60, extra={"is_duration": True, "allowed": "a minute or more, such as 24h"})] = (
        86_400
    )
    dryrun: bool = False


class Notification(Section, frozen=True, kw_only=True):
    """How often a webhook is tried in all, and how long its receiver has to answer each time."""

    webhook_job_max_retry: Annotated[int, Meta(ge=1, le=100)] = 3
    webhook_job_http_client_timeout: Annotated[
        int, Meta(ge=1, le=300, extra={"is_duration": True, "allowed": "one second to 5m"})
    ] = 3


class Outgoing(Section, frozen=True, kw_only=True):
    """Requests that Mooring sends go to public addresses, and to the private networks in `allow`."""

    allow: Networks = field(default_factory=list)


class Proxy(Section, frozen=True, kw_only=True):
    """The proxy that requests go through which Mooring sends; `no_proxy` names what is reached without it: hosts,
    `.suffixes` and networks, separated by commas.
    """

    http_proxy: ProxyUrl = ""
    https_proxy: ProxyUrl = ""
    no_proxy: str = ""


class Metric(Section, frozen=True, kw_only=True):
    """The listener for Prometheus. `tls` has it speak https with the certificate of `https`."""

    enabled: bool = False
    host: str = "0.0.0.0"  # noqa: S104
    port: Port = 9090
    path: Annotated[str, Meta(pattern=r"^/[^\s?#]*$", extra={"allowed": "a path such as /metrics"})] = "/metrics"
    tls: bool = False


class Log(Section, frozen=True, kw_only=True):
    """`auto` is for people on a terminal and JSON otherwise. `access` writes a line for each request."""

    level: Literal["debug", "info", "warning", "error", "fatal"] = "info"
    format: Literal["auto", "console", "json"] = "auto"
    access: bool = False


class Settings(Section, frozen=True, kw_only=True):
    """Everything that a start of Mooring is told.

    `external_url` is how clients reach this installation, empty to take it from each request, which is believed about
    X-Forwarded-Proto, -Host and -For when it comes from one of `trusted_proxies`. `workers` is the number of web
    processes, 0 for one for each core. `shutdown_timeout` is what requests under way get at the end. `admin_password`
    counts at the first start only. `token_expiration` is in minutes. `sparse_manifests` accepts manifests and indexes
    that name content which the repository lacks. `job_workers` is how many jobs one jobs
    process runs at once. `gc_time_window`, in seconds, is how long garbage collection leaves
    alone what somebody has just asked for. `config_overwrite_json` is an object of keys of the configuration,
    which nobody changes over the API while it is given.
    """

    hostname: str = "localhost"
    external_url: Url = ""
    http: Http = field(default_factory=Http)
    https: Https | None = None
    data_volume: FilePath
    database: Database = field(default_factory=Database)
    storage: Storage = field(default_factory=Storage)
    workers: Annotated[int, Meta(ge=0, le=256)] = 0
    shutdown_timeout: Annotated[int, Meta(ge=1, extra={"is_duration": True})] = 60
    trusted_proxies: Networks = field(default_factory=lambda: list(PRIVATE_NETWORKS))
    admin_password: Secret | None = None
    robot_name_prefix: Annotated[str, Meta(min_length=1, max_length=64)] = "robot$"
    token_expiration: Annotated[int, Meta(ge=1, le=525_600)] = 30
    sparse_manifests: bool = False
    job_workers: Annotated[int, Meta(ge=1, le=1000)] = 10
    gc_time_window: Seconds = 7200
    config_overwrite_json: Secret | None = None
    upload_purging: UploadPurging = field(default_factory=UploadPurging)
    notification: Notification = field(default_factory=Notification)
    outgoing: Outgoing = field(default_factory=Outgoing)
    proxy: Proxy = field(default_factory=Proxy)
    log: Log = field(default_factory=Log)
    metric: Metric = field(default_factory=Metric)

    @property
    def database_url(self) -> str:
        """The database's address; it may hold a password."""
        return self.database.url or f"sqlite:///{self.data_volume}/mooring.db"

    @property
    def sqlite_file(self) -> Path | None:
        """The database's file; None with PostgreSQL."""
        scheme, _, path = self.database_url.partition(":///")
        return Path(path) if scheme == "sqlite" else None

    @property
    def own_address(self) -> tuple[str, int]:
        """Where a program on this machine reaches the listener that answers clients."""
        listener = self.https or self.http
        return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(listener.host, listener.host), listener.port  # noqa: S104

    @property
    def external_host(self) -> str:
        """`host[:port]` that clients reach this installation at, as far as settings tell."""
        if self.external_url:
            return self.external_url.partition("://")[2].rstrip("/")
        listener, usual = (self.https, 443) if self.https else (self.http, 80)
        return self.hostname if listener.port == usual else f"{self.hostname}:{listener.port}"

    @property
    def storage_root(self) -> str:
        """The folder that holds `blobs/` when storage is a folder."""
        return self.storage.root or self.data_volume
