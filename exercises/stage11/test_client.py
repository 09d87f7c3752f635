"""Stage 11: your list.

The specification is in ``exercises/stage11/README.md``. Make a list of tests from it; then
write them, one at a time, each with its code. ``workshop judge 11`` says how good they are.
"""

from __future__ import annotations

from twisted.trial.unittest import TestCase

timeout = 5  # seconds, for each test; Trial's own limit is two minutes


class ClientTests(TestCase):
    """An HTTP/1.0 client: ``exercises.myhttp.client.get``."""

    def test_where_to_begin(self) -> None:
        """Write the list first; then put the first test of it in the place of this one."""
        self.fail("Stage 11: test_where_to_begin is not written yet.")
