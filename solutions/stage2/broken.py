"""The broken servers of stage 2."""

from solutions.broken import Broken

BROKEN = (
    Broken(
        file="response.py",
        text="formatdate(int(now), usegmt=True)",
        replacement="formatdate(now, usegmt=True)",
        story="It shows a second that has not begun yet.",
        violates="RenderTests.test_date_is_in_whole_seconds",
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
        violates="BadFieldTests.test_value_with_a_line_end",
    ),
    Broken(
        file="response.py",
        text="TOKEN.fullmatch(name)",
        replacement="TOKEN.match(name)",
        story="It lets a name with a line end begin a field of its own.",
        violates="BadFieldTests.test_name_that_is_no_token",
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
)
