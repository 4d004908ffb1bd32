"""The control API of all features, put together."""

from functools import partial
from typing import Any, Final

from litestar import Router
from litestar.di import Provide

from mooring.db.engine import Database
from mooring.features import gate
from mooring.features.allowlists import api as allowlists
from mooring.features.artifacts import api as artifacts
from mooring.features.artifacts import queries as artifact_queries
from mooring.features.artifacts.deletion import delete_repository
from mooring.features.audit import api as audit
from mooring.features.audit import purge_api
from mooring.features.audit.failures import Failures
from mooring.features.audit.service import Log
from mooring.features.blobs.content import read_whole
from mooring.features.configuration import api as configurations
from mooring.features.configuration.queries import Current
from mooring.features.gc import api as gc
from mooring.features.glossary import PARAMETERS
from mooring.features.groups import api as groups
from mooring.features.immutability import api as immutability
from mooring.features.labels import api as labels
from mooring.features.operations import api as operations
from mooring.features.projects import api as projects
from mooring.features.projects import member_api, metadata_api
from mooring.features.quotas import api as quotas
from mooring.features.quotas.service import Quotas
from mooring.features.repositories import api as repositories
from mooring.features.repositories import queries as repository_queries
from mooring.features.retention import api as retention
from mooring.features.robots import api as robots
from mooring.features.robots import legacy_api
from mooring.features.signin import api as personal_tokens
from mooring.features.signin import browser_api
from mooring.features.signin.service import SignIn
from mooring.features.system import api as system
from mooring.features.system import directory_api, overview_api, permission_api
from mooring.features.system.health import Health, Probe, probes
from mooring.features.users import api as users
from mooring.features.users import queries as people
from mooring.features.webhooks import api as webhooks
from mooring.features.webhooks import jobs_api
from mooring.http import api
from mooring.http.exchange import ASGIApp, Origin
from mooring.settings import Settings
from mooring.storage.driver import Driver

# By the tags that the API's description groups them by.
_FEATURES: Final = (
    ("user", users),
    ("user", personal_tokens),
    ("project", projects),
    ("member", member_api),
    ("projectMetadata", metadata_api),
    ("usergroup", groups),
    ("robot", robots),
    ("robotv1", legacy_api),
    ("label", labels),
    ("quota", quotas),
    ("repository", repositories),
    ("artifact", artifacts),
    ("immutable", immutability),
    ("Retention", retention),
    ("webhook", webhooks),
    ("webhookjob", jobs_api),
    ("auditlog", audit),
    ("purge", purge_api),
    ("jobservice", operations),
    ("configure", configurations),
    ("SystemCVEAllowlist", allowlists),
    ("systeminfo", system),
    ("search", overview_api),
    ("permissions", permission_api),
    ("ldap", directory_api),
    ("gc", gc),
)


def build_api(
    settings: Settings,
    db: Database,
    configuration: Current,
    signin: SignIn,
    log: Log,
    driver: Driver,
) -> ASGIApp:
    """The ASGI application under /api."""
    here: dict[str, Probe] = {"core": _here, "portal": _here, "registry": driver.check}
    limits = Quotas(db, configuration)
    origin = Origin(settings.external_url, settings.trusted_proxies)
    constants: dict[str, Any] = {
        "db": db,
        "settings": settings,
        "configuration": configuration,
        "vault": configuration.vault,
        "signin": signin,
        "read_blob": partial(read_whole, driver),
        "quotas": limits,
        "passwords": signin.passwords,
        "origin": origin,
        "health": Health(probes(db.reader, driver) | here),
        # What features below those that know are handed (docs/adr/0006).
        "count_repositories": repository_queries.count,
        "count_artifacts": artifact_queries.count,
        "people_exist": people.others_exist,
        "delete_repository": delete_repository,
        "begin_quota": limits.begin,
        "read_quota": limits.shown,
    }
    dependencies = {name: api.constant(value) for name, value in constants.items()}
    dependencies["actor"] = Provide(gate.actor, sync_to_thread=False)
    dependencies["project"] = Provide(gate.project, sync_to_thread=False)
    handlers = [Router("/", route_handlers=feature.HANDLERS, opt={"tag": tag}) for tag, feature in _FEATURES]
    roots = [*system.ROOT_HANDLERS, *browser_api.HANDLERS]
    entrance = gate.Gate(db, configuration, signin, origin)
    return Failures(api.build(handlers, roots, entrance, dependencies, PARAMETERS), db, log, entrance.identify)


async def _here() -> None:
    """This process answers, so this part of it does."""
