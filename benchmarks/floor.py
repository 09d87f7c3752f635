"""The barest server that Twisted can be: canned bytes for whatever comes.

``python -m benchmarks.floor --listen tcp:8081:interface=127.0.0.1`` serves until Ctrl-C.
It parses nothing, and hands its answer to the transport, as is usual: what ``toyhttp`` does
for each request is measured as a share of what this one does.  It closes behind its answer;
with ``--keep-alive`` it does not, and answers each chunk that comes as one request.
"""

from __future__ import annotations

import argparse

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory, Protocol

BODY = b"Hello, world!\n"
HEAD = b"HTTP/1.0 200 OK\r\n%sContent-Type: text/plain\r\nContent-Length: 14\r\n\r\n"


class Closing(Protocol):
    """Answers the first chunk, and closes."""

    answer = HEAD % b"" + BODY

    def dataReceived(self, data: bytes) -> None:
        """Take it for a request."""
        assert self.transport is not None
        self.transport.write(self.answer)
        self.transport.loseConnection()


class Keeping(Protocol):
    """Answers each chunk."""

    answer = HEAD % b"Connection: keep-alive\r\n" + BODY

    def dataReceived(self, data: bytes) -> None:
        """Take it for a request."""
        assert self.transport is not None
        self.transport.write(self.answer)


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor")
    parser.add_argument("--listen", default="tcp:8081:interface=127.0.0.1", metavar="ENDPOINT")
    parser.add_argument("--keep-alive", action="store_true", help="do not close")
    arguments = parser.parse_args()
    factory = Factory.forProtocol(Keeping if arguments.keep_alive else Closing)
    factory.noisy = False

    async def serve() -> None:
        port = await serverFromString(reactor, arguments.listen).listen(factory)
        print(f"listening on {port.getHost()}", flush=True)

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(serve()))  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
