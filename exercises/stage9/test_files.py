"""Stage 9: serve files.

Each test is described by its docstring. Write the tests, one at a time, each with its code:
``trial -x --order toptobottom exercises.stage9``

``exercises/stage9/README.md`` says more; ``workshop judge 9`` says how good your tests are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPFactory
from exercises.myhttp.files import FileHandler, open_file
from exercises.transport import StrictTransport

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

NOW = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT


class FileTests(TestCase):
    """What a folder with files looks like from the other end of the wire."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp()).resolve() / "root"
        self.root.mkdir(parents=True)
        self.clock = Clock()
        self.clock.advance(NOW)

    def ask(self, request: bytes, open_file: Callable[[Path], BinaryIO] = open_file) -> bytes:
        """Send a request to a server of the folder, read all and return the answer."""
        handler = FileHandler(self.root, self.clock, open_file)
        channel = HTTPFactory(handler, self.clock).buildProtocol(None)
        transport = StrictTransport(self)
        channel.makeConnection(transport)
        channel.dataReceived(request)
        for _ in range(1000):  # so does a transport whose client reads
            if transport.producer is None:
                return bytes(transport.value())
            transport.producer.resumeProducing()
        self.fail("the producer has written a thousand pieces, and is not unregistered")

    def test_file(self) -> None:
        """A file is answered with 200, its bytes, and its size in Content-Length."""
        self.fail("Stage 9: test_file is not written yet.")

    def test_content_type(self) -> None:
        """Content-Type goes by the end of the file's name, in any case (RFC 1945, 10.5)."""
        self.fail("Stage 9: test_content_type is not written yet.")

    def test_index(self) -> None:
        """A path with a slash at its end is answered with index.html; without that, 403."""
        self.fail("Stage 9: test_index is not written yet.")

    def test_slash(self) -> None:
        """A folder's path without the slash is redirected, 301, to the one with it; a query stays.

        (RFC 1945, 9.3.)
        """
        self.fail("Stage 9: test_slash is not written yet.")

    def test_missing(self) -> None:
        """What is not there is 404, and what may not be opened is 403 (RFC 1945, 9.4)."""
        self.fail("Stage 9: test_missing is not written yet.")

    def test_percent_decoding(self) -> None:
        """The query is cut off; then %HH is decoded, once, and nothing else (RFC 1945, 5.1.2)."""
        self.fail("Stage 9: test_percent_decoding is not written yet.")

    def test_climbing(self) -> None:
        """However it is spelled, a path that leaves the root is 404 (RFC 1945, 12.5)."""
        self.fail("Stage 9: test_climbing is not written yet.")

    def test_symbolic_link(self) -> None:
        """A symbolic link out of the root is 404; one that stays in it is followed."""
        self.fail("Stage 9: test_symbolic_link is not written yet.")

    def test_last_modified(self) -> None:
        """Last-Modified says when the file was changed; never later than now (RFC 1945, 10.10)."""
        self.fail("Stage 9: test_last_modified is not written yet.")

    def test_not_modified(self) -> None:
        """If-Modified-Since, in each of three formats: 304 without a body, or 200 if changed.

        (RFC 1945, 3.3 and 10.9.)
        """
        self.fail("Stage 9: test_not_modified is not written yet.")

    def test_date_that_does_not_count(self) -> None:
        """A date that is none, or later than now, is ignored: 200 (RFC 1945, 10.9)."""
        self.fail("Stage 9: test_date_that_does_not_count is not written yet.")

    def test_methods(self) -> None:
        """HEAD has the same header fields and no body; POST is 405, with Allow (RFC 1945, 8.2)."""
        self.fail("Stage 9: test_methods is not written yet.")

    def test_large_file(self) -> None:
        """A large file is written piece by piece, one when the transport asks for it."""
        self.fail("Stage 9: test_large_file is not written yet.")

    def test_file_is_closed(self) -> None:
        """The file is closed when all is sent, and when the connection is lost before."""
        self.fail("Stage 9: test_file_is_closed is not written yet.")
