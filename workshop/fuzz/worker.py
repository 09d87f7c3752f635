"""Compares servers as it is told: ``python -m workshop.fuzz.worker FOLDER``.

It speaks as :mod:`workshop.worker` does, in a process that can be killed: a mutant may loop
for ever. In the place of tests there are kinds of inputs.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from twisted.internet import defer
from twisted.logger import globalLogBeginner

from exercises.binding import CONTRACT, variant
from solutions.broken import freedoms, sources_with

from ..jobs import Outcome
from ..worker import take_over_the_descriptors
from . import COMPLETE, KINDS, kind_named
from .comparison import Comparison
from .drawing import Draw

MEMORY = 2 * 1024**3  # bytes that a mutant may take, where that can be said
TELLING = 0.25  # seconds: so often it tells that it is still there

_seen: dict[tuple[str, int], list[bytes]] = {}
"""What the right servers did, by kind and level: a digest for each input.

It is empty if they did not all do the same. Then the contract leaves that open, as it
must be met by all of them.
"""


def given(kind: str, level: int, number: int) -> Any:
    """Return an input: the same one for the same three."""
    return kind_named(kind).draw(Draw(f"{kind} {level} {number}"), level)


def observed(kind: ModuleType, what: Any, level: int) -> object:
    """Return what the server that stands in does with an input."""

    def load(name: str) -> ModuleType:
        return import_module(f"{CONTRACT}.{name}")

    try:
        return kind.observe(load, what, level)
    except Exception as error:  # which of them is nobody's business
        where = traceback.extract_tb(error.__traceback__)[-1]
        inside = "fuzz" in where.filename
        return ("raised", type(error).__name__ if inside else "an exception")


def digest(what: object) -> bytes:
    """Return a few bytes that stand for what was seen."""
    return hashlib.blake2b(repr(what).encode(), digest_size=8).digest()


def right_servers(level: int) -> list[tuple[str, dict[str, str]]]:
    """Return the servers that are right at a level: what they do differently is left open.

    :returns: pairs of a package, and the texts that replace some of its modules.
    """
    name = f"solutions.stage{level}"
    others = [(name, sources_with(level, freedom)) for freedom in freedoms(level)]
    return [(name, {}), *((name, {}) for name in COMPLETE), *others]


@contextmanager
def server(name: str, sources: Mapping[str, str]) -> Iterator[None]:
    """Let a server stand in, with no warning of what a mutant may look like."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with variant(name, sources):
            yield


def learn(kind: str, level: int, count: int) -> Iterator[None]:
    """See what the right servers do with so many inputs; yield now and then."""
    seen = _seen.setdefault((kind, level), read_seen(kind, level))
    module, first, begun = kind_named(kind), len(seen), time.monotonic()
    while first < count:
        last = min(count, first + 1000)
        for number, (name, sources) in enumerate(right_servers(level)):
            with server(name, sources):
                for place in range(first, last):
                    if number and not seen[place]:
                        continue
                    came = digest(observed(module, given(kind, level, place), level))
                    if number == 0:
                        seen.append(came)
                    elif seen[place] != came:
                        seen[place] = b""
                    if time.monotonic() - begun > TELLING:
                        begun = time.monotonic()
                        yield
        first = last
        write_seen(kind, level, seen)


def read_seen(kind: str, level: int) -> list[bytes]:
    """Return what another worker has seen, or none."""
    try:
        text = Path(f"../seen-{kind}-{level}.json").read_text("ascii")
    except OSError:
        return []
    return [bytes.fromhex(each) for each in json.loads(text)]


def write_seen(kind: str, level: int, seen: list[bytes]) -> None:
    """Let the worker that takes the place of this one know what was seen."""
    path = Path(f"../seen-{kind}-{level}-{os.getpid()}.json")
    path.write_text(json.dumps([each.hex() for each in seen]), "ascii")
    with suppress(OSError):  # on Windows: the other worker reads it
        path.replace(f"../seen-{kind}-{level}.json")


def difference(job: Comparison, kind: str, level: int, count: int) -> Iterator[int | None]:
    """Yield now and then ``None``, and at last the first input for which a variant differs."""
    module, begun = kind_named(kind), time.monotonic()
    with server(job.server, job.sources):
        for number, expected in enumerate(_seen[kind, level][:count]):
            if expected and digest(observed(module, given(kind, level, number), level)) != expected:
                yield number
                return
            if time.monotonic() - begun > TELLING:
                begun = time.monotonic()
                yield None


def compare(job: Comparison) -> Iterator[dict[str, object]]:
    """Compare a variant of a server with the right ones; yield what is to be told."""
    yield {"tests": list(job.kinds), "planned": list(job.kinds), "unloaded": {}}
    for name, level in zip(job.kinds, job.levels, strict=True):
        count = int(KINDS[name] * job.share_of_inputs)
        for _ in learn(name, level, count):
            yield {"begun": name}
        found = None
        yield {"begun": name}
        for found in difference(job, name, level, count):
            if found is None:
                yield {"begun": name}
        if found is None:
            tried = sum(1 for each in _seen[name, level][:count] if each)
            yield {"ended": vars(Outcome(name, line=level, checks=tried))}
            continue
        what = given(name, level, found)
        with server(job.server, {}):
            first = observed(kind_named(name), what, level)
        with server(job.server, job.sources):
            second = observed(kind_named(name), what, level)
        how = "failed" if digest(first) == _seen[name, level][found] else "error"
        message = report(what, first, second)
        yield {"ended": vars(Outcome(name, how, "", message, "", level, checks=found + 1))}
        break
    yield {"done": None}


def report(what: Any, first: object, second: object) -> str:
    """Say for which input two servers differ, and how."""
    first, second = first_difference(first, second)
    return f"given {what!r}\nit should be {first!r}\nbut it is {second!r}"


def first_difference(first: object, second: object) -> tuple[object, object]:
    """Return the smallest parts of two values that differ, the first of them."""
    kinds = (list, tuple)
    if isinstance(first, kinds) and isinstance(second, kinds) and len(first) == len(second):
        for one, other in zip(first, second, strict=True):
            if repr(one) != repr(other):
                return first_difference(one, other)
    return first, second


def limit_memory() -> None:
    """Let a mutant that collects for ever fail, and not the machine."""
    try:
        import resource
    except ImportError:  # it is not said on Windows
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))


def main(folder: str, tell: Callable[[dict[str, object]], None] | None = None) -> None:
    """Work until there is no more to do, in a folder that can be written to."""
    orders, tell = take_over_the_descriptors()
    os.chdir(folder)
    limit_memory()
    globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)
    defer.setDebugging(False)
    gc.disable()
    tell({"ready": os.getpid()})
    for order in orders:
        for event in compare(Comparison(**json.loads(order))):
            tell(event)
        gc.collect()
        gc.freeze()


if __name__ == "__main__":
    main(sys.argv[1])
