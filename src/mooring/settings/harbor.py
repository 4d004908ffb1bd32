"""A harbor.yml read as it is: its keys in Mooring's words, and the name of every key that has no effect.

Keys and defaults are those of Harbor 2.16's make/harbor.yml.tmpl and the installer that reads it; keys of earlier
releases are known by name.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from mooring.core.errors import StartError
from mooring.settings.model import PRIVATE_NETWORKS
from mooring.settings.sources import Given, Section, nearest, put

# Keys that only a harbor.yml has.
_MARKS: Final = frozenset(
    {"_version", "harbor_admin_password", "storage_service", "external_database", "external_redis", "jobservice"}
)

_TRANSLATED: Final = {
    ("hostname",): ("hostname",),
    ("http", "port"): ("http", "port"),
    ("https", "port"): ("https", "port"),
    ("https", "certificate"): ("https", "certificate"),
    ("https", "private_key"): ("https", "private_key"),
    ("external_url",): ("external_url",),
    ("harbor_admin_password",): ("admin_password",),
    ("data_volume",): ("data_volume",),
    ("log", "level"): ("log", "level"),
    ("upload_purging", "enabled"): ("upload_purging", "enabled"),
    ("upload_purging", "age"): ("upload_purging", "age"),
    ("upload_purging", "interval"): ("upload_purging", "interval"),
    ("upload_purging", "dryrun"): ("upload_purging", "dryrun"),
    ("jobservice", "max_job_workers"): ("job_workers",),
    ("metric", "enabled"): ("metric", "enabled"),
    ("metric", "port"): ("metric", "port"),
    ("metric", "path"): ("metric", "path"),
    ("notification", "webhook_job_max_retry"): ("notification", "webhook_job_max_retry"),
    ("notification", "webhook_job_http_client_timeout"): ("notification", "webhook_job_http_client_timeout"),
    ("proxy", "http_proxy"): ("proxy", "http_proxy"),
    ("proxy", "https_proxy"): ("proxy", "https_proxy"),
    ("proxy", "no_proxy"): ("proxy", "no_proxy"),
    ("storage_service", "ca_bundle"): ("storage", "ca_bundle"),
    ("storage_service", "filesystem", "rootdirectory"): ("storage", "root"),
}

# Members of a storage driver's section, as distribution's configuration names them.
_BUCKETS: Final[dict[str, dict[str, str]]] = {
    "s3": {
        "accesskey": "access_key",
        "secretkey": "secret_key",
        "region": "region",
        "regionendpoint": "endpoint",
        "bucket": "bucket",
        "rootdirectory": "prefix",
    },
    "gcs": {"bucket": "bucket", "rootdirectory": "prefix", "keyfile": "options.service_account"},
    "azure": {
        "accountname": "access_key",
        "accountkey": "secret_key",
        "container": "bucket",
        "rootdirectory": "prefix",
    },
}

# What later parts of Mooring will read, what only Harbor's own containers need, and what Harbor itself has given up.
_UNUSED: Final = frozenset({
    "cache", "chart", "clair", "core", "external_redis", "internal_tls", "ip_family", "jobservice", "log",
    "network", "notary", "redis", "trace", "trivy", "uaa",
})  # fmt: skip

# What is read as a whole, below.
_ELSEWHERE: Final = frozenset({"database", "external_database", "storage_service", "_version"})

_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def is_harbor(path: Path, section: Section) -> bool:
    """Whether the file is a harbor.yml: by its name, or by keys that only it has."""
    return path.name.startswith("harbor.y") or not _MARKS.isdisjoint(section)


def translate(section: Section) -> tuple[Section, list[str]]:
    """Mooring's settings in a harbor.yml, and a sentence for each key without effect. Raises StartError."""
    settings: Section = {}
    notices: list[str] = []
    _defaults(section, settings)
    for path, given in _leaves(section):
        if path in _TRANSLATED:
            put(settings, _TRANSLATED[path], given)
        elif path[0] in _ELSEWHERE or path == ("proxy", "components") or given.value is None:
            continue
        elif path == ("network", "allow_private_network_access"):
            if given.value == "true":
                put(settings, ("outgoing", "allow"), given._replace(value=",".join(PRIVATE_NETWORKS)))
        elif path[0] in _UNUSED or path == ("https", "strong_ssl_ciphers"):
            notices.append(_unused(given, path))
        else:
            raise StartError(f"{given.where}: {given.key} is no key of a harbor.yml{nearest(given.key, _known())}")
    notices += _database(section, settings) + _storage(section, settings)
    if (password := section.get("harbor_admin_password")) is not None and password.value == "Harbor12345":
        notices.append(
            f"{password.where}: harbor_admin_password is Harbor12345, which everybody knows; change it after the start"
        )
    return settings, _once(notices)


def _defaults(section: Section, settings: Section) -> None:
    """Harbor's ports where the file names none."""
    for name, port in (("http", "80"), ("https", "443")):
        if (given := section.get(name)) is not None or name == "http":
            place = given or Given(None, "harbor.yml", name, Path.cwd())
            put(settings, (name, "port"), place._replace(value=port, key=f"{name}.port"))


def _leaves(section: Section, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Given]]:
    """Every value that is no section. A section that is switched off counts as said and done."""
    switch = section.get("enabled")
    if switch is not None and switch.value == "false" and above and above[0] in _UNUSED:
        return
    for name, given in section.items():
        if isinstance(given.value, dict):
            yield from _leaves(given.value, (*above, name))
        else:
            yield (*above, name), given


def _unused(given: Given, path: tuple[str, ...]) -> str:
    name = ".".join(path[:2]) if path[0] in {"log", "https", "jobservice"} else path[0]
    file = given.where.partition(" line")[0]
    return f"{file}: `{name}` is not used yet"


def _database(section: Section, settings: Section) -> list[str]:
    external = section.get("external_database")
    if external is None or not isinstance(external.value, dict):
        own = section.get("database")
        if own is None:
            return []
        return [
            f"{own.where}: `database` is about the PostgreSQL that Harbor brings along and is not used: "
            "data goes to SQLite in data_volume; name a PostgreSQL of yours in external_database"
        ]
    notices = [
        f"{given.where}: `external_database.{name}` is not used: everything is in one database, `harbor`"
        for name, given in external.value.items()
        if name != "harbor"
    ]
    harbor = external.value.get("harbor")
    if harbor is None or not isinstance(harbor.value, dict):
        raise StartError(
            f"{external.where}: external_database needs a section `harbor` with host, db_name, username and password"
        )
    put(
        settings,
        ("database", "url"),
        harbor._replace(value=_postgresql(harbor.value, harbor.where), key="external_database.harbor"),
    )
    return notices + [
        f"{given.where}: `{given.key}` is not used yet"
        for name, given in harbor.value.items()
        if name in {"max_idle_conns", "max_open_conns", "conn_max_lifetime", "conn_max_idle_time"}
    ]


def _postgresql(members: Section, where: str) -> str:
    text = {name: given.value for name, given in members.items() if isinstance(given.value, str)}
    for name in ("host", "db_name", "username"):
        if not text.get(name):
            raise StartError(f"{where}: external_database.harbor.{name} is missing and has no default")
    mode = text.get("ssl_mode") or "disable"
    if mode not in _SSL_MODES:
        raise StartError(
            f"{members['ssl_mode'].where}: external_database.harbor.ssl_mode is {mode!r}; "
            f"allowed is one of {', '.join(_SSL_MODES)}"
        )
    port = text.get("port") or "5432"
    if not port.isdigit():
        raise StartError(
            f"{members['port'].where}: external_database.harbor.port is {port!r}; allowed is a number from 1 to 65535"
        )
    account = f"{quote(text['username'], safe='')}:{quote(text.get('password') or '', safe='')}"
    return (
        f"postgresql://{account}@{text['host']}:{port}/{quote(text['db_name'], safe='')}?{urlencode({'sslmode': mode})}"
    )


def _storage(section: Section, settings: Section) -> list[str]:
    service = section.get("storage_service")
    if service is None or not isinstance(service.value, dict):
        return []
    notices = []
    named = [name for name in service.value if name in _BUCKETS or name == "filesystem"]
    if len(named) > 1:
        raise StartError(f"{service.where}: storage_service names {' and '.join(named)}; keep one of them")
    for name, driver in service.value.items():
        members = driver.value if isinstance(driver.value, dict) else {}
        if name in _BUCKETS:
            _require_bucket(name, members, driver.where)
            put(settings, ("storage", "kind"), driver._replace(value=name, key="storage_service"))
            notices += _bucket(name, members, settings)
        elif name in {"swift", "oss"}:
            raise StartError(
                f"{driver.where}: storage_service.{name} is not to be had; "
                f"allowed is one of filesystem, {', '.join(_BUCKETS)}"
            )
        elif name == "redirect" and (disable := members.get("disable")) is not None:
            on = "true" if disable.value == "false" else "false"
            put(settings, ("storage", "redirect"), disable._replace(value=on))
        elif name == "filesystem":
            notices += [
                f"{given.where}: `{given.key}` is not used" for key, given in members.items() if key != "rootdirectory"
            ]
        elif name not in {"ca_bundle", "redirect"}:
            raise StartError(f"{driver.where}: {driver.key} is no key of a harbor.yml{nearest(name, _drivers())}")
    return notices


def _require_bucket(driver: str, members: Section, where: str) -> None:
    name = next(name for name, setting in _BUCKETS[driver].items() if setting == "bucket")
    if name not in members or not members[name].value:
        raise StartError(f"{where}: storage_service.{driver}.{name} is missing and has no default")


def _bucket(driver: str, members: Section, settings: Section) -> list[str]:
    notices = []
    for name, given in members.items():
        if name in _BUCKETS[driver]:
            put(settings, ("storage", *_BUCKETS[driver][name].split(".")), given)
        else:
            notices.append(f"{given.where}: `{given.key}` is not used yet")
    return notices


def _known() -> set[str]:
    return {".".join(path) for path in _TRANSLATED} | _UNUSED | _ELSEWHERE


def _drivers() -> list[str]:
    return ["filesystem", "redirect", "ca_bundle", *_BUCKETS]


def _once(notices: list[str]) -> list[str]:
    return list(dict.fromkeys(notices))
