"""Stage 10: keep the connection.

Each test is described by its docstring. Write the tests, one at a time, each with its code:
``trial -x --order toptobottom exercises.stage10``

``exercises/stage10/README.md`` says more; ``workshop judge 10`` says how good your tests are.
"""

from __future__ import annotations

from twisted.trial.unittest import TestCase

timeout = 5  # seconds, for each test; Trial's own limit is two minutes


class KeepAliveTests(TestCase):
    """More than one request on a connection (RFC 2068, 19.7.1)."""

    def test_kept(self) -> None:
        """A client that asks for keep-alive is told so, and its connection stays open."""
        self.fail("Stage 10: test_kept is not written yet.")

    def test_not_kept(self) -> None:
        """A client that does not ask, or says close, is not told so: its connection is closed."""
        self.fail("Stage 10: test_not_kept is not written yet.")

    def test_next_request(self) -> None:
        """When an answer has been sent, the next request is answered, in whatever pieces."""
        self.fail("Stage 10: test_next_request is not written yet.")

    def test_pipelined(self) -> None:
        """Requests that come in one chunk are all answered, in their order."""
        self.fail("Stage 10: test_pipelined is not written yet.")

    def test_order(self) -> None:
        """The answers keep that order though their Deferreds fire in another."""
        self.fail("Stage 10: test_order is not written yet.")

    def test_body(self) -> None:
        """The next request begins behind the body of the one before (RFC 1945, 7.2.2)."""
        self.fail("Stage 10: test_body is not written yet.")

    def test_file(self) -> None:
        """An answer sent piece by piece keeps its place; what comes meanwhile has a limit."""
        self.fail("Stage 10: test_file is not written yet.")

    def test_last_request(self) -> None:
        """Behind a request that does not ask for keep-alive nothing is answered."""
        self.fail("Stage 10: test_last_request is not written yet.")

    def test_bad_request(self) -> None:
        """A bad request gets its 400 behind the answers that are due; then the end."""
        self.fail("Stage 10: test_bad_request is not written yet.")

    def test_handler_that_fails(self) -> None:
        """A handler that fails is a 500 in its place, and the connection stays open."""
        self.fail("Stage 10: test_handler_that_fails is not written yet.")

    def test_idle(self) -> None:
        """A client that sends nothing after its answer is closed on without a word."""
        self.fail("Stage 10: test_idle is not written yet.")

    def test_deadline(self) -> None:
        """Each request has its own deadline; while the handler works, no time runs."""
        self.fail("Stage 10: test_deadline is not written yet.")

    def test_cut(self) -> None:
        """When the wire is cut, every handler at work is told, and nothing is left."""
        self.fail("Stage 10: test_cut is not written yet.")

    def test_many(self) -> None:
        """No more than 8 requests are with the handler; the others wait their turn."""
        self.fail("Stage 10: test_many is not written yet.")
