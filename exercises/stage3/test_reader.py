"""Stage 3: any chunks.

The tests are in the order in which you would make them pass:
``trial --order toptobottom exercises.stage3``
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.trial.unittest import TestCase

from exercises.myhttp.reader import RequestReader
from exercises.myhttp.request import BadRequest, Request

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

GET = b"GET /a HTTP/1.0\r\nHost: b\r\n\r\n"
POST = b"POST /c HTTP/1.0\r\nContent-Length: 9\r\n\r\nd\r\n\r\ne\x00\xff\n"


def parsed_get() -> Request:
    """Return the request that ``GET`` is."""
    return Request(b"GET", b"/a", (1, 0), ((b"Host", b"b"),))


def parsed_post() -> Request:
    """Return the request that ``POST`` is."""
    headers = ((b"Content-Length", b"9"),)
    return Request(b"POST", b"/c", (1, 0), headers, b"d\r\n\r\ne\x00\xff\n")


def read(reader: RequestReader, chunks: Iterable[bytes]) -> list[Request | int]:
    """Feed the chunks; return the requests that came, and the status of a BadRequest."""
    came: list[Request | int] = []
    try:
        for chunk in chunks:
            reader.feed(chunk)
            while (request := reader.next_request()) is not None:
                came.append(request)
                assert len(came) < 100, "next_request gives out requests without end"
    except BadRequest as error:
        came.append(error.status)
    return came


def one_by_one(data: bytes) -> list[bytes]:
    """Cut the bytes into chunks of one byte."""
    return [data[i : i + 1] for i in range(len(data))]


class HeadTests(TestCase):
    """A request without a body ends with the blank line."""

    def test_whole_request(self) -> None:
        """All the bytes at once give the request (RFC 1945, 5)."""
        reader = RequestReader()
        reader.feed(GET)
        self.assertEqual(reader.next_request(), parsed_get(), f"sent {GET!r}")

    def test_nothing_yet(self) -> None:
        """Before the first byte there is no request, and that is no error."""
        self.assertIsNone(RequestReader().next_request())

    def test_request_comes_once(self) -> None:
        """A request that was given out is not given out again."""
        reader = RequestReader()
        reader.feed(GET)
        came = (reader.next_request(), reader.next_request())
        self.assertEqual(came, (parsed_get(), None), f"sent {GET!r} once, asked twice")

    def test_no_request_before_its_last_byte(self) -> None:
        """Each byte but the last leaves the request incomplete (RFC 1945, 5)."""
        for end in range(len(GET)):
            came = read(RequestReader(), [GET[:end]])
            self.assertEqual(came, [], f"sent {GET[:end]!r}")

    def test_byte_by_byte(self) -> None:
        """TCP may deliver every byte alone."""
        came = read(RequestReader(), one_by_one(GET))
        self.assertEqual(came, [parsed_get()], f"sent {GET!r}, one byte at a time")

    def test_line_feed_alone_ends_a_line(self) -> None:
        """A blank line is a blank line, with CR or without (RFC 1945, B)."""
        for ends in ((b"\n", b"\n"), (b"\r\n", b"\n"), (b"\n", b"\r\n")):
            sent = b"GET /a HTTP/1.0\nHost: b" + b"".join(ends)
            self.assertEqual(read(RequestReader(), [sent]), [parsed_get()], f"sent {sent!r}")

    def test_two_requests_in_one_chunk(self) -> None:
        """What follows a request is kept: it is the next one."""
        came = read(RequestReader(), [GET + GET])
        self.assertEqual(came, [parsed_get(), parsed_get()], f"sent {GET + GET!r}")

    def test_what_is_no_request(self) -> None:
        """Bad input is refused here too, when its head is complete (RFC 1945, 9.4)."""
        reader = RequestReader()
        reader.feed(b"G@T / HTTP/1.0\r\n\r\n")
        error = self.assertRaises(BadRequest, reader.next_request)
        self.assertEqual(error.status, 400)


class BodyTests(TestCase):
    """``Content-Length`` says how many bytes follow the head."""

    def test_body(self) -> None:
        """A body is any bytes, blank lines among them (RFC 1945, 7.2)."""
        self.assertEqual(read(RequestReader(), [POST]), [parsed_post()], f"sent {POST!r}")

    def test_no_request_before_the_last_byte_of_its_body(self) -> None:
        """A head without its body is not a request yet (RFC 1945, 7.2.2)."""
        for end in range(len(POST)):
            came = read(RequestReader(), [POST[:end]])
            self.assertEqual(came, [], f"sent {POST[:end]!r}")

    def test_body_of_no_bytes(self) -> None:
        """A length of 0 is a length (RFC 1945, 10.4)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
        expected = [Request(b"POST", b"/", (1, 0), ((b"Content-Length", b"0"),))]
        self.assertEqual(read(RequestReader(), [sent]), expected, f"sent {sent!r}")

    def test_any_request_may_have_a_body(self) -> None:
        """If the body of a GET were not read, it would be taken for the next request."""
        for method in (b"GET", b"HEAD"):
            sent = method + b" / HTTP/1.0\r\ncontent-length: 3\r\n\r\nabc"
            expected = [Request(method, b"/", (1, 0), ((b"content-length", b"3"),), b"abc")]
            self.assertEqual(read(RequestReader(), [sent[:-1]]), [], f"sent {sent[:-1]!r}")
            self.assertEqual(read(RequestReader(), [sent]), expected, f"sent {sent!r}")

    def test_post_without_a_length(self) -> None:
        """Nobody could know where its body ends (RFC 1945, 7.2.2, 8.3)."""
        sent = b"POST / HTTP/1.0\r\n\r\n"
        self.assertEqual(read(RequestReader(), [sent]), [400], f"sent {sent!r}")

    def test_length_is_digits(self) -> None:
        """``int`` accepts more than HTTP does (RFC 1945, 10.4)."""
        for length in (b"-1", b"+1", b"1_0", b"0x1", b"1.0", b"1 0", b"", b"\xb2", b"ten"):
            sent = b"POST / HTTP/1.0\r\nContent-Length: " + length + b"\r\n\r\n0123456789"
            self.assertEqual(read(RequestReader(), [sent]), [400], f"sent {sent!r}")

    def test_two_lengths(self) -> None:
        """If readers could choose, a request could be smuggled (RFC 1945, 4.2)."""
        for other in (b"3", b"4"):
            fields = b"Content-Length: 3\r\nContent-Length: " + other
            sent = b"POST / HTTP/1.0\r\n" + fields + b"\r\n\r\nabcd"
            self.assertEqual(read(RequestReader(), [sent]), [400], f"sent {sent!r}")

    def test_leading_zeros(self) -> None:
        """They are digits like others, and do not make a number larger (RFC 1945, 10.4)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: 000000000003\r\n\r\nabc"
        (request,) = read(RequestReader(), [sent])
        self.assertEqual(getattr(request, "body", request), b"abc", f"sent {sent!r}")


class LimitTests(TestCase):
    """A stranger does not decide how much memory is used."""

    def test_largest_head(self) -> None:
        """A head of exactly ``max_head`` bytes is accepted, however it comes."""
        for chunks in ([GET], one_by_one(GET)):
            came = read(RequestReader(max_head=len(GET)), chunks)
            self.assertEqual(came, [parsed_get()], f"sent {chunks!r}, max_head={len(GET)}")

    def test_head_that_is_too_large(self) -> None:
        """One byte more is refused, however it comes (RFC 6585, 5)."""
        for chunks in ([GET], one_by_one(GET)):
            came = read(RequestReader(max_head=len(GET) - 1), chunks)
            self.assertEqual(came, [431], f"sent {chunks!r}, max_head={len(GET) - 1}")

    def test_head_without_an_end(self) -> None:
        """It is refused as soon as it is too large, not when it ends."""
        sent = b"GET / HTTP/1.0\r\nHost: " + 100 * b"a"
        came = read(RequestReader(max_head=len(sent)), [sent])
        self.assertEqual(came, [], f"sent {sent!r}, max_head={len(sent)}")
        came = read(RequestReader(max_head=len(sent) - 1), [sent])
        self.assertEqual(came, [431], f"sent {sent!r}, max_head={len(sent) - 1}")

    def test_largest_body(self) -> None:
        """A body of exactly ``max_body`` bytes is accepted; it is no part of the head."""
        reader = RequestReader(max_head=len(POST) - 9, max_body=9)
        self.assertEqual(read(reader, [POST]), [parsed_post()], f"sent {POST!r}, max_body=9")

    def test_body_that_is_too_large(self) -> None:
        """It is refused before it is read (RFC 9110, 15.5.14)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: 10\r\n\r\n"
        self.assertEqual(read(RequestReader(max_body=9), [sent]), [413], f"sent {sent!r}")

    def test_length_of_five_thousand_digits(self) -> None:
        """Python itself refuses to read such a number."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: " + 5000 * b"9" + b"\r\n\r\n"
        came = read(RequestReader(), [sent])
        self.assertIn(came, ([400], [413]))

    def test_usual_limits(self) -> None:
        """Without other orders: a head of 16 KiB, a body of 1 MiB."""
        head = b"GET / HTTP/1.0\r\nX: " + 16361 * b"x" + b"\r\n\r\n"
        body = b"POST / HTTP/1.0\r\nContent-Length: 1048576\r\n\r\n" + 1048576 * b"x"
        sizes = []
        for sent in (head, body):
            (request,) = read(RequestReader(), [sent])
            sizes.append(request if isinstance(request, int) else len(request.body))
        self.assertEqual(sizes, [0, 1048576], "sent a head and a body of the largest size")
        self.assertEqual(read(RequestReader(), [head.replace(b"X", b"XX")]), [431])
        self.assertEqual(read(RequestReader(), [body.replace(b"576", b"577")]), [413])


class ChunkTests(TestCase):
    """The same bytes, cut differently, are the same requests."""

    maxDiff = None

    def assert_in_any_chunks(self, sent: bytes, expected: list[Request | int]) -> None:
        """Deliver ``sent`` whole, byte by byte and in every split into two."""
        came = read(RequestReader(max_head=60), [sent])
        self.assertEqual(came, expected, f"sent {sent!r}")
        came = read(RequestReader(max_head=60), one_by_one(sent))
        self.assertEqual(came, expected, f"sent {sent!r}, one byte at a time")
        for cut in range(1, len(sent)):
            chunks = [sent[:cut], sent[cut:]]
            came = read(RequestReader(max_head=60), chunks)
            self.assertEqual(came, expected, f"sent {chunks!r}")

    def test_requests_in_any_chunks(self) -> None:
        """A cut in a line, a CRLF, a number or a body changes nothing."""
        expected = [parsed_get(), parsed_post(), parsed_get()]
        self.assert_in_any_chunks(GET + POST + GET, [*expected])

    def test_bad_request_in_any_chunks(self) -> None:
        """What came before an error is given out before the error."""
        sent = GET + POST + b"G@T / HTTP/1.0\r\n\r\n"
        self.assert_in_any_chunks(sent, [parsed_get(), parsed_post(), 400])

    def test_large_head_in_any_chunks(self) -> None:
        """A limit is the same limit for every chunk."""
        sent = GET + b"GET / HTTP/1.0\r\nX: " + 60 * b"x" + b"\r\n\r\n" + GET
        self.assert_in_any_chunks(sent, [parsed_get(), 431])
