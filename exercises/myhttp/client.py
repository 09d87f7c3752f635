"""The other side: an HTTP/1.0 client. You write it in stage 11."""

from __future__ import annotations


def get(url: str) -> None:
    """Fetch ``url``."""
    raise NotImplementedError("Stage 11: get is not written yet.")
