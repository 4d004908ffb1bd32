"""Settings: where they come from, which goes first, and what is said about those that are wrong."""

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from mooring import settings
from mooring.core.errors import StartError
from mooring.settings import Https, Settings
from mooring.settings.convert import paths
from mooring.settings.sources import variable

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "settings.md"

# The keys of Harbor's template, with the values it ships.
HARBOR = """\
hostname: reg.mydomain.com
http:
  port: 80
harbor_admin_password: Harbor12345
database:
  password: root123
  max_idle_conns: 100
  max_open_conns: 900
  conn_max_lifetime: 5m
  conn_max_idle_time: 0
data_volume: /data
trivy:
  ignore_unfixed: false
  timeout: 5m0s
jobservice:
  max_job_workers: 10
  job_loggers:
    - STD_OUTPUT
    - FILE
notification:
  webhook_job_max_retry: 5
log:
  level: warning
  local:
    rotate_count: 50
    location: /var/log/harbor
_version: 2.15.0
proxy:
  http_proxy:
  components:
    - core
network:
  allow_private_network_access: true
upload_purging:
  enabled: true
  age: 48h
  interval: 24h
  dryrun: false
cache:
  enabled: false
  expire_hours: 24
"""


Load = Callable[..., tuple[Settings, list[str]]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a file of this text and name, an environment and flags."""

    def load(
        text: str | None = None, name: str = "mooring.yml", environ: dict[str, str] | None = None, **flags: object
    ):
        path = None
        if text is not None:
            path = tmp_path / name
            path.write_text(text)
        return settings.load(path, environ or {}, {key.replace("__", "."): value for key, value in flags.items()})

    return load


def test_nothing_needs_to_be_set(load: Load) -> None:
    loaded, notices = load()
    assert notices == []
    assert (loaded.http.port, loaded.https) == (8080, None)
    assert loaded.database_url == f"sqlite:///{loaded.data_volume}/mooring.db"
    assert loaded.storage_root == loaded.data_volume
    assert loaded.shutdown_timeout == 60


def test_flags_go_before_the_environment_and_that_before_the_file(load: Load) -> None:
    text = "http:\n  port: 1\n  host: a.example\nhostname: file\ndata_volume: /file\n"
    environ = {"MOORING_HTTP__PORT": "2", "MOORING_HOSTNAME": "environment"}
    loaded, _ = load(text, environ=environ, http__port=3, http__host=None)
    assert (loaded.http.port, loaded.http.host) == (3, "a.example")
    assert (loaded.hostname, loaded.data_volume) == ("environment", "/file")


def test_text_stays_what_was_written(load: Load) -> None:
    loaded, _ = load("admin_password: 0123\nrobot_name_prefix: 'yes'\n")
    assert (loaded.admin_password, loaded.robot_name_prefix) == ("0123", "yes")


@pytest.mark.parametrize(
    ("text", "seconds"), [("168h", 604_800), ("5m0s", 300), ("90", 90), ("1.5h", 5400), ("2d", 172_800)]
)
def test_durations(load: Load, text: str, seconds: int) -> None:
    assert load(f"shutdown_timeout: {text}")[0].shutdown_timeout == seconds


def test_a_section_from_the_environment_alone(load: Load) -> None:
    loaded, _ = load(environ={"MOORING_HTTPS__CERTIFICATE": "/c", "MOORING_HTTPS__PRIVATE_KEY": "/k"})
    assert loaded.https == Https(certificate="/c", private_key="/k")


def test_relative_paths_count_from_where_they_stand(load: Load, tmp_path: Path) -> None:
    loaded, _ = load("https:\n  certificate: tls/a.crt\n", environ={"MOORING_HTTPS__PRIVATE_KEY": "b.key"})
    assert loaded.https
    assert loaded.https.certificate == str(tmp_path / "tls" / "a.crt")
    assert loaded.https.private_key == str(Path.cwd() / "b.key")


def test_lists_and_options(load: Load) -> None:
    text = "trusted_proxies:\n  - 10.0.0.0/8\n  - 192.0.2.1\nstorage:\n  options:\n    timeout: 5s\n"
    loaded, _ = load(text, environ={"MOORING_STORAGE__OPTIONS__SSE": "aws:kms"})
    assert loaded.trusted_proxies == ["10.0.0.0/8", "192.0.2.1"]
    assert loaded.storage.options == {"timeout": "5s", "sse": "aws:kms"}
    assert load(environ={"MOORING_TRUSTED_PROXIES": "10.0.0.0/8, ::1"})[0].trusted_proxies == ["10.0.0.0/8", "::1"]


NUMBER = "a number from 1 to 65535"
DURATION = "a number of seconds, or a duration such as 90s, 5m or 168h"
NETWORKS = "a list of networks such as 10.0.0.0/8"


@pytest.mark.parametrize(
    ("text", "found", "allowed"),
    [
        ("http:\n  port: eighty", "line 2: http.port is 'eighty'", NUMBER),
        ("http:\n  port: 70000", "line 2: http.port is '70000'", NUMBER),
        ("http:\n  port: [80]", "line 2: http.port is ['80']", NUMBER),
        ("storage:\n  redirect: maybe", "line 2: storage.redirect is 'maybe'", "true or false"),
        ("storage:\n  options: a", "line 2: storage.options is 'a'", "a section of `name: text` lines"),
        ("log:\n  level: loud", "line 2: log.level is 'loud'", "one of debug, error, fatal, info, warning"),
        ("upload_purging:\n  age: 1h", "line 2: upload_purging.age is '1h'", "two hours or more, such as 168h"),
        ("shutdown_timeout: soon", "line 1: shutdown_timeout is 'soon'", DURATION),
        ("trusted_proxies: [10.0.0.0/40]", "line 1: trusted_proxies is ['10.0.0.0/40']", NETWORKS),
        ("external_url: a", "line 1: external_url is 'a'", "an address such as https://registry.example.com"),
        ("robot_name_prefix: ''", "line 1: robot_name_prefix is ''", "text of 1 to 64 characters"),
    ],
)
def test_a_wrong_value_is_said_with_what_is_allowed(load: Load, text: str, found: str, allowed: str) -> None:
    with pytest.raises(StartError) as caught:
        load(text)
    assert str(caught.value) == f"mooring.yml {found}; allowed is {allowed}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("http:\n  prot: 80", "line 2: http.prot is not a setting (did you mean http.port?)"),
        ("\nhttp: 80", "line 2: http is '80'; it is a section, with host, port in it"),
        ("hostname: a\nhostname: b", "line 2: hostname stands here for the second time; keep one of them"),
        ("https:\n  certificate: /c", "line 2: https.private_key is missing and has no default"),
        ("- a", "line 1: settings are `key: value` lines"),
        ("a: [", "line 1: this is not YAML: expected the node content, but found '<stream end>'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(load: Load, text: str, sentence: str) -> None:
    with pytest.raises(StartError) as caught:
        load(text)
    assert str(caught.value) == f"mooring.yml {sentence}"


def test_a_secret_is_not_in_the_sentence(load: Load) -> None:
    with pytest.raises(StartError) as caught:
        load("database:\n  url: mysql://user:very-secret@host/name")
    assert "very-secret" not in str(caught.value)
    assert "mooring.yml line 2: database.url is ***; allowed is postgresql://" in str(caught.value)


def test_a_variable_that_is_no_setting_is_named(load: Load) -> None:
    _, notices = load(
        environ={"MOORING_HTTP__PROT": "1", "MOORING_PORT_8080_TCP": "tcp://10.0.0.1:8080", "PATH": "/bin"}
    )
    assert notices == [
        "the environment variable MOORING_HTTP__PROT is no setting (did you mean MOORING_HTTP__PORT?); it is ignored"
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be read: No such file or directory"):
        settings.load(tmp_path / "nothing.yml", {}, {})


def test_a_harbor_yml_as_it_is(load: Load) -> None:
    loaded, notices = load(HARBOR, name="harbor.yml")
    assert loaded.hostname == "reg.mydomain.com"
    assert (loaded.http.port, loaded.https) == (80, None)
    assert (loaded.admin_password, loaded.data_volume, loaded.log.level) == ("Harbor12345", "/data", "warning")
    assert (loaded.upload_purging.age, loaded.upload_purging.interval) == (172_800, 86_400)
    assert loaded.database_url == "sqlite:////data/mooring.db"
    assert loaded.notification.webhook_job_max_retry == 5
    assert not loaded.metric.enabled
    assert loaded.proxy.http_proxy == loaded.proxy.https_proxy == ""
    assert "10.0.0.0/8" in loaded.outgoing.allow
    unused = ["trivy", "jobservice.job_loggers", "log.local"]
    assert notices[: len(unused)] == [f"harbor.yml: `{name}` is not used yet" for name in unused]
    assert notices[-2].startswith("harbor.yml line 5: `database` is about the PostgreSQL that Harbor brings along")
    assert notices[-1].startswith("harbor.yml line 4: harbor_admin_password is Harbor12345, which everybody knows")
    assert len(notices) == len(unused) + 2


def test_harbors_metrics_are_at_the_same_place(load: Load) -> None:
    loaded, notices = load("_version: 2.15.0\nmetric:\n  enabled: true\n  port: 9091\n  path: /figures\n")
    assert (loaded.metric.enabled, loaded.metric.port, loaded.metric.path, notices) == (True, 9091, "/figures", [])


def test_harbors_proxy_is_asked_for_what_is_sent(load: Load) -> None:
    proxy = "proxy:\n  http_proxy: http://me:pass-word@proxy:3128\n  no_proxy: .corp.example\n  components: [core]\n"
    loaded, notices = load(f"_version: 2.15.0\n{proxy}")
    assert loaded.proxy.http_proxy == "http://me:pass-word@proxy:3128"
    assert (loaded.proxy.https_proxy, loaded.proxy.no_proxy, notices) == ("", ".corp.example", [])
    assert "pass-word" not in repr(loaded)


def test_harbors_variables_about_webhooks_are_read(load: Load) -> None:
    loaded, _ = load(
        environ={"JOBSERVICE_WEBHOOK_JOB_MAX_RETRY": "7", "JOBSERVICE_WEBHOOK_JOB_HTTP_CLIENT_TIMEOUT": "9"}
    )
    assert loaded.notification.webhook_job_max_retry == 7
    assert loaded.notification.webhook_job_http_client_timeout == 9


def test_the_external_host_is_the_external_urls_or_the_host_with_its_port(load: Load) -> None:
    assert load("hostname: reg.example\n")[0].external_host == "reg.example:8080"
    assert load("hostname: reg.example\nhttp:\n  port: 80\n")[0].external_host == "reg.example"
    assert load("external_url: https://reg.example:8443/\n")[0].external_host == "reg.example:8443"


def test_a_harbor_yml_is_known_by_its_keys(load: Load) -> None:
    assert load("harbor_admin_password: a\n", name="settings.yml")[0].http.port == 80


@pytest.mark.parametrize("key", ["trace", "cache", "internal_tls"])
def test_what_harbor_has_switched_on_is_named_and_what_is_off_is_not(load: Load, key: str) -> None:
    on = load(f"_version: 2.15.0\n{key}:\n  enabled: true\n")[1]
    assert on == [f"mooring.yml: `{key}` is not used yet"]
    assert load(f"_version: 2.15.0\n{key}:\n  enabled: false\n")[1] == []


def test_harbors_external_database(load: Load) -> None:
    text = """\
external_database:
  harbor:
    host: db.example
    port: 5433
    db_name: registry
    username: har:bor
    password: p@ss/word
    ssl_mode: require
    max_idle_conns: 2
"""
    loaded, notices = load(text)
    assert loaded.database_url == "postgresql://har%3Abor:p%40ss%2Fword@db.example:5433/registry?sslmode=require"
    assert notices == ["mooring.yml line 9: `external_database.harbor.max_idle_conns` is not used yet"]


def test_harbors_object_store(load: Load) -> None:
    text = """\
storage_service:
  ca_bundle: /ca.pem
  s3:
    accesskey: key
    secretkey: word
    region: here
    regionendpoint: http://store.example
    bucket: layers
    rootdirectory: /harbor
    chunksize: 5242880
  redirect:
    disable: true
"""
    loaded, notices = load(text)
    storage = loaded.storage
    assert (storage.kind, storage.bucket, storage.prefix, storage.region) == ("s3", "layers", "/harbor", "here")
    assert (storage.access_key, storage.secret_key, storage.endpoint) == ("key", "word", "http://store.example")
    assert (storage.ca_bundle, storage.redirect) == ("/ca.pem", False)
    assert notices == ["mooring.yml line 10: `storage_service.s3.chunksize` is not used yet"]


EXTERNAL = "external_database:\n  harbor:\n    host: a\n    db_name: b\n    username: c\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("http:\n  port: many\n_version: 2.15.0", "line 2: http.port is 'many'"),
        ("_version: 2.15.0\nharbor_admin_pasword: a", "line 2: harbor_admin_pasword is no key of a harbor.yml"),
        ("storage_service:\n  swift:\n    region: a", "line 2: storage_service.swift is not to be had"),
        ("storage_service:\n  s3:\n    region: a", "line 2: storage_service.s3.bucket is missing and has no default"),
        ("storage_service:\n  azure:\n    container:", "line 2: storage_service.azure.container is missing"),
        (
            "storage_service:\n  filesystem:\n    maxthreads: 9\n  gcs:\n    bucket: a",
            "line 1: storage_service names filesystem and gcs; keep one of them",
        ),
        ("external_database:\n  harbor:\n    host: a", "external_database.harbor.db_name is missing"),
        (
            EXTERNAL + "    ssl_mode: no",
            "line 6: external_database.harbor.ssl_mode is 'no'; allowed is one of",
        ),
        (EXTERNAL + "    port: many", "line 6: external_database.harbor.port is 'many'; allowed is a number from 1"),
    ],
)
def test_what_is_wrong_in_a_harbor_yml(load: Load, text: str, sentence: str) -> None:
    with pytest.raises(StartError, match=re.escape(sentence)):
        load(text)


def test_settings_travel_to_other_processes(load: Load) -> None:
    loaded, _ = load("https:\n  certificate: /c\n  private_key: /k\n")
    assert settings.decode(settings.encode(loaded)) == loaded


def test_secrets_are_not_printed(load: Load) -> None:
    environ = {
        "MOORING_ADMIN_PASSWORD": "hidden-word",
        "MOORING_STORAGE__SECRET_KEY": "hidden-word",
        "MOORING_DATABASE__URL": "postgresql://mooring:hidden-word@db/mooring",
    }
    printed = repr(load(environ=environ)[0])
    assert "hidden-word" not in printed
    assert printed.count("***") == 3
    assert "port=8080" in printed


@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1))
def test_no_value_of_a_number_ends_in_a_traceback(text: str) -> None:
    with contextlib.suppress(StartError):
        loaded, _ = settings.load(None, {"MOORING_HTTP__PORT": text}, {})
        assert 1 <= loaded.http.port <= 65535


def test_the_page_for_administrators_has_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `([a-z._]+)` \| `([A-Z_<>]+)` \|([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    named = {name: variable_name for name, variable_name, _ in rows}
    assert named == {
        ".".join(path): variable(path) + ("__<NAME>" if path[-1] == "options" else "") for path in paths(Settings)
    }
    defaults = {name: default.strip().strip("`") for name, _, default in rows}
    for name, value in _plain_defaults():
        assert defaults[name] == value, name


def _plain_defaults() -> list[tuple[str, str]]:
    """Every default that is a plain value, as text."""
    loaded = Settings(data_volume="", https=Https(certificate="", private_key=""))
    durations = {"gc_time_window": "2h", "upload_purging.age": "168h", "upload_purging.interval": "24h"}
    found = []
    for path in paths(Settings):
        value: object = loaded
        for name in path:
            value = getattr(value, name)
        if isinstance(value, bool | int | str) and path != ("data_volume",):
            key = ".".join(path)
            found.append((key, durations.get(key, str(value).lower() if isinstance(value, bool) else str(value))))
    assert len(found) > len(structs.fields(Settings))
    return found
