"""Servers side by side: what each of them makes of the same inputs.

There is a module for each kind of code that a stage writes. Each has two functions:

- ``draw(draw, level)`` makes up an input, of plain values that can be printed;
- ``observe(load, given, level)`` lets a server deal with it, and returns plain values that say
  what it did. ``load`` imports a module of the server by its short name, such as ``request``.
  What the contract, that is, the stages' pages, leaves open is left out.

``level`` is the number of the stage whose page counts: a channel may do more from stage to stage.

Right servers cannot be told apart by this, however different they are. A mutant that can be
told from its original is a bug that the tests should have caught.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

KINDS = {
    "request": 20000,
    "response": 10000,
    "reader": 10000,
    "channel": 5000,
    "loopback": 5000,
    "files": 5000,
    "client": 10000,
}
"""The kinds, and how many inputs a full run tries."""

COMPLETE = tuple(name for name in ("toyhttp", "solutions.alternative") if find_spec(name))
"""The servers that have all that any stage asks for, beside the last solution."""


def kind_named(name: str) -> ModuleType:
    """Return the module of a kind."""
    return import_module(f"{__name__}.{name}")
