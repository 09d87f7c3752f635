"""Making up inputs: mostly right ones, and around the places where the rules bite."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

T = TypeVar("T")

TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
VISIBLE = bytes(range(33, 127))
LINE_ENDS = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\x0b", b"\x0c", b"\x85", b"")


class Draw(random.Random):
    """A source of inputs: the same seed gives the same ones, on every machine."""

    def one_in(self, number: int) -> bool:
        """Tell, by chance, whether something rare shall happen."""
        return self.randrange(number) == 0

    def byte(self) -> bytes:
        """Return any byte, often one of those that mean something."""
        if self.one_in(2):
            return bytes(
                [self.choice(b'\x00\x09\x0a\x0b\x0c\x0d\x1f !"#%,./:;@[\\]^_`{|}~\x7f\x80\xff')]
            )
        return bytes([self.randrange(256)])

    def some(self, alphabet: bytes, most: int, least: int = 0) -> bytes:
        """Return some bytes out of an alphabet."""
        return bytes(self.choices(alphabet, k=self.randint(least, most)))

    def spoilt(self, data: bytes) -> bytes:
        """Return bytes of which some are others, left out, or there once more."""
        begin = self.randint(0, len(data))
        how = self.randrange(5)
        if how == 0:
            return data[:begin] + self.byte() + data[begin:]
        if how == 1:
            return data[:begin] + self.byte() + data[begin + 1 :]
        if how == 2:
            return data[:begin] + data[begin + 1 :]
        if how == 3:
            end = min(len(data), begin + self.randint(1, 4))
            return data[:end] + data[begin:end] + data[end:]
        return data[:begin] + data[self.randint(begin, len(data)) :]

    def case(self, data: bytes) -> bytes:
        """Return a name in any case."""
        return self.choice((data, data, data.lower(), data.upper(), data.swapcase(), data.title()))

    def line_end(self, rarely_wrong: int = 40) -> bytes:
        """Return what ends a line."""
        if self.one_in(rarely_wrong):
            return self.choice(LINE_ENDS)
        return b"\r\n" if self.randrange(3) else b"\n"

    def near(self, number: int) -> int:
        """Return this number, or one close to it."""
        return max(0, number + self.choice((0, 0, -1, 1, self.randint(-9, 9))))

    def cut(self, data: bytes) -> tuple[bytes, ...]:
        """Cut bytes into chunks: none, all, some, or one behind each line end."""
        how = self.randrange(6)
        if how == 0 or len(data) < 2:
            return (data,)
        if how == 1 and len(data) < 400:
            return tuple(data[place : place + 1] for place in range(len(data)))
        ends = [place for place in range(1, len(data)) if data[place - 1] in b"\r\n"]
        if how < 4 and ends:
            places = set(self.sample(ends, self.randint(1, min(4, len(ends)))))
        else:
            places = {self.randint(1, len(data) - 1) for _ in range(self.randint(1, 3))}
        bounds = [0, *sorted(places), len(data)]
        return tuple(data[a:b] for a, b in pairwise(bounds))

    def weighted(self, choices: Sequence[tuple[int, T]]) -> T:
        """Return one of several values, as often as the number beside it says."""
        return self.choices([value for _, value in choices], [often for often, _ in choices])[0]


def exact(value: object) -> object:
    """Return a value that is ``bytes``; of any other, say of which type it is."""
    return value if type(value) is bytes else (type(value).__name__, repr(value))


def outcome(function: Callable[[], Any], *expected: type[Exception]) -> Any:
    """Return what a function returns, or say what it raises: of these, or something else."""
    try:
        return function()
    except expected as error:
        kind = next(each for each in expected if isinstance(error, each))
        return ("raised", kind.__name__, getattr(error, "status", None))
    except RecursionError:
        return ("raised", "RecursionError")
    except Exception:
        return ("raised", "something else")
