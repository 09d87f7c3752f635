"""How an answer goes out: piece by piece, as the client reads it; and the short way.

A transport puts what is written into a buffer, and sends it when the reactor says that the
socket can take it.  That is what keeps a program from waiting.  But most of the time
the socket can take it now, and to ask takes as long as all else that is done for a
small answer; and a large file goes through the memory of the process for nothing.

So there is a short way, past the buffer: :func:`send_now`, and ``send_to`` of a body.  It is
taken only if the transport is Twisted's TCP connection with nothing around it, and
nothing waits in its buffer, so that nothing is overtaken.  What the socket does not take
goes the usual way.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO, UnsupportedOperation
from typing import Any, Final

from twisted.internet.interfaces import IPullProducer
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Server
from twisted.logger import Logger
from zope.interface import implementer

from .response import Body

SMALL: Final = 64 * 1024
"""An answer of up to so many bytes is written at once."""

PIECE: Final = 256 * 1024
"""How many bytes of a larger one are written when the transport asks for more.

So many are in memory for each client that reads a large answer, unless it goes the short
way.  With 128 KiB it takes a tenth longer, with 64 KiB half as long again.
"""

STRETCH: Final = 2 * 1024 * 1024
"""How many bytes go the short way at once; others wait meanwhile, less than a millisecond, or
until the disk has them.
"""

UNSENT: Final = 128 * 1024
"""How many of them the socket may hold that are not on their way yet.

Without a limit it takes megabytes, and then none until the client has read one of them: a
slow client would seem to have stopped.
"""

WITH_SHORT_WAY: Final[set[type]] = {Server}
"""The transports that are sockets with a buffer, and nothing else."""

_MORE: Final = getattr(socket, "MSG_MORE", 0)
_log = Logger()


def has_short_way(transport: Any) -> bool:
    """Tell whether a transport is a TCP connection of Twisted's, and speaks no TLS."""
    return type(transport) in WITH_SHORT_WAY and not transport.TLS


def send_now(transport: Any, data: bytes, closes: bool = False) -> bytes:
    """Send what the socket takes now; return the rest.

    If the connection is broken, all is the rest: it is written then, and the transport finds
    out when it sends it.

    :param closes: whether :func:`close_now` follows at once.  Then the data and the end of the
        connection go in one segment, which takes a tenth off a small answer.
    """
    try:
        sent = transport.getHandle().send(data, _MORE if closes else 0)
    except OSError:
        return data
    return data[sent:] if sent < len(data) else b""


def cork(transport: Any, closed: bool) -> None:
    """Let TCP send full segments alone, or no more.  It takes a tenth off a large file.

    A cork that is forgotten holds back the end of an answer for 200 ms.
    """
    handle = transport.getHandle()
    with suppress(OSError):  # with macOS, of a socket that was reset
        if hasattr(socket, "TCP_CORK"):
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, closed)
        if closed and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)


def close_now(transport: Any) -> None:
    """Close a connection, the short way, as all that was to be sent is sent.

    Only while it hands over what it has read: then nobody has an event for it at hand, which
    may come to the one that gets its descriptor next.
    """
    transport.connectionLost(connectionDone)


def close_body(response: Any) -> None:
    """Give back what the body of a response holds, if it is not just bytes."""
    body = getattr(response, "body", b"")
    if not isinstance(body, bytes) and hasattr(body, "close"):
        try:
            body.close()
        except Exception:
            _log.failure("A body failed to be closed")


@implementer(IPullProducer)
class Sender:
    """A large answer.  The transport asks for a piece whenever it has written all.

    So a client that reads slowly, but reads, is not cut off; and no more than a piece
    is in memory.

    :param head: what goes before the body.
    :param body: what is sent.
    :param send_piece: what is called, with the sender, when the transport asks.
    :ivar left: how many bytes are not handed over yet, the head included.
    :ivar sent: how many bytes of the body are: to the transport, or to the socket.
    :ivar is_registered: whether it is the transport's producer.
    :ivar was_asked: whether it was asked for a piece before.
    """

    def __init__(
        self, head: bytes, body: bytes | Body, send_piece: Callable[[Sender], None]
    ) -> None:
        self._head = head
        self._send_piece = send_piece
        self._read: Callable[[int], bytes]
        self._send_to: Callable[[int, int], int] | None = None
        if isinstance(body, bytes):
            self._read, size = BytesIO(body).read, len(body)
        else:
            self._read, size = body.read, body.size
            self._send_to = getattr(body, "send_to", None)
        self.left = len(head) + size
        self.sent = 0
        self.is_registered = False
        self.was_asked = False
        self._is_corked = False

    def resumeProducing(self) -> None:
        self._send_piece(self)
        self.was_asked = True

    def stopProducing(self) -> None:
        """Do nothing: the channel is told by itself that its connection is lost."""

    def read(self, limit: int) -> bytes:
        """Return the next bytes: ``limit`` of them, or all that are left.

        :raises OSError: if the body has other bytes than it has promised.
        """
        pieces = [self._head] if self._head else []
        limit = min(limit, self.left)
        self.left -= limit
        limit -= len(self._head)
        self._head = b""
        while limit:
            piece = self._read(limit)
            if not 0 < len(piece) <= limit:
                raise OSError(f"{len(piece)} bytes came where 1 to {limit} were to come")
            limit -= len(piece)
            self.sent += len(piece)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def send_piece(self, transport: Any, short_way: bool) -> bool:
        """Send the next piece, the short way if there is one.

        :param short_way: whether the transport has one, and nothing waits in its buffer.
        :returns: whether nothing waits there now.
        :raises OSError: if the body has other bytes than it has promised.
        """
        if not (short_way and self._send_past(transport)):
            transport.write(self.read(PIECE))
            return False
        if self.left:
            transport.startWriting()  # then it asks again, as soon as the socket takes more
        return True

    def _send_past(self, transport: Any) -> bool:
        """Send what the socket takes now; or tell that the body knows no short way."""
        if self._send_to is None:
            return False
        self._cork(transport, True)
        if self._head:
            rest = send_now(transport, self._head)
            self.left -= len(self._head) - len(rest)
            self._head = rest
        if self.left and not self._head:
            limit = min(self.left, STRETCH)
            try:
                sent = self._send_to(transport.fileno(), limit)
            except UnsupportedOperation:
                self._cork(transport, False)
                self._send_to = None
                return False
            if not 0 <= sent <= limit:
                raise OSError(f"{sent} bytes were sent where {limit} were to be sent")
            self.left -= sent
            self.sent += sent
        if not self.left:
            self._cork(transport, False)
        return True

    def _cork(self, transport: Any, closed: bool) -> None:
        if closed is not self._is_corked:
            self._is_corked = closed
            cork(transport, closed)
