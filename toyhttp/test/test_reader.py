"""From chunks to requests: framing, limits, and any delivery of any bytes."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from time import process_time

from hypothesis import given
from twisted.trial.unittest import TestCase

from toyhttp.reader import MAX_LINE, RequestReader
from toyhttp.request import SIMPLE, BadRequest, Headers, Request

from .deliveries import MAX_BODY, MAX_HEAD, cut, cuts, one_by_one, property_settings, streams

timeout = 5

GET = b"GET /a HTTP/1.0\r\nHost: b\r\n\r\n"

Outcome = list[Request | tuple[int, bytes, bool, str]]


def read(chunks: Iterable[bytes], reader: RequestReader | None = None) -> Outcome:
    """Feed the chunks; return the requests, and last what a BadRequest says."""
    reader = reader or RequestReader()
    came: Outcome = []
    for chunk in chunks:
        reader.feed(chunk)
        try:
            for _ in range(len(chunk) + 1):  # so many bytes cannot be more requests
                if (request := reader.next_request()) is None:
                    break
                came.append(request)
            else:
                raise AssertionError(f"requests without end: {came[-1]!r}")
        except BadRequest as error:
            came.append((error.status, error.method, error.simple, str(error)))
            break
    return came


def statuses(came: Outcome) -> list[Request | int]:
    """Leave only the status of a BadRequest."""
    return [each if isinstance(each, Request) else each[0] for each in came]


def refusal(sent: bytes, reader: RequestReader | None = None) -> tuple[int, bytes, bool]:
    """Return status, method and ``simple`` of the only thing that comes: a BadRequest."""
    (came,) = read([sent], reader)
    assert isinstance(came, tuple), f"sent {sent!r}, and {came!r} came"
    return came[:3]


class SimpleRequestTests(TestCase):
    """A Simple-Request ends with its line."""

    def test_ends_with_its_line(self) -> None:
        """It is complete at its line end, and not before (RFC 1945, 5)."""
        for sent in (b"GET /a\r\n", b"GET /a\n"):
            self.assertEqual(read([sent[:-1]]), [], f"sent {sent[:-1]!r}")
            self.assertEqual(read([sent]), [Request(b"GET", b"/a", SIMPLE)], f"sent {sent!r}")

    def test_what_follows_is_the_next_request(self) -> None:
        """Nothing after its line is part of it (RFC 1945, 5)."""
        sent = b"GET /1\r\nGET /2\n" + GET
        expected = [
            Request(b"GET", b"/1", SIMPLE),
            Request(b"GET", b"/2", SIMPLE),
            Request(b"GET", b"/a", (1, 0), ((b"Host", b"b"),)),
        ]
        for chunks in ([sent], one_by_one(sent)):
            self.assertEqual(read(chunks), expected, f"sent {chunks!r}")

    def test_error_comes_with_its_line(self) -> None:
        """A bad Simple-Request is refused at its line end, as simple (RFC 1945, 6)."""
        sent = b"GET a\r\n"
        self.assertEqual(refusal(sent), (400, b"GET", True), f"sent {sent!r}")


class LineTests(TestCase):
    """The request line is judged when it is complete."""

    def test_blank_line_before_a_request(self) -> None:
        """One blank line is skipped, as old clients end a body with it (RFC 9112, 2.2)."""
        for blank in (b"\r\n", b"\n"):
            for sent in (blank + GET, GET + blank + GET):
                expected = sent.count(GET) * read([GET])
                for chunks in ([sent], one_by_one(sent)):
                    self.assertEqual(read(chunks), expected, f"sent {chunks!r}")

    def test_blank_line_before_a_simple_request(self) -> None:
        """It is skipped there too, and does not count as a request (RFC 9112, 2.2)."""
        sent = b"\r\nGET /a\r\n\r\nGET /a\r\n"
        for chunks in ([sent], one_by_one(sent)):
            expected = 2 * [Request(b"GET", b"/a", SIMPLE)]
            self.assertEqual(read(chunks), expected, f"sent {chunks!r}")

    def test_two_blank_lines(self) -> None:
        """A second blank line is no request line (RFC 1945, 5.1)."""
        for sent in (b"\r\n\r\n", b"\n\n", b"\r\n\n", b"\n\r\n"):
            for chunks in ([sent + GET], one_by_one(sent + GET)):
                self.assertEqual(statuses(read(chunks)), [400], f"sent {chunks!r}")

    def test_carriage_return_alone_is_no_blank_line(self) -> None:
        """A CR that no LF follows is part of the request line (RFC 1945, 2.2)."""
        sent = b"\r" + GET
        self.assertEqual(refusal(sent)[0], 400, f"sent {sent!r}")

    def test_bad_line_is_refused_at_its_end(self) -> None:
        """The rest of a head cannot make its first line good (RFC 1945, 5.1)."""
        for sent, status in (
            (b"nonsense\r\n", 400),
            (b"GET / HTTP/2.0\r\n", 505),
            (b"HEAD /\r\n", 400),
            (b"GET / HTTP/x\n", 400),
        ):
            self.assertEqual(read([sent[:-1]]), [], f"sent {sent[:-1]!r}")
            self.assertEqual(refusal(sent)[0], status, f"sent {sent!r}")


class HeadTests(TestCase):
    """The head ends with the blank line."""

    def test_mixed_line_ends(self) -> None:
        """Each line has a line end of its own, with CR or without (RFC 1945, B)."""
        expected: Outcome = [Request(b"GET", b"/", (1, 0), ((b"A", b"b"),))]
        for first in (b"\r\n", b"\n"):
            for second in (b"\r\n", b"\n"):
                for third in (b"\r\n", b"\n"):
                    sent = b"GET / HTTP/1.0" + first + b"A: b" + second + third
                    for chunks in ([sent], one_by_one(sent)):
                        self.assertEqual(read(chunks), expected, f"sent {chunks!r}")

    def test_no_header_fields(self) -> None:
        """The line end of the request line is half of the blank line (RFC 1945, 5)."""
        expected: Outcome = [Request(b"GET", b"/", (1, 0))]
        for sent in (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\n\n", b"GET / HTTP/1.0\r\n\n"):
            for chunks in ([sent], one_by_one(sent)):
                self.assertEqual(read(chunks), expected, f"sent {chunks!r}")

    def test_line_of_white_space_is_not_blank(self) -> None:
        """It is a folded line, so the head goes on (RFC 1945, 2.2)."""
        sent = b"GET / HTTP/1.0\r\nA: b\r\n \r\nC: d\r\n\r\n"
        headers: Headers = ((b"A", b"b"), (b"C", b"d"))
        self.assertEqual(read([sent]), [Request(b"GET", b"/", (1, 0), headers)], f"sent {sent!r}")

    def test_white_space_before_the_first_field(self) -> None:
        """A fold needs a field that it can go on with (RFC 9112, 2.2)."""
        for sent in (b"GET / HTTP/1.0\r\n A: b\r\n\r\n", b"GET / HTTP/1.0\r\n\tA: b\r\n\r\n"):
            self.assertEqual(refusal(sent)[0], 400, f"sent {sent!r}")

    def test_second_carriage_return(self) -> None:
        """CR CR LF is no blank line, and no line end (RFC 1945, 2.2)."""
        sent = b"GET / HTTP/1.0\r\nA: b\r\n\r\r\n"
        self.assertEqual(read([sent]), [], f"sent {sent!r}")
        self.assertEqual(refusal(sent + b"\r\n")[0], 400, f"sent {sent!r} and a blank line")


class LengthTests(TestCase):
    """Content-Length says how many bytes of body follow; every doubt is an error."""

    def assert_length(self, fields: bytes, status: int) -> None:
        """Assert that every method with these header fields gets this status."""
        for method in (b"GET", b"HEAD", b"POST"):
            sent = method + b" / HTTP/1.0\r\n" + fields + b"\r\n0123456789"
            self.assertEqual(refusal(sent)[0], status, f"sent {sent!r}")

    def test_leading_zeros(self) -> None:
        """A length is 1*DIGIT, and zeros before it change nothing (RFC 1945, 10.4)."""
        for length, body in ((b"03", b"abc"), (b"00000000000000000003", b"abc"), (b"00", b"")):
            sent = b"POST / HTTP/1.0\r\nContent-Length: " + length + b"\r\n\r\n"
            expected = Request(b"POST", b"/", (1, 0), ((b"Content-Length", length),), body)
            self.assertEqual(read([sent + body]), [expected], f"sent {sent + body!r}")

    def test_thousands_of_leading_zeros(self) -> None:
        """Python refuses to read so many digits, and its error stays inside (RFC 1945, 10.4)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: " + 5000 * b"0" + b"3\r\n\r\nabc"
        (request,) = read([sent])
        self.assertIsInstance(request, Request)

    def test_folded_length(self) -> None:
        """``1`` and a folded ``0`` are "1 0", which is no number (RFC 1945, 2.2)."""
        self.assert_length(b"Content-Length: 1\r\n 0\r\n", 400)

    def test_length_on_a_folded_line(self) -> None:
        """A length that stands alone on a folded line is a length (RFC 1945, 2.2)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length:\r\n 3\r\n\r\nabc"
        (request,) = read([sent])
        self.assertEqual(getattr(request, "body", request), b"abc", f"sent {sent!r}")

    def test_conflicting_lengths(self) -> None:
        """Two fields, or a list, could be read in two ways (RFC 9112, 6.3)."""
        self.assert_length(b"Content-Length: 3\r\nContent-Length: 4\r\n", 400)
        self.assert_length(b"Content-Length: 3\r\ncontent-length: 3\r\n", 400)
        self.assert_length(b"Content-Length: 3, 4\r\n", 400)
        self.assert_length(b"Content-Length: 3,3\r\n", 400)
        self.assert_length(b"Content-Length:\r\nContent-Length: 3\r\n", 400)

    def test_other_numbers(self) -> None:
        """A length is decimal digits and nothing else, on every method (RFC 1945, 10.4)."""
        for length in (b"", b"-3", b"+3", b"3.0", b"3e0", b"0x3", b"3_0", b'"3"', b"3;", b"\xb3"):
            self.assert_length(b"Content-Length: " + length + b"\r\n", 400)
        self.assert_length(b"Content-Length: \x0b3\r\n", 400)
        self.assert_length(b"Content-Length: \xa03\r\n", 400)

    def test_transfer_encoding(self) -> None:
        """HTTP/1.0 has no Transfer-Encoding, whatever its value (RFC 9112, 6.1)."""
        for value in (b"chunked", b"identity", b"gzip, chunked", b"x", b""):
            for name in (b"Transfer-Encoding", b"transfer-encoding"):
                self.assert_length(name + b": " + value + b"\r\n", 501)

    def test_transfer_encoding_with_a_length(self) -> None:
        """Two ways to frame one body is an attack (RFC 9112, 6.3)."""
        self.assert_length(b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400)
        self.assert_length(b"Content-Length: 3\r\nTransfer-Encoding: identity\r\n", 400)

    def test_surplus_is_not_body(self) -> None:
        """Exactly so many bytes are the body (RFC 1945, 7.2.2)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc" + GET
        expected = Request(b"POST", b"/", (1, 0), ((b"Content-Length", b"3"),), b"abc")
        for chunks in ([sent], one_by_one(sent)):
            self.assertEqual(read(chunks), [expected, *read([GET])], f"sent {chunks!r}")

    def test_post_without_a_length(self) -> None:
        """A POST without a length is refused at the blank line (RFC 1945, 7.2.2, 8.3)."""
        sent = b"POST / HTTP/1.0\r\nHost: a\r\n\r\n"
        self.assertEqual(read([sent[:-1]]), [], f"sent {sent[:-1]!r}")
        self.assertEqual(refusal(sent)[0], 400, f"sent {sent!r}")


class MethodTests(TestCase):
    """Which methods are implemented."""

    def test_unknown_method_is_refused_at_its_head(self) -> None:
        """Nobody waits for a body that nobody wants (RFC 1945, 5.1.1, 9.5)."""
        for method in (b"PUT", b"DELETE", b"get", b"GETX", b"!"):
            for length in (b"", b"Content-Length: 9\r\n", b"Content-Length: 99999999999\r\n"):
                sent = method + b" / HTTP/1.0\r\n" + length + b"\r\n"
                self.assertEqual(read([sent[:-1]]), [], f"sent {sent[:-1]!r}")
                self.assertEqual(refusal(sent)[0], 501, f"sent {sent!r}")

    def test_unknown_method_without_sense(self) -> None:
        """A bad length is a bad request for every method (RFC 1945, 9.4)."""
        sent = b"PUT / HTTP/1.0\r\nContent-Length: x\r\n\r\n"
        self.assertEqual(refusal(sent)[0], 400, f"sent {sent!r}")

    def test_errors_of_head_know_it(self) -> None:
        """The answer to a HEAD has no body, whatever is wrong with it (RFC 1945, 8.2)."""
        for rest, status in (
            (b" a HTTP/1.0\r\n", 400),
            (b" / HTTP/2.0\r\n", 505),
            (b" /\r\n", 400),
            (b"\t/a b HTTP/1.0\r\n", 400),
            (b" / HTTP/1.0\r\nA\r\n\r\n", 400),
            (b" / HTTP/1.0\r\nContent-Length: x\r\n\r\n", 400),
            (b" / HTTP/1.0\r\nContent-Length: 99999999\r\n\r\n", 413),
            (b" / HTTP/1.0\r\nTransfer-Encoding: x\r\n\r\n", 501),
            (b" / HTTP/1.0\r\n" + 101 * b"A: b\r\n" + b"\r\n", 431),
            (b" / HTTP/1.0\r\nA: " + 20000 * b"b", 431),
        ):
            sent = b"HEAD" + rest
            self.assertEqual(refusal(sent), (status, b"HEAD", False), f"sent {sent[:60]!r}")

    def test_method_of_what_has_begun(self) -> None:
        """What has come of a request says its method, from the space behind it on."""
        sent = b"\r\nHEAD / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab"
        reader = RequestReader()
        came = []
        for byte in one_by_one(sent):
            came.append(reader.method)
            reader.feed(byte)
            reader.next_request()
        self.assertEqual(came, 7 * [b""] + (len(sent) - 7) * [b"HEAD"])
        self.assertEqual(reader.method, b"", "all of it has come")


class LimitTests(TestCase):
    """The limits, at the very byte."""

    def test_longest_line(self) -> None:
        """A request line of exactly ``MAX_LINE`` bytes is accepted (RFC 9112, 3)."""
        line = b"GET /" + (MAX_LINE - 16) * b"a" + b" HTTP/1.0\r\n"
        self.assertEqual(len(line), MAX_LINE)
        for chunks in ([line, b"\r\n"], one_by_one(line + b"\r\n"), [b"\r\n" + line + b"\r\n"]):
            came = [getattr(each, "target", each) for each in read(chunks)]
            self.assertEqual(came, [line.split()[1]])

    def test_line_that_is_too_long(self) -> None:
        """One byte more is refused, with its end or before it (RFC 9112, 3)."""
        line = b"GET /" + (MAX_LINE - 15) * b"a" + b" HTTP/1.0\r\n"
        for chunks in ([line], one_by_one(line), [line[:-1], b"\n"], [b"\r\n" + line]):
            self.assertEqual(
                statuses(read(chunks)), [414], f"sent {[len(chunk) for chunk in chunks]} bytes"
            )

    def test_line_without_an_end(self) -> None:
        """It is refused as soon as it is too long, and not before (RFC 9112, 3)."""
        reader = RequestReader()
        self.assertEqual(read([MAX_LINE * b"a"], reader), [], f"sent {MAX_LINE} bytes")
        self.assertEqual(refusal(b"a", reader)[0], 414, f"sent {MAX_LINE + 1} bytes")

    def test_line_has_at_least_eight_thousand_bytes(self) -> None:
        """Less would be too little for real addresses (RFC 9112, 3)."""
        self.assertGreaterEqual(MAX_LINE, 8000)

    def test_line_of_a_small_head(self) -> None:
        """A line that is longer than a head may be is too long (RFC 9112, 3)."""
        reader = RequestReader(max_head=20)
        self.assertEqual(refusal(b"GET /aaaaaaaaaaaaaaaaaaaa", reader)[0], 414)

    def test_many_fields(self) -> None:
        """A hundred fields are accepted, and one more is refused (RFC 6585, 5)."""
        fields = 100 * b"A: b\r\n"
        sent = b"GET / HTTP/1.0\r\n" + fields + b"\r\n"
        (request,) = read([sent])
        self.assertEqual(len(getattr(request, "headers", ())), 100)
        sent = b"GET / HTTP/1.0\r\n" + fields + b"A: b\r\n\r\n"
        self.assertEqual(refusal(sent), (431, b"GET", False))

    def test_body_limit_of_zero(self) -> None:
        """A reader may accept no bodies at all (RFC 9110, 15.5.14)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
        self.assertEqual(len(read([sent], RequestReader(max_body=0))), 1, f"sent {sent!r}")
        sent = b"POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n"
        self.assertEqual(refusal(sent, RequestReader(max_body=0))[0], 413, f"sent {sent!r}")

    def test_lengths_near_the_limit(self) -> None:
        """The number is compared, and not its digits (RFC 9110, 15.5.14)."""
        for length, status in ((b"012", None), (b"13", 413), (b"0013", 413), (b"100", 413)):
            sent = b"POST / HTTP/1.0\r\nContent-Length: " + length + b"\r\n\r\n"
            came = statuses(read([sent], RequestReader(max_body=12)))
            self.assertEqual(came, [status] if status else [], f"sent {sent!r}")

    def test_length_of_five_thousand_digits(self) -> None:
        """Python refuses to read such a number, but too large it is (RFC 9110, 15.5.14)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: " + 5000 * b"9" + b"\r\n\r\n"
        self.assertEqual(refusal(sent), (413, b"POST", False), "sent 5000 digits")

    def test_body_is_refused_before_it_is_read(self) -> None:
        """A limit that is met after the fact is none (RFC 9110, 15.5.14)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: 1048577\r\n\r\n"
        self.assertEqual(refusal(sent), (413, b"POST", False), f"sent {sent!r}")


class ErrorTests(TestCase):
    """After an error nobody knows where the next request begins."""

    def test_error_stays(self) -> None:
        """Each further call raises the same error, whatever was fed (RFC 9112, 2.2)."""
        reader = RequestReader()
        expected = read([b"nonsense\r\n"], reader)
        for sent in (b"", GET, b"\r\n" + GET):
            self.assertEqual(read([sent], reader), expected, f"sent {sent!r} after an error")

    def test_requests_before_an_error_come_first(self) -> None:
        """What was complete before the error is still given out (RFC 1945, 5)."""
        sent = GET + b"GET /\r\nnonsense\r\n" + GET
        came = statuses(read([sent]))
        expected = [*read([GET]), Request(b"GET", b"/", SIMPLE), 400]
        self.assertEqual(came, expected, f"sent {sent!r}")

    def test_nothing_is_kept(self) -> None:
        """After an error the buffer is empty, and stays empty (RFC 9112, 2.2)."""
        for bad in (
            b"nonsense\r\n",
            b"GET / HTTP/1.0\r\nA\r\n\r\n",
            b"POST / HTTP/1.0\r\n\r\n",
            20000 * b"a",
            b"GET / HTTP/1.0\r\nA: " + 20000 * b"a",
        ):
            reader = RequestReader()
            read([bad + 1000 * GET], reader)
            sizes = [len(reader._buffer)]
            reader.feed(1000 * GET)
            sizes.append(len(reader._buffer))
            self.assertEqual(sizes, [0, 0], f"sent {bad[:60]!r}")

    def test_error_does_not_grow(self) -> None:
        """An error that is raised often is as large as one raised once."""
        reader = RequestReader()
        reader.feed(b"nonsense\r\n")
        sizes = []
        for _ in range(5):
            error = self.assertRaises(BadRequest, reader.next_request)
            sizes.append(len(traceback.extract_tb(error.__traceback__)))
        self.assertEqual(sizes[1:], 4 * sizes[1:2], "length of the traceback at each call")

    def test_explanation_quotes_nothing(self) -> None:
        """What a stranger sends is not sent back in an error (RFC 1945, 9.4)."""
        for sent in (
            b"QZX\r\n",
            b"QZX@ / HTTP/1.0\r\n",
            b"GET QZX HTTP/1.0\r\n",
            b"GET / QZX\r\n",
            b"GET / HTTP/1.0\r\nQZX\r\n\r\n",
            b"GET / HTTP/1.0\r\nContent-Length: QZX\r\n\r\n",
            b"GET / HTTP/1.0\r\nTransfer-Encoding: QZX\r\n\r\n",
            b"QZX / HTTP/1.0\r\n\r\n",
        ):
            (came,) = read([sent])
            assert isinstance(came, tuple)
            self.assertNotIn("QZX", came[3], f"sent {sent!r}")


class CostTests(TestCase):
    """What a stranger sends costs time and memory in proportion, and no more."""

    def test_bytes_without_an_end(self) -> None:
        """However much is sent, no more than a limit and a chunk is kept (RFC 9110, 5.4)."""
        limit = 16 * 1024 + 1024 * 1024
        for start, sent in (
            (b"", b"a"),
            (b"", b"\r\n"),
            (b"", b"\r"),
            (b"GET / HTTP/1.0\r\n", b"a"),
            (b"GET / HTTP/1.0\r\nA: b\r\n", b" "),
            (b"GET / HTTP/1.0\r\nA: b", b"\r\n a"),
            (b"POST / HTTP/1.0\r\nContent-Length: 1048576\r\n\r\n", b"a"),
            (b"PUT / HTTP/1.0\r\nContent-Length: 1048576\r\n\r\n", b"a"),
            (b"", GET),
            (b"", b"GET /\r\n\r\n"),
        ):
            reader = RequestReader()
            read([start], reader)
            chunk = sent * (4000 // len(sent))
            largest = 0
            for _ in range(300 if len(sent) < 5 else 30):
                read([chunk], reader)
                largest = max(largest, len(reader._buffer))
            self.assertLessEqual(
                largest, limit, f"sent {start!r} and then {sent!r} again and again"
            )

    def test_head_byte_by_byte(self) -> None:
        """No byte of a head is searched for each one that comes after it."""
        many = 1 << 17
        sent = b"GET / HTTP/1.0\r\nA: " + many * b"a"
        began = process_time()
        read(one_by_one(sent), RequestReader(max_head=2 * many))
        spent = process_time() - began
        self.assertLess(spent, 3, f"it took {spent} seconds")

    def test_many_requests_in_one_chunk(self) -> None:
        """What comes later is not moved for each request that comes before it."""
        sent = 20000 * b"GET / HTTP/1.0\r\n\r\n"
        began = process_time()
        self.assertEqual(len(read([sent])), 20000)
        spent = process_time() - began
        self.assertLess(spent, 3, f"it took {spent} seconds")


class DeliveryTests(TestCase):
    """What comes out depends on the bytes, and not on how they were cut."""

    def outcome(self, chunks: list[bytes]) -> Outcome:
        """Read the chunks, and watch the buffer after each of them."""
        reader = RequestReader(max_head=MAX_HEAD, max_body=MAX_BODY)
        came: Outcome = []
        for chunk in chunks:
            before = len(reader._buffer)
            came += read([chunk], reader)
            kept = len(reader._buffer)
            self.assertLessEqual(kept, before + len(chunk), f"sent {chunks!r}")
            self.assertLessEqual(kept, MAX_HEAD + MAX_BODY, f"sent {chunks!r}")
            if came and isinstance(came[-1], tuple):
                self.assertEqual(kept, 0, f"sent {chunks!r}")
                break
        return came

    @property_settings(350)
    @given(streams, cuts)
    def test_any_bytes_in_any_chunks(self, sent: bytes, places: list[int]) -> None:
        """The same requests and the same error come from every delivery."""
        whole = self.outcome([sent])
        for chunks in (cut(sent, places), one_by_one(sent)):
            self.assertEqual(self.outcome(chunks), whole, f"sent {chunks!r}")
