"""Stage 3, the core: any chunks.

The tests are in the order in which you would make them pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from traceback import format_exc

from twisted.trial.unittest import FailTest, TestCase

from exercises.myhttp.reader import RequestReader
from exercises.myhttp.request import BadRequest, Request

timeout = 5  # seconds, for a Deferred that never fires; it ends no endless loop

GET = b"GET /a HTTP/1.0\r\nHost: b\r\n\r\n"
POST = b"POST /c HTTP/1.0\r\nContent-Length: 9\r\n\r\nd\r\n\r\ne\x00\xff\n"


def parsed_get() -> Request:
    """Return the request that ``GET`` is."""
    return Request(b"GET", b"/a", (1, 0), ((b"Host", b"b"),))


def parsed_post() -> Request:
    """Return the request that ``POST`` is."""
    headers = ((b"Content-Length", b"9"),)
    return Request(b"POST", b"/c", (1, 0), headers, b"d\r\n\r\ne\x00\xff\n")


def read(chunks: list[bytes], **limits: int) -> list[Request | int]:
    """Feed a reader; return what it gives: requests, and the status of a BadRequest."""
    came: list[Request | int] = []
    try:
        reader = RequestReader(**limits)
        for chunk in chunks:
            reader.feed(chunk)
            while (request := reader.next_request()) is not None:
                came.append(request)
                assert len(came) < 100, "next_request gives out requests without end"
    except BadRequest as error:
        came.append(error.status)
    except Exception:
        raise FailTest(f"sent {chunks!r:.500}, and this came:\n{format_exc()}") from None
    return came


def one_by_one(data: bytes) -> list[bytes]:
    """Cut the bytes into chunks of one byte."""
    return [data[i : i + 1] for i in range(len(data))]


def deliveries(data: bytes) -> Iterator[list[bytes]]:
    """Cut the bytes into chunks of each size, from one byte to all; and into two at each place."""
    for size in range(1, len(data) + 1):
        yield [data[i : i + size] for i in range(0, len(data), size)]
    for cut in range(1, len(data)):
        yield [data[:cut], data[cut:]]


class ChunkTests(TestCase):
    """The same bytes, cut differently, are the same requests."""

    maxDiff = None

    def test_whole_request(self) -> None:
        """All the bytes at once give the request; it ends with the blank line (RFC 1945, 5)."""
        reader = RequestReader()
        reader.feed(GET)
        self.assertEqual(reader.next_request(), parsed_get(), f"sent {GET!r}")

    def test_no_request_before_its_last_byte(self) -> None:
        """Each byte but the last leaves the request incomplete (RFC 1945, 5)."""
        for end in range(len(GET)):
            self.assertEqual(read([GET[:end]]), [], f"sent {GET[:end]!r}")

    def test_byte_by_byte(self) -> None:
        """TCP may deliver every byte alone."""
        chunks = one_by_one(GET)
        self.assertEqual(read(chunks), [parsed_get()], f"sent {chunks!r}")

    def test_every_split_into_two(self) -> None:
        """A cut in a line, in a word or in a line end changes nothing."""
        for cut in range(1, len(GET)):
            chunks = [GET[:cut], GET[cut:]]
            self.assertEqual(read(chunks), [parsed_get()], f"sent {chunks!r}")

    def test_two_requests_in_one_chunk(self) -> None:
        """What follows a request is kept: it is the next one."""
        self.assertEqual(read([GET + GET]), [parsed_get(), parsed_get()], f"sent {[GET + GET]!r}")

    def test_request_comes_once(self) -> None:
        """Before the first byte, and after the last request, there is no request and no error."""
        reader = RequestReader()
        came = [reader.next_request()]
        reader.feed(GET)
        came += [reader.next_request(), reader.next_request()]
        self.assertEqual(came, [None, parsed_get(), None], f"asked, sent {GET!r}, asked twice")

    def test_requests_in_any_chunks(self) -> None:
        """Every size of chunks, and every split, gives the same three requests."""
        sent = GET + b"HEAD / HTTP/1.0\r\n\r\n" + GET
        expected = [parsed_get(), Request(b"HEAD", b"/", (1, 0)), parsed_get()]
        for chunks in deliveries(sent):
            self.assertEqual(read(chunks), expected, f"sent {chunks!r}")


class BodyTests(TestCase):
    """``Content-Length`` says how many bytes follow the head."""

    maxDiff = None

    def test_body(self) -> None:
        """A body is any bytes, blank lines among them (RFC 1945, 7.2)."""
        self.assertEqual(read([POST]), [parsed_post()], f"sent {[POST]!r}")

    def test_no_request_before_the_last_byte_of_its_body(self) -> None:
        """A head without its body is not a request yet (RFC 1945, 7.2.2)."""
        for end in range(len(POST)):
            self.assertEqual(read([POST[:end]]), [], f"sent {POST[:end]!r}")

    def test_bodies_in_any_chunks(self) -> None:
        """A cut in a number, after a head or in a body changes nothing."""
        for chunks in deliveries(GET + POST + POST + GET):
            expected = [parsed_get(), parsed_post(), parsed_post(), parsed_get()]
            self.assertEqual(read(chunks), expected, f"sent {chunks!r}")

    def test_body_of_no_bytes(self) -> None:
        """A length of 0 is a length (RFC 1945, 10.4)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
        empty = Request(b"POST", b"/", (1, 0), ((b"Content-Length", b"0"),))
        self.assertEqual(read([sent]), [empty], f"sent {sent!r}")
        self.assertEqual(read([sent + GET]), [empty, parsed_get()], f"sent {sent + GET!r}")

    def test_any_request_may_have_a_body(self) -> None:
        """If the body of a GET were not read, it would be taken for the next request."""
        for method in (b"GET", b"HEAD"):
            sent = method + b" / HTTP/1.0\r\ncontent-length: 3\r\n\r\nabc"
            expected = Request(method, b"/", (1, 0), ((b"content-length", b"3"),), b"abc")
            self.assertEqual(read([sent[:-1]]), [], f"sent {sent[:-1]!r}")
            self.assertEqual(read([sent + GET]), [expected, parsed_get()], f"sent {sent + GET!r}")


class RefusalTests(TestCase):
    """Bad input is refused as soon as it is known to be bad."""

    def test_what_is_no_request(self) -> None:
        """It is a BadRequest once its head is complete (RFC 1945, 9.4)."""
        for sent in (b"GET\r\n\r\n", b"G@T / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\r\nHost\r\n\r\n"):
            self.assertEqual(read([sent]), [400], f"sent {sent!r}")

    def test_requests_before_a_bad_one(self) -> None:
        """They are given out before the error, in whatever chunks they arrive."""
        for chunks in deliveries(GET + POST + b"G@T / HTTP/1.0\r\n\r\n"):
            self.assertEqual(read(chunks), [parsed_get(), parsed_post(), 400], f"sent {chunks!r}")

    def test_post_without_a_length(self) -> None:
        """Nobody could know where its body ends (RFC 1945, 7.2.2, 8.3)."""
        sent = b"POST / HTTP/1.0\r\n\r\n"
        self.assertEqual(read([sent]), [400], f"sent {sent!r}")

    def test_length_that_is_no_number(self) -> None:
        """With such a length nobody knows it either (RFC 1945, 10.4)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: ten\r\n\r\n0123456789"
        self.assertEqual(read([sent]), [400], f"sent {sent!r}")

    def test_large_head(self) -> None:
        """It is refused, even if it never ends (RFC 6585, 5)."""
        sent = b"GET / HTTP/1.0\r\nX: " + 100 * b"x"
        for end in (b"", b"\r\n\r\n"):
            actual = read([sent + end], max_head=100)
            self.assertEqual(actual, [431], f"sent {sent + end!r}, max_head=100")

    def test_large_body(self) -> None:
        """It is refused before it is read (RFC 9110, 15.5.14)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: 100\r\n\r\n"
        self.assertEqual(read([sent], max_body=50), [413], f"sent {sent!r}, max_body=50")
