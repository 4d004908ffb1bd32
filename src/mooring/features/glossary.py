"""What the parameters of the API mean; the published description says it of each."""

from collections.abc import Mapping
from typing import Final

from mooring.http.description import Meaning

_FLAG: Final = "boolean"

PARAMETERS: Final[Mapping[str, Meaning]] = {
    "X-Request-Id": Meaning("An id for this request, which the answer and the log repeat"),
    "X-Is-Resource-Name": Meaning("Whether what looks like an id of a project is its name", _FLAG),
    "X-Resource-Name-In-Location": Meaning("Whether Location names the project instead of giving its id", _FLAG),
    "page": Meaning("Which page, from 1"),
    "page_size": Meaning("How many there are on a page; 0 for all"),
    "q": Meaning(
        "What to look for, separated by commas: `name=exact`, `name=~part`, a range `time=[from~to]`, any of "
        "`name={a b}`, all of `name=(a b)`"
    ),
    "sort": Meaning("What to sort by, separated by commas, `-` before what goes downwards"),
    "project_name_or_id": Meaning("The project's name, or its id"),
    "project_name": Meaning("The project's name"),
    "project_id": Meaning("The project's id"),
    "repository_name": Meaning("The repository's name without the project's; its slashes as %2F or %252F"),
    "reference": Meaning("The artifact's digest, or one of its tags"),
    "tag_name": Meaning("The tag"),
    "digest": Meaning("A digest, such as sha256:..."),
    "user_id": Meaning("The user's id"),
    "token_id": Meaning("The personal token's id"),
    "robot_id": Meaning("The robot's id"),
    "mid": Meaning("The membership's id"),
    "label_id": Meaning("The label's id"),
    "group_id": Meaning("The group's id"),
    "immutable_rule_id": Meaning("The rule's id"),
    "meta_name": Meaning("The setting's name"),
    "eid": Meaning("The run's id"),
    "tid": Meaning("The id of the run's task"),
    "repository": Meaning("The repository's name without the project's"),
    "webhook_policy_id": Meaning("The webhook policy's id"),
    "execution_id": Meaning("The delivery's id"),
    "task_id": Meaning("The id of the delivery's task"),
    "policy_id": Meaning("The webhook policy's id"),
    "status": Meaning("Only what has this status, or one of these, separated by commas"),
    "gc_id": Meaning("The collection's id"),
    "id": Meaning("The id"),
    "purge_id": Meaning("The run's id"),
    "pool_id": Meaning("The pool's id, or `all`"),
    "job_id": Meaning("The job's id; `all` stops every job that runs"),
    "job_type": Meaning("The type of job, or `all`"),
    "addition": Meaning("Which of the artifact's additions"),
    "name": Meaning("Only what has this in its name"),
    "owner": Meaning("Only what this user owns"),
    "public": Meaning("Only public projects, or only private ones", _FLAG),
    "scope": Meaning(
        "Of labels, `g` for the system's and `p` for a project's; of rights, `/system` or `/project/<id>`"
    ),
    "entityname": Meaning("Only members with this in their name"),
    "username": Meaning("Only users with this in their name"),
    "email": Meaning("Only users with this in their mail address"),
    "groupdn": Meaning("The group's distinguished name"),
    "groupname": Meaning("Only groups with this in their name"),
    "group_name": Meaning("Only groups with this in their name"),
    "ldap_group_dn": Meaning("Only the group of this distinguished name"),
    "relative": Meaning("Whether resources are named without what the scope says already", _FLAG),
    "from": Meaning("The source, as `project/repository@digest` or `project/repository:tag`"),
    "reference_id": Meaning("Only the quota of this project"),
    "with_detail": Meaning("Whether to tell what else belongs to each project", _FLAG),
    "with_tag": Meaning("Whether to tell the tags", _FLAG),
    "with_label": Meaning("Whether to tell the labels", _FLAG),
    "with_accessory": Meaning("Whether to tell the accessories", _FLAG),
    "with_inherited_accessory": Meaning("Whether to tell the accessories of the index that names it", _FLAG),
    "latest_in_repository": Meaning("Whether only the newest of each repository are listed", _FLAG),
    "with_immutable_status": Meaning("Whether to tell which tags are immutable", _FLAG),
    "with_signature": Meaning("Whether to tell what is signed", _FLAG),
    "with_scan_overview": Meaning("Whether to tell what scans have found", _FLAG),
    "with_sbom_overview": Meaning("Whether to tell of bills of materials", _FLAG),
}
