"""What a revision computes for the rows that are there already, once its tables have changed. Both databases run it."""

from typing import Final

FILLS: Final = {
    "0002": (
        """
        UPDATE artifact SET is_listed = false
        WHERE id IN (SELECT artifact_id FROM artifact_accessory)
        OR (id IN (SELECT child_id FROM artifact_reference) AND id NOT IN (SELECT artifact_id FROM tag))
        """,
        """
        UPDATE artifact_blob
        SET repository_id = (SELECT repository_id FROM artifact WHERE artifact.id = artifact_blob.artifact_id)
        """,
        """
        UPDATE project_metadata SET value = 'true'
        WHERE name IN ('enable_content_trust', 'enable_content_trust_cosign') AND lower(value) IN ('1', 't', 'true')
        """,
        """
        UPDATE project SET is_gated = true WHERE id IN (
            SELECT project_id FROM project_metadata
            WHERE name IN ('enable_content_trust', 'enable_content_trust_cosign') AND value = 'true'
        )
        """,
    ),
}
