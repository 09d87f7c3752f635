"""The command ``workshop judge``.

The workers are started before anything else: they take a quarter of a second until
they are ready, and all that this process needs is imported meanwhile.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .environment import ROOT, WINDOWS, Environment

WORKERS = 2
LONG = 3.0  # seconds
NEEDS = ("twisted", "rich")


ROOT_NOTICE = """\
workshop: You are root, and the tests may do all that you may.
workshop: docs/judge.md says how to isolate them."""


@dataclass(frozen=True)
class Wish:
    """What is asked of the command.

    :ivar stage: the stage's number.
    :ivar tests: the folder that the tests are in; ``None`` is the stage's own.
    :ivar only: the descriptions that alone are judged; empty for all.
    :ivar json: whether to print data.
    :ivar caught: whether to list the bugs that are caught.
    :ivar idle: whether to find the tests that catch nothing.
    :ivar reveal: whether to tell all survivors.
    """

    stage: int
    tests: str | None = None
    only: Sequence[str] = ()
    json: bool = False
    caught: bool = False
    idle: bool = False
    reveal: bool = False


def judge_command(wish: Wish) -> int:
    """Judge the tests of a stage, and print the verdict.

    :returns: 0 if they are valid and thorough, 1 if not, 2 if there is no such stage, folder
        or description, 3 if the judge cannot work.
    """
    if any(importlib.util.find_spec(name) is None for name in NEEDS):
        return judge_elsewhere(sys.argv[1:])
    from .pool import Pool, WorkerError

    if not WINDOWS and os.geteuid() == 0:
        print(ROOT_NOTICE, file=sys.stderr, flush=True)
    with Pool(WORKERS) as pool, patience():
        from .judge import UsageError, judge

        if not wish.json:
            from .report import show
        try:
            folder = Path(wish.tests) if wish.tests is not None else None
            verdict = judge(wish.stage, folder, pool, wish.idle, wish.only)
        except UsageError as error:
            print(f"workshop: {ascii(str(error))[1:-1]}", file=sys.stderr)
            return 2
        except WorkerError as error:
            print(f"workshop: The judge cannot work: {error}", file=sys.stderr)
            return 3
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        if wish.json:
            print(json.dumps(verdict.as_data(), indent=2))
        else:
            show(verdict, wish.idle, wish.reveal, wish.caught)
    return 0 if verdict.valid and verdict.thorough else 1


@contextmanager
def patience() -> Iterator[None]:
    """Say on a terminal that it takes long, if it does: then tests hang."""
    timer = threading.Timer(LONG, print, ["Some tests take long ..."], {"file": sys.stderr})
    timer.daemon = True
    if sys.stderr.isatty():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def judge_elsewhere(words: list[str]) -> int:
    """Run the same command with the workshop's own Python, which has all that it needs."""
    environment = Environment(ROOT / ".venv")
    if not environment.python.exists() or Path(sys.prefix).resolve() == environment.home:
        print(
            "workshop: Twisted or rich is missing here. Type this first: python3 -m workshop start",
            file=sys.stderr,
        )
        return 3
    command = [str(environment.python), "-m", "workshop", *words]
    return subprocess.run(command, cwd=ROOT, check=False).returncode
