"""The access log: one line for each answer, whatever the client sent."""

from __future__ import annotations

from datetime import datetime

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from toyhttp.access import AccessLog
from toyhttp.request import Request

timeout = 5

NOW = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
PEER = IPv4Address("TCP", "10.0.0.1", 81)
GET = Request(b"GET", b"/a?b", (1, 1))


class AccessLogTests(TestCase):
    """What is written."""

    def setUp(self) -> None:
        """Make a clock, and a list for the lines."""
        self.clock = Clock()
        self.clock.advance(NOW)
        self.lines: list[str] = []

    def line(
        self,
        peer: IAddress | None = PEER,
        request: Request | None = GET,
        status: int = 200,
        size: int = 13,
        colour: bool = False,
    ) -> str:
        """Return the line that is written for an answer, without its date."""
        AccessLog(self.lines.append, self.clock, colour)(peer, request, status, size)
        before, _, rest = self.lines[-1].partition("[")
        return before + rest.partition("] ")[2]

    def test_line(self) -> None:
        """Host, request line, status and size stand where all tools look for them."""
        self.assertEqual(self.line(), '10.0.0.1 - - "GET /a?b HTTP/1.1" 200 13\n')

    def test_date(self) -> None:
        """The date is that of the clock, and says its time zone."""
        self.line()
        date = self.lines[0].partition("[")[2].partition("]")[0]
        self.assertRegex(date, r"^0[5-7]/Nov/1994:[0-9]{2}:[0-9]{2}:37 [+-][0-9]{4}$")
        self.assertEqual(datetime.strptime(date, "%d/%b/%Y:%H:%M:%S %z").timestamp(), NOW)

    def test_later(self) -> None:
        """Each line has its own date."""
        log = AccessLog(self.lines.append, self.clock)
        for seconds in (0, 0.5, 1):
            self.clock.advance(seconds)
            log(PEER, GET, 200, 1)
        seconds_shown = [line.partition("]")[0].split()[-2][-2:] for line in self.lines]
        self.assertEqual(seconds_shown, ["37", "37", "38"])

    def test_peers(self) -> None:
        """An address of IPv6 is shown as it is; what has no host is a dash."""
        for peer, shown in (
            (IPv6Address("TCP", "fe80::1", 81), "fe80::1"),
            (UNIXAddress("/tmp/socket"), "-"),
            (None, "-"),
        ):
            self.assertTrue(self.line(peer).startswith(shown + " - - "), f"peer {peer!r}")

    def test_no_request(self) -> None:
        """A request that could not be read is a dash."""
        self.assertEqual(self.line(request=None, status=400), '10.0.0.1 - - "-" 400 13\n')

    def test_no_body(self) -> None:
        """No bytes of body are a dash."""
        self.assertEqual(self.line(status=304, size=0), '10.0.0.1 - - "GET /a?b HTTP/1.1" 304 -\n')

    def test_simple_request(self) -> None:
        """A Simple-Request has no version (RFC 1945, 5)."""
        self.assertIn('"GET /"', self.line(request=Request(b"GET", b"/", (0, 9))))

    def test_escapes(self) -> None:
        """No byte ends the line, closes the quote, or reaches a terminal (RFC 1945, 12)."""
        target = b'/\x1b[2J"\\\r\n\t\x00\x7f\x80\x9b\xe9\xff'
        shown = r"/\x1b[2J\x22\x5c\x0d\x0a\x09\x00\x7f\x80\x9b\xe9\xff"
        line = self.line(request=Request(b'G"T', target, (1, 0)))
        self.assertEqual(line, rf'10.0.0.1 - - "G\x22T {shown} HTTP/1.0" 200 13' + "\n")

    def test_every_byte(self) -> None:
        """Whatever the byte, the line is printable ASCII (RFC 1945, 2.2)."""
        for code in range(256):
            self.line(request=Request(b"GET", b"/" + bytes([code]), (1, 0)), colour=True)
            line = self.lines[-1].replace("\x1b[32m", "").replace("\x1b[0m", "")
            odd = [letter for letter in line[:-1] if not " " <= letter <= "~"]
            self.assertEqual(odd, [], f"sent {code:#x}")

    def test_colour(self) -> None:
        """On a terminal the colour of the status says of which kind it is."""
        for status, colour in ((200, 32), (206, 32), (301, 36), (304, 36), (404, 33), (500, 31)):
            line = self.line(status=status, colour=True)
            self.assertIn(f'" \x1b[{colour}m{status}\x1b[0m 13', line)
            self.assertNotIn("\x1b", self.line(status=status))
        self.assertNotIn("\x1b", self.line(status=999, colour=True))

    def test_broken_log(self) -> None:
        """A line that cannot be written is lost, and nobody is troubled; the next is tried."""
        for error in (BrokenPipeError(), ValueError("I/O operation on closed file.")):
            calls: list[str] = []

            def write(line: str, error: Exception = error, calls: list[str] = calls) -> None:
                calls.append(line)
                raise error

            log = AccessLog(write, self.clock)
            log(PEER, GET, 200, 13)
            log(PEER, GET, 200, 13)
            self.assertEqual(len(calls), 2, f"raised {error!r}")
