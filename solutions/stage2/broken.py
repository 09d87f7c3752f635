"""The broken servers of stage 2."""

from solutions.broken import Broken, Freedom

BROKEN = (
    Broken(
        file="response.py",
        text="formatdate(int(now), usegmt=True)",
        replacement="formatdate(now, usegmt=True)",
        story="It shows a second that has not begun yet.",
        violates="DateTests.test_whole_seconds",
    ),
    Broken(
        file="response.py",
        text="% len(response.body)",
        replacement='% len(response.body.decode("utf-8", "replace"))',
        story="It counts letters where bytes are sent.",
        violates="RenderTests.test_content_length_counts_bytes",
    ),
    Broken(
        file="response.py",
        text="VALUE.fullmatch(value)",
        replacement="VALUE.match(value)",
        story="It lets a value with a line end begin a field of its own.",
        violates="FieldTests.test_value",
    ),
    Broken(
        file="response.py",
        text="TOKEN.fullmatch(name)",
        replacement="TOKEN.match(name)",
        story="It lets a name with a line end begin a field of its own.",
        violates="FieldTests.test_name",
    ),
    Broken(
        file="response.py",
        text="WITHOUT_BODY = (204, 304)",
        replacement="WITHOUT_BODY = (204,)",
        story="It sends a body with a 304, which the client takes for the next answer.",
        violates="NoBodyTests.test_not_modified",
    ),
    Broken(
        file="response.py",
        text="if response.status not in WITHOUT_BODY:",
        replacement="if response.status not in WITHOUT_BODY and not head_only:",
        story="It forgets the length in the answer to a HEAD.",
        violates="NoBodyTests.test_head",
    ),
    Broken(
        file="response.py",
        text="% (response.status, reason)]",
        replacement="% (response.status, reason)]\n    lines = [lines[0].rstrip()]",
        story="It drops the space behind a code that has no phrase.",
        violates="StatusLineTests.test_code_without_a_phrase",
    ),
    Broken(
        file="response.py",
        text=".encode()), *response.headers]",
        replacement=".encode()), *dict(response.headers).items()]",
        story="It sends only one of several fields with one name.",
        violates="RenderTests.test_fields_keep_their_order",
    ),
    Broken(
        file="response.py",
        text='    body: bytes = b""\n',
        replacement='    body: bytes = b""\n\n'
        "    def __eq__(self, other: object) -> bool:\n"
        "        return isinstance(other, Response) and self.status == other.status\n",
        story="It takes all answers with one status for the same.",
        violates="ResponseTests.test_each_value_counts",
    ),
    Broken(
        file="response.py",
        text='return b"\\r\\n".join([*lines, b"", body])',
        replacement='return bytearray(b"\\r\\n").join([*lines, b"", body])',
        story="It returns a bytearray, which no transport takes.",
        violates="ValueTests.test_type",
    ),
    Broken(
        file="response.py",
        text="for name, value in response.headers:",
        replacement="for name, value in response.headers[:1]:",
        story="It looks at the first field alone before it sends them all.",
        violates="FieldTests.test_each_field_counts",
    ),
    Broken(
        file="response.py",
        text="formatdate(int(now), usegmt=True)",
        replacement="formatdate(int(now), localtime=True).rpartition(' ')[0] + ' GMT'",
        story="It shows the time of the machine's own time zone, and calls it GMT.",
        violates="DateTests.test_any_time_zone",
    ),
    Broken(
        file="response.py",
        text="WITHOUT_BODY = (204, 304)",
        replacement="WITHOUT_BODY = (204, *range(300, 400))",
        story="It drops the body of each redirect.",
        violates="BodyTests.test_each_status",
    ),
    Broken(
        file="response.py",
        text='rb"[^\\x00\\r\\n]*"',
        replacement='rb"[\\t -~]*"',
        story="It refuses a value with a letter that is not ASCII.",
        violates="FieldTests.test_value",
    ),
    Broken(
        file="response.py",
        text="status.phrase for status",
        replacement="status.name.replace('_', ' ').title() for status",
        story="It writes Ok for OK.",
        violates="RenderTests.test_whole_response",
    ),
    Broken(
        file="response.py",
        text='return b"\\r\\n".join([*lines, b"", body])',
        replacement='return b"\\r\\n".join([*lines, b"", body.strip()])',
        story="It drops white space at both ends of a body, but not from its length.",
        violates="BodyTests.test_any_bytes",
    ),
)

FREEDOMS = (
    Freedom(
        file="response.py",
        text='    body: bytes = b""\n',
        replacement='    body: bytes = b""\n\n'
        "    def __post_init__(self) -> None:\n"
        "        for name, value in self.headers:\n"
        "            if not TOKEN.fullmatch(name) or not VALUE.fullmatch(value):\n"
        "                raise ValueError('This header field cannot be sent.')\n",
        story="whether a field is refused when a response is built, or when it is rendered",
    ),
    Freedom(
        file="response.py",
        text="@dataclass(frozen=True)",
        replacement="@dataclass",
        story="whether a response can be changed",
    ),
    Freedom(
        file="response.py",
        text="REASONS = {status.value: status.phrase for status in HTTPStatus}",
        replacement="REASONS = {status.value: status.phrase for status in HTTPStatus}\n"
        "REASONS |= {302: 'Moved Temporarily', 413: 'Content Too Large', 418: ''}",
        story="which phrase belongs to a code that RFC 1945 does not know, and to 302",
    ),
    Freedom(
        file="response.py",
        text="    for name, value in response.headers:",
        replacement="    if not 200 <= response.status <= 599:\n"
        "        raise ValueError('No such status.')\n"
        "    for name, value in response.headers:\n"
        "        if name.lower() in (b'date', b'content-length'):\n"
        "            raise ValueError('The server writes this field.')",
        story="whether a server sends a Date or a Content-Length of the handler's, or a status like 99",
    ),
)
