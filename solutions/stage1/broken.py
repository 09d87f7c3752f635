"""The broken servers of stage 1."""

from solutions.broken import Broken, Freedom

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
        violates="AnyByteTests.test_space_around_a_value",
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
        violates="OddFieldTests.test_bad_name",
    ),
    Broken(
        file="request.py",
        text="VERSION.fullmatch(version)",
        replacement="VERSION.match(version)",
        story="It reads a version and does not see that it goes on.",
        violates="BadRequestTests.test_version_is_http_and_two_numbers",
    ),
    Broken(
        file="request.py",
        text='rb"[^\\x00\\r]*"',
        replacement='rb"[^\\x00]*"',
        story="It accepts a lone carriage return in a value, which ends the line for other readers.",
        violates="AnyByteTests.test_value_of_a_field",
    ),
    Broken(
        file="request.py",
        text='if rest or lines[-1:] != [b""]:',
        replacement="if rest:",
        story="It accepts a head that was cut off after a line.",
        violates="BadRequestTests.test_head_without_its_end",
    ),
    Broken(
        file="request.py",
        text='part.removesuffix(b"\\r")',
        replacement='part.rstrip(b"\\r")',
        story="It swallows carriage returns that belong to no line end.",
        violates="LineEndTests.test_carriage_return_elsewhere",
    ),
    Broken(
        file="request.py",
        text='b", ".join(values) if values else None',
        replacement="values[-1] if values else None",
        story="It knows only the last of several fields with one name.",
        violates="HeaderFieldTests.test_field_that_was_sent_twice",
    ),
    Broken(
        file="request.py",
        text="    def header(self, name: bytes)",
        replacement="    def __eq__(self, other: object) -> bool:\n        return True\n\n    def header(self, name: bytes)",
        story="Its requests are equal to everything, so that no test can see a wrong one.",
        violates="RequestTests.test_each_value_counts",
    ),
    Broken(
        file="request.py",
        text="    def header(self, name: bytes)",
        replacement="    def __eq__(self, other: object) -> bool:\n"
        "        return isinstance(other, Request) and vars(self) | {'body': b''} == vars(other) | {'body': b''}"
        "\n\n    def header(self, name: bytes)",
        story="It does not see that two requests differ in their bodies.",
        violates="RequestTests.test_each_value_counts",
    ),
    Broken(
        file="request.py",
        text="return name, value.strip",
        replacement="return name, bytearray(value).strip",
        story="Its values are bytearrays, which can be changed and are no key of a dictionary.",
        violates="ValueTests.test_types",
    ),
    Broken(
        file="request.py",
        text="[!#$%&'*+.^_`|~0-9A-Za-z-]+",
        replacement="[!#$%&'*+.^`|~0-9A-Za-z-]+",
        story="It refuses a name with an underscore.",
        violates="AnyByteTests.test_name_of_a_field",
    ),
    Broken(
        file="request.py",
        text='rb"/[^\\x00-\\x20\\x7f]*"',
        replacement='rb"/[!-~]*"',
        story="It refuses a target with a letter that is not ASCII.",
        violates="AnyByteTests.test_target",
    ),
    Broken(
        file="request.py",
        text="\\.([0-9]{1,4})",
        replacement=".([0-9]{1,4})",
        story="It takes 1x0 for a version, as a dot in a regular expression is any byte.",
        violates="OddRequestLineTests.test_version_is_digits",
    ),
    Broken(
        file="request.py",
        text="HTTP/([0-9]{1,4})",
        replacement="HTTP/([0-9]*)",
        story="It raises a ValueError for a version that begins with the dot.",
        violates="OddRequestLineTests.test_version_is_digits",
    ),
    Broken(
        file="request.py",
        text='line.split(b" ")',
        replacement="line.split()",
        story="It takes a form feed or a vertical tab for the space between two words.",
        violates="OddRequestLineTests.test_what_is_no_space",
    ),
    Broken(
        file="request.py",
        text="if rest or lines[-1:]",
        replacement="if lines[-1:]",
        story="It does not see what comes after the blank line, if that has no line end.",
        violates="LineEndTests.test_one_head_and_nothing_else",
    ),
    Broken(
        file="request.py",
        text="tuple(parse_field(line) for line in lines[1:-1])",
        replacement="tuple(parse_field(line) for line in lines[1:-1] if not line[:1].isspace())",
        story="It drops a line that begins with a space, while a proxy in front reads it.",
        violates="OddFieldTests.test_folded_line",
    ),
)

FREEDOMS = (
    Freedom(
        file="request.py",
        text="@dataclass(frozen=True)",
        replacement="@dataclass",
        story="whether a request can be changed",
    ),
    Freedom(
        file="request.py",
        text='line.split(b" ")',
        replacement='re.split(rb"[ \\t]+", line.strip(b" \\t"))',
        story="whether there may be more white space in the request line",
    ),
    Freedom(
        file="request.py",
        text='rb"/[^\\x00-\\x20\\x7f]*"',
        replacement='rb"(?:http://[a-z0-9.:-]+)?/[^\\x00-\\x20\\x7f#]*"',
        story="what a server does with an absolute URI, or with a fragment",
    ),
    Freedom(
        file="request.py",
        text="    if not numbers:",
        replacement="    if numbers and int(numbers[1]) != 1:\n"
        "        raise BadRequest('This is not HTTP/1.', 505)\n"
        "    if not numbers:",
        story="what a server does with a version of HTTP that is not 1",
    ),
    Freedom(
        file="request.py",
        text='*parts, rest = head.split(b"\\n")',
        replacement='*parts, rest = re.sub(rb"(?<=[^\\n])\\r?\\n[ \\t]+(?=[^\\r\\n:]+:)", b" ", head).split(b"\\n")',
        story="whether a folded line goes on with the value before it",
    ),
)
