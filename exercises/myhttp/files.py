"""A handler that serves the files of a folder. You write it in stage 9."""

from __future__ import annotations

from pathlib import Path


class FileHandler:
    """Answers requests with the files below ``root``.

    :param root: the folder that is served.
    """

    def __init__(self, root: Path) -> None:
        raise NotImplementedError("Stage 9: FileHandler is not written yet.")
