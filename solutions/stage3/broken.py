"""The broken servers of stage 3."""

from solutions.broken import Broken, Freedom

BROKEN = (
    Broken(
        file="reader.py",
        text="self._buffer[:size], self._buffer[size:]",
        replacement='self._buffer[:size], b""',
        story="It forgets what came in the same chunk, behind the request.",
        violates="ChunkTests.test_two_requests_in_one_chunk",
    ),
    Broken(
        file="reader.py",
        text='rb"\\n\\r?\\n"',
        replacement='rb"\\r\\n\\r\\n"',
        story="It waits for ever when lines end with a line feed alone.",
        violates="LineEndTests.test_line_feed_alone",
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
        violates="RefusalTests.test_large_head",
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
        violates="LengthTests.test_digits",
    ),
    Broken(
        file="reader.py",
        text='if request.method == b"POST":',
        replacement='if request.method == b"PUT":',
        story="It takes a POST without a length for one without a body.",
        violates="RefusalTests.test_post_without_a_length",
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
    Broken(
        file="reader.py",
        text="        self._buffer += data",
        replacement="        self._buffer = data",
        story="It takes each chunk for a whole request.",
        violates="ChunkTests.test_byte_by_byte",
    ),
    Broken(
        file="reader.py",
        text="HEAD_END.search(self._buffer)",
        replacement="HEAD_END.search(self._buffer, len(self._buffer) - 2)",
        story="It looks for the blank line in the last two bytes, where it was when it came byte by byte.",
        violates="ChunkTests.test_whole_request",
    ),
    Broken(
        file="reader.py",
        text="max_body: int = 1024 * 1024) -> None:\n"
        "        self._max_head = max_head\n"
        "        self._max_body = max_body\n"
        '        self._buffer = b""\n',
        replacement="max_body: int = 1024 * 1024, buffer=bytearray()) -> None:\n"
        "        self._max_head = max_head\n"
        "        self._max_body = max_body\n"
        "        self._buffer = buffer\n",
        story="All readers have one buffer: one client's bytes get into another's request.",
        violates="ReaderTests.test_readers_share_nothing",
    ),
    Broken(
        file="reader.py",
        text='        self._buffer = b""\n',
        replacement="        self._buffer = bytearray()\n",
        story="Its bodies are bytearrays.",
        violates="ReaderTests.test_types",
    ),
    Broken(
        file="reader.py",
        text="        return replace(request, body=self._take(length))",
        replacement="        self._given = [*getattr(self, '_given', []), self._buffer[:length]]\n"
        "        return replace(request, body=self._take(length))",
        story="It keeps every body that it has ever given out.",
        violates="ReaderTests.test_nothing_is_kept",
    ),
    Broken(
        file="reader.py",
        text="        return self._take(size) if end else None",
        replacement="        self._max_head -= size if end else 0\n"
        "        return self._take(size) if end else None",
        story="Its limit for a head counts the heads of all requests together.",
        violates="LimitTests.test_largest_head",
    ),
    Broken(
        file="reader.py",
        text="if size > self._max_head:",
        replacement="if size >= self._max_head:",
        story="It refuses a head that is as large as is allowed.",
        violates="LimitTests.test_largest_head",
    ),
    Broken(
        file="reader.py",
        text='value = request.header(b"Content-Length")',
        replacement="value = dict(request.headers).get(b'Content-Length')",
        story="It finds the length only if the client wrote its name in the usual case.",
        violates="BodyTests.test_any_request_may_have_a_body",
    ),
    Broken(
        file="reader.py",
        text='value = request.header(b"Content-Length")',
        replacement="value = {name.lower(): value for name, value in request.headers}.get(b'content-length')",
        story="Of two lengths it takes the last one.",
        violates="LengthTests.test_two_lengths",
    ),
    Broken(
        file="reader.py",
        text="return int(value)",
        replacement="return int(value, 8 if value[:1] == b'0' else 10)",
        story="It takes a length with a zero before it for an octal number.",
        violates="LengthTests.test_leading_zeros",
    ),
)

FREEDOMS = (
    Freedom(
        file="reader.py",
        text="        end = HEAD_END.search(self._buffer)",
        replacement='        if self._buffer[:2] == b"\\r\\n":\n'
        "            self._take(2)\n"
        "        end = HEAD_END.search(self._buffer)",
        story="whether a line end before a request line is skipped",
    ),
    Freedom(
        file="reader.py",
        text="            self._waiting = request, self._length(request)",
        replacement='            if request.method not in (b"GET", b"HEAD", b"POST"):\n'
        '                raise BadRequest("Nobody knows this method.", 501)\n'
        "            self._waiting = request, self._length(request)",
        story="whether the reader refuses a method that it does not know",
    ),
    Freedom(
        file="reader.py",
        text='raise BadRequest("The head of the request is too large.", 431)',
        replacement='line = self._buffer.partition(b"\\n")[0]\n'
        "            raise BadRequest('Too large.', 414 if len(line) > self._max_head else 431)",
        story="which status answers a request line that is too large by itself",
    ),
    Freedom(
        file="reader.py",
        text='rb"[0-9]{1,20}"',
        replacement='rb"0*[0-9]{1,9}"',
        story="whether a length of very many digits is answered with 400 or with 413",
    ),
)
