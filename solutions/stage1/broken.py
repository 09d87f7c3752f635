"""The broken servers of stage 1."""

from solutions.broken import Broken

BROKEN = (
    Broken(
        file="request.py",
        text="key.lower() == name.lower()",
        replacement="key == name",
        story="It finds a field only if the client wrote its name in the same case.",
        violates="HeaderFieldTests.test_name_is_found_in_any_case",
    ),
    Broken(
        file="request.py",
        text='value.strip(b" \\t")',
        replacement="value.strip()",
        story="It drops bytes around a value that are no white space in HTTP.",
        violates="HeaderFieldTests.test_space_around_a_value_is_dropped",
    ),
    Broken(
        file="request.py",
        text='line.partition(b":")',
        replacement='line.rpartition(b":")',
        story="It takes a part of the value for the name when the value has a colon in it.",
        violates="HeaderFieldTests.test_value_may_hold_a_colon",
    ),
    Broken(
        file="request.py",
        text="if not colon or not TOKEN.fullmatch(name):",
        replacement="if not colon or not TOKEN.fullmatch(name.rstrip()):",
        story="It accepts space before the colon, so that a proxy in front sees another field.",
        violates="BadRequestTests.test_name_is_a_token",
    ),
    Broken(
        file="request.py",
        text="VERSION.fullmatch(version)",
        replacement="VERSION.match(version)",
        story="It reads a version and does not see that it goes on.",
        violates="BadRequestTests.test_version_is_digits",
    ),
    Broken(
        file="request.py",
        text='rb"[^\\x00\\r]*"',
        replacement='rb"[^\\x00]*"',
        story="It accepts a lone carriage return in a value, which ends the line for other readers.",
        violates="BadRequestTests.test_value_without_nul_or_carriage_return",
    ),
    Broken(
        file="request.py",
        text='if lines[-2:] != [b"", b""]:',
        replacement='if lines[-1:] != [b""]:',
        story="It accepts a head that was cut off after a line.",
        violates="BadRequestTests.test_head_without_its_end",
    ),
    Broken(
        file="request.py",
        text='line.removesuffix(b"\\r")',
        replacement='line.rstrip(b"\\r")',
        story="It swallows carriage returns that belong to no line end.",
        violates="BadRequestTests.test_value_without_nul_or_carriage_return",
    ),
    Broken(
        file="request.py",
        text='b", ".join(values) if values else None',
        replacement="values[-1] if values else None",
        story="It knows only the last of several fields with one name.",
        violates="HeaderFieldTests.test_field_that_was_sent_twice",
    ),
)
