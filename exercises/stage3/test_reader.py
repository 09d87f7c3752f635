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


def read(reader: RequestReader, chunks: Iterable[bytes]) -> list[Request | int]:
    """Feed the chunks; return the requests that came, and the status of a BadRequest."""
    came: list[Request | int] = []
    try:
        for chunk in chunks:
            reader.feed(chunk)
            while (request := reader.next_request()) is not None:
                came.append(request)
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
        expected = Request(b"GET", b"/a", (1, 0), ((b"Host", b"b"),))
        self.assertEqual(reader.next_request(), expected, f"sent {GET!r}")

    def test_nothing_yet(self) -> None:
        """Before the first byte there is no request, and that is no error."""
        self.assertIsNone(RequestReader().next_request())

    def test_request_comes_once(self) -> None:
        """A request that was given out is not given out again."""
        reader = RequestReader()
        reader.feed(GET)
        came = (reader.next_request(), reader.next_request())
        self.assertEqual(came[1], None, f"sent {GET!r} once, and {came[0]!r} came first")

    def test_no_request_before_its_last_byte(self) -> None:
        """Each byte but the last leaves the request incomplete (RFC 1945, 5)."""
        for end in range(len(GET)):
            came = read(RequestReader(), [GET[:end]])
            self.assertEqual(came, [], f"sent {GET[:end]!r}")

    def test_byte_by_byte(self) -> None:
        """TCP may deliver every byte alone."""
        expected = [Request(b"GET", b"/a", (1, 0), ((b"Host", b"b"),))]
        came = read(RequestReader(), one_by_one(GET))
        self.assertEqual(came, expected, f"sent {GET!r}, one byte at a time")

    def test_line_feed_alone_ends_a_line(self) -> None:
        """A blank line is a blank line, with CR or without (RFC 1945, B)."""
        sent = b"GET /a HTTP/1.0\nHost: b\n\n"
        expected = [Request(b"GET", b"/a", (1, 0), ((b"Host", b"b"),))]
        self.assertEqual(read(RequestReader(), [sent]), expected, f"sent {sent!r}")

    def test_two_requests_in_one_chunk(self) -> None:
        """What follows a request is kept: it is the next one."""
        came = read(RequestReader(), [GET + GET])
        self.assertEqual(came, 2 * read(RequestReader(), [GET]), f"sent {GET + GET!r}")

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
        (request,) = read(RequestReader(), [POST])
        expected = Request(
            b"POST", b"/c", (1, 0), ((b"Content-Length", b"9"),), b"d\r\n\r\ne\x00\xff\n"
        )
        self.assertEqual(request, expected, f"sent {POST!r}")

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
        sent = b"GET / HTTP/1.0\r\ncontent-length: 3\r\n\r\nabc"
        expected = [Request(b"GET", b"/", (1, 0), ((b"content-length", b"3"),), b"abc")]
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
        sent = b"POST / HTTP/1.0\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"
        self.assertEqual(read(RequestReader(), [sent]), [400], f"sent {sent!r}")


class LimitTests(TestCase):
    """A stranger does not decide how much memory is used."""

    def test_largest_head(self) -> None:
        """A head of exactly ``max_head`` bytes is accepted, however it comes."""
        for chunks in ([GET], one_by_one(GET)):
            came = read(RequestReader(max_head=len(GET)), chunks)
            self.assertEqual(came, read(RequestReader(), [GET]), f"sent {chunks!r}")

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
        self.assertEqual(read(reader, [POST]), read(RequestReader(), [POST]), f"sent {POST!r}")

    def test_body_that_is_too_large(self) -> None:
        """It is refused before it is read (RFC 9110, 15.5.14)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: 10\r\n\r\n"
        self.assertEqual(read(RequestReader(max_body=9), [sent]), [413], f"sent {sent!r}")

    def test_length_of_five_thousand_digits(self) -> None:
        """Python itself refuses to read such a number."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: " + 5000 * b"9" + b"\r\n\r\n"
        (status,) = read(RequestReader(), [sent])
        self.assertIn(status, (400, 413), "sent a Content-Length of 5000 digits")

    def test_usual_limits(self) -> None:
        """Without other orders: a head of 16 KiB, a body of 1 MiB."""
        head = b"GET / HTTP/1.0\r\nX: " + 16361 * b"x" + b"\r\n\r\n"
        body = b"POST / HTTP/1.0\r\nContent-Length: 1048576\r\n\r\n" + 1048576 * b"x"
        refused = [head.replace(b"X", b"XX"), body.replace(b"576", b"577")]
        came = [read(RequestReader(), [sent]) for sent in (head, body, *refused)]
        self.assertEqual([len(came[0]), len(came[1]), *came[2:]], [1, 1, [431], [413]])


class ChunkTests(TestCase):
    """The same bytes, cut differently, are the same requests."""

    maxDiff = None

    def assert_chunks_do_not_matter(self, sent: bytes, count: int) -> None:
        """Deliver ``sent`` whole, byte by byte and in every split into two."""
        whole = read(RequestReader(max_head=60), [sent])
        self.assertEqual(len(whole), count, f"sent {sent!r}")
        came = read(RequestReader(max_head=60), one_by_one(sent))
        self.assertEqual(came, whole, f"sent {sent!r}, one byte at a time")
        for cut in range(1, len(sent)):
            chunks = [sent[:cut], sent[cut:]]
            came = read(RequestReader(max_head=60), chunks)
            self.assertEqual(came, whole, f"sent {chunks!r}")

    def test_requests_in_any_chunks(self) -> None:
        """A cut in a line, a CRLF, a number or a body changes nothing."""
        self.assert_chunks_do_not_matter(GET + POST + GET + GET, 4)

    def test_bad_request_in_any_chunks(self) -> None:
        """What came before an error is given out before the error."""
        self.assert_chunks_do_not_matter(GET + POST + b"G@T / HTTP/1.0\r\n\r\n", 3)

    def test_large_head_in_any_chunks(self) -> None:
        """A limit is the same limit for every chunk."""
        self.assert_chunks_do_not_matter(GET + b"GET / HTTP/1.0\r\nX: " + 60 * b"x" + GET, 2)
