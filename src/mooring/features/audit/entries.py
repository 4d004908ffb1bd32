"""Acts in Harbor's words: people and their scripts search for them."""

from typing import Final

from mooring.features.audit.records import Entry

_CHANGES: Final = {
    "password": ", change user password",
    "sysadmin flag": ", add/remove user as system administrator",
}


def project(operation: str, name: str, project_id: int) -> Entry:
    return Entry(operation, "project", name, f"{operation} project: {name}", project_id)


def member(operation: str, name: str, project: str, project_id: int, *, is_group: bool = False) -> Entry:
    whom = f"{'group' if is_group else 'user'} member {name}"
    return unknown_member(operation, whom, name, project, project_id)


def unknown_member(operation: str, whom: str, resource: str, project: str, project_id: int) -> Entry:
    """Of somebody of whom no more is known than `whom` says."""
    joint = "from" if operation == "delete" else "in"
    return Entry(operation, "member", resource, f"{operation} {whom} {joint} project {project}", project_id)


def user(operation: str, name: str, what: str = "") -> Entry:
    """`what` is what changed, as UserChanged has it."""
    return Entry(operation, "user", name, f"{operation} user with name: {name}{_CHANGES.get(what, '')}")


def session(operation: str, name: str, *, succeeded: bool = True) -> Entry:
    return Entry(operation, "user", name, operation, succeeded=succeeded)


def personal_token(operation: str, name: str, owner: str) -> Entry:
    return Entry(operation, "token", name, f"{operation} personal token: {name} of {owner}")


def robot(operation: str, name: str, project_id: int) -> Entry:
    return Entry(operation, "robot", name, f"{operation} robot: {name}", project_id)


def configuration() -> Entry:
    return Entry("update", "configuration", "configuration", "update configuration")


def repository(operation: str, name: str, project_id: int) -> Entry:
    return Entry(operation, "repository", name, f"{operation} repository: {name}", project_id)


def pushed(repository: str, digest: str, tag: str, project_id: int) -> Entry:
    """`tag` is empty for a push by digest."""
    address = f"{repository}@{digest}"
    return Entry("create", "artifact", _named(repository, digest, tag), f"push artifact: {address}", project_id)


def pulled(repository: str, digest: str, tag: str, project_id: int) -> Entry:
    """`tag` is empty for a pull by digest."""
    address = f"{repository}@{digest}"
    return Entry("pull", "artifact", _named(repository, digest, tag), f"pull artifact: {address}", project_id)


def deleted(repository: str, digest: str, project_id: int) -> Entry:
    address = f"{repository}@{digest}"
    return Entry("delete", "artifact", address, f"delete artifact: {address}", project_id)


def tag(operation: str, repository: str, name: str, project_id: int) -> Entry:
    resource = f"{repository}:{name}"
    return Entry(operation, "tag", resource, f"{operation} tag: {resource}", project_id)


def _named(repository: str, digest: str, tag: str) -> str:
    return f"{repository}:{tag}" if tag else f"{repository}@{digest}"
