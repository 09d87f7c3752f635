"""What is asked of a worker that compares servers."""

from __future__ import annotations

from dataclasses import dataclass

from ..jobs import Job


@dataclass(frozen=True)
class Comparison(Job):
    """A variant of a server, to be given inputs until one tells it from the right servers.

    It is a job of which the tests are kinds of inputs. The ``checks`` of the outcome are the
    number of the inputs, and its ``line`` is the level.

    :ivar kinds: the kinds of inputs, in the order in which they are tried.
    :ivar levels: the level of each.
    :ivar share_of_inputs: how many inputs of each kind are tried, as a share of a full run.
    """

    kinds: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()
    share_of_inputs: float = 1.0
