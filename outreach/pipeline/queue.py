"""Stage 2, queue: due planned rows pass the gates, and their text is frozen."""

from __future__ import annotations


def queue_due(limit: int | None = None) -> int:
    """How many rows of the open workspace were queued."""
    raise NotImplementedError
