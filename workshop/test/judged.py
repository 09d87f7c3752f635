"""What the tests of the judge have in common: its workers, and folders with tests."""

from __future__ import annotations

import atexit
from functools import lru_cache
from pathlib import Path

from twisted.trial.unittest import TestCase

from workshop.judge import judge
from workshop.pool import Pool
from workshop.verdict import TestVerdict, Verdict

HEAD = '''
import os, sys, unittest
from twisted.internet import defer, reactor
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase, TestCase

from exercises.myhttp.request import BadRequest, Request, parse_request

timeout = 0.5


class RequestTests(TestCase):
    def test_good(self):
        """This one is valid."""
        self.assertEqual(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n").method, b"GET")
'''
"""A module of tests for stage 1; what a test of the judge is about comes behind it."""


@lru_cache(maxsize=1)
def workers() -> Pool:
    """Return workers, which are started when the first test asks for them."""
    pool = Pool(2)
    atexit.register(pool.close)
    return pool


class JudgedTestCase(TestCase):
    """Writes tests into a folder, and has them judged."""

    def judge_text(self, text: str | bytes, stage: int = 1) -> Verdict:
        """Judge a test module with this text."""
        folder = Path(self.mktemp()).resolve()
        folder.mkdir()
        data = text.encode() if isinstance(text, str) else text
        (folder / "test_mine.py").write_bytes(data)
        return judge(stage, folder, workers())

    def judge_test(self, body: str, head: str = HEAD) -> TestVerdict:
        """Judge one more test of stage 1, the last in its module."""
        return self.judge_text(head + body).tests[-1]
