"""The broken servers of stage 3."""

from solutions.broken import Broken

BROKEN = (
    Broken(
        file="reader.py",
        text="self._buffer[:size], self._buffer[size:]",
        replacement='self._buffer[:size], b""',
        story="It forgets what came in the same chunk, behind the request.",
        violates="HeadTests.test_two_requests_in_one_chunk",
    ),
    Broken(
        file="reader.py",
        text='rb"\\n\\r?\\n"',
        replacement='rb"\\r\\n\\r\\n"',
        story="It waits for ever when lines end with a line feed alone.",
        violates="HeadTests.test_line_feed_alone_ends_a_line",
    ),
    Broken(
        file="reader.py",
        text="if size > self._max_head:",
        replacement="if not end and size > self._max_head:",
        story="It has a limit for a head that trickles in, and none for one that comes whole.",
        violates="LimitTests.test_head_that_is_too_large",
    ),
    Broken(
        file="reader.py",
        text="if size > self._max_head:",
        replacement="if end and size > self._max_head:",
        story="It buffers a head without an end until the memory is full.",
        violates="LimitTests.test_head_without_an_end",
    ),
    Broken(
        file="reader.py",
        text="if len(self._buffer) < length:",
        replacement="if length and not self._buffer:",
        story="It gives out a request with half of its body.",
        violates="BodyTests.test_no_request_before_the_last_byte_of_its_body",
    ),
    Broken(
        file="reader.py",
        text="LENGTH.fullmatch(value)",
        replacement="LENGTH.match(value)",
        story="It reads a length and does not see that it goes on.",
        violates="BodyTests.test_length_is_digits",
    ),
    Broken(
        file="reader.py",
        text='if request.method == b"POST":',
        replacement='if request.method == b"PUT":',
        story="It takes a POST without a length for one without a body.",
        violates="BodyTests.test_post_without_a_length",
    ),
    Broken(
        file="reader.py",
        text="if int(value) > self._max_body:",
        replacement="if len(self._buffer) > self._max_body:",
        story="It refuses a large body only after it has buffered it.",
        violates="LimitTests.test_body_that_is_too_large",
    ),
    Broken(
        file="reader.py",
        text="if value is None:",
        replacement='if value is None or request.method == b"GET":',
        story="It takes the body of a GET for the next request.",
        violates="BodyTests.test_any_request_may_have_a_body",
    ),
)
