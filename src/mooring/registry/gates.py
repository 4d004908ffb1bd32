"""Conditions that a project sets on pulls, asked only where it sets one: signatures, of cosign or of notation.

As in Harbor a signature counts when it is there; whose it is, clients verify.
"""

from typing import Final

from sqlalchemy import bindparam, select

from mooring.core.errors import PolicyViolation
from mooring.db.prepared import Prepared
from mooring.features.artifacts.tables import artifact_accessory
from mooring.features.projects.service import BY_COSIGN, BY_NOTATION
from mooring.features.projects.tables import project_metadata
from mooring.http.exchange import Request
from mooring.registry.context import Registry
from mooring.registry.gate import Passed

# Metadata, the accessory it asks for, whose signature that is; in the order in which they are asked.
_TRUST: Final = ((BY_COSIGN, "signature.cosign", "cosign"), (BY_NOTATION, "signature.notation", "notation"))
_SIGNATURES: Final = frozenset(kind for _, kind, _ in _TRUST)

_POLICIES: Final = Prepared(
    select(project_metadata.c.name).where(
        project_metadata.c.project_id == bindparam("project"), project_metadata.c.value == "true"
    )
)
_CARRIED: Final = Prepared(
    select(artifact_accessory.c.type).where(artifact_accessory.c.subject_id == bindparam("artifact"))
)
_OWN: Final = Prepared(
    select(artifact_accessory.c.type)
    .where(artifact_accessory.c.artifact_id == bindparam("artifact"))
    .order_by(artifact_accessory.c.id)
)


async def check(registry: Registry, request: Request, passed: Passed, artifact_id: int) -> None:
    """Raise PolicyViolation for an artifact without the signatures that the project asks for.

    Each artifact is asked for its own: an index's is not its children's. Signatures themselves can be pulled, and who
    signs or scans can pull what is not signed yet.
    """
    if _is_exempt(request, passed):
        return
    reader = registry.db.reader
    policies = {name for (name,) in await reader.all(_POLICIES, project=passed.project_id)}
    own = await reader.one(_OWN, artifact=artifact_id)
    if own is not None and own[0] in _SIGNATURES:
        return
    carried = {kind for (kind,) in await reader.all(_CARRIED, artifact=artifact_id)}
    for policy, kind, signer in _TRUST:
        if policy in policies and kind not in carried:
            raise PolicyViolation(f"The image is not signed by {signer}.")


def _is_exempt(request: Request, passed: Passed) -> bool:
    """Whether the token is a scanner's, or that of somebody who pushes with a program that signs."""
    token = passed.caller.token
    if token is None:
        return False
    actions = token.actions.get(passed.project, frozenset())
    agent = request.header(b"user-agent").lower()
    return "scanner-pull" in actions or ("push" in actions and ("cosign" in agent or "notation" in agent))
