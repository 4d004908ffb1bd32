"""Artifacts: what a manifest that was pushed means, its tags, references and accessories."""
