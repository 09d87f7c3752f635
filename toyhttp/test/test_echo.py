"""The page that shows the request: for browsers, for terminals, and for attackers."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from toyhttp.echo import echo
from toyhttp.request import Headers, Request

timeout = 5

HTML: Headers = ((b"Accept", b"text/html,*/*;q=0.8"),)


def page(request: Request) -> str:
    """Return the text of the page that shows this request."""
    return echo(request).body.decode("utf-8")


class TypeTests(TestCase):
    """Who gets HTML, and who gets text."""

    def content_type(self, headers: Headers) -> bytes:
        """Return the Content-Type that a client with these header fields gets."""
        return dict(echo(Request(b"GET", b"/", (1, 0), headers)).headers)[b"Content-Type"]

    def test_browser(self) -> None:
        """A client that names text/html in Accept gets it, in any case (RFC 1945, D.2.1)."""
        for value in (b"text/html", b"Text/HTML", b"application/xml, text/html;q=0.9"):
            came = self.content_type(((b"aCCept", value),))
            self.assertEqual(came, b"text/html; charset=utf-8", f"sent {value!r}")

    def test_terminal(self) -> None:
        """All others get text, also those that take anything (RFC 1945, D.2.1)."""
        for headers in ((), ((b"Accept", b"*/*"),), ((b"X-Accept", b"text/html"),)):
            came = self.content_type(headers)
            self.assertEqual(came, b"text/plain; charset=utf-8", f"sent {headers!r}")

    def test_page_is_not_stored(self) -> None:
        """The page is true for one request only (RFC 9111, 5.2.2.5)."""
        for headers in ((), HTML):
            response = echo(Request(b"GET", b"/", (1, 0), headers))
            self.assertIn((b"Cache-Control", b"no-store"), list(response.headers))
            self.assertEqual(response.status, 200)


class TextTests(TestCase):
    """The page for a terminal, to the last byte."""

    maxDiff = None

    def test_whole_page(self) -> None:
        """All parts of a request are shown, in columns (RFC 1945, 5)."""
        headers = ((b"Host", b"a"), (b"Content-Length", b"4"), (b"X", b""))
        came = page(Request(b"POST", b"/a?b", (1, 1), headers, b"c\r\nd"))
        expected = [
            "Request line",
            "  method   POST",
            "  target   /a?b",
            "  version  1.1",
            "Header fields: 3",
            "  Host            a",
            "  Content-Length  4",
            "  X",
            "Entity body: 4 bytes",
            "  1  c\\r\\n",
            "  2  d",
        ]
        self.assertEqual(came.split("\n"), [*expected, ""])

    def test_simple_request(self) -> None:
        """A request with no fields and no body has a page too (RFC 1945, 5)."""
        came = page(Request(b"GET", b"/", (0, 9)))
        self.assertIn("  version  0.9\n", came)
        self.assertTrue(came.endswith("Header fields: 0\nEntity body: 0 bytes\n"), f"came {came!r}")

    def test_bytes_that_cannot_be_printed(self) -> None:
        """A terminal is sent no control bytes that a stranger chose (RFC 1945, 2.2)."""
        nasty = b"\x1b[2J\x00\x07\x7f\x80\x9b\xe9\xff\\\t"
        headers = ((b"X", nasty),)
        came = page(Request(b"POST", b"/" + nasty, (1, 0), headers, nasty))
        shown = r"\x1b[2J\x00\x07" + "\x7f" + r"\x80\x9b\xe9\xff\\\t"
        shown = shown.replace("\x7f", r"\x7f")
        self.assertEqual(came.count(shown), 3, f"came {came!r}")

    def test_page_is_printable(self) -> None:
        """Whatever byte is sent, the page is printable text of ASCII (RFC 1945, 2.2)."""
        for code in range(256):
            byte = bytes([code])
            came = page(Request(b"POST", b"/" + byte, (1, 0), ((b"X", byte),), byte))
            odd = [letter for letter in came if not " " <= letter <= "~" and letter != "\n"]
            self.assertEqual(odd, [], f"sent {byte!r}")


class BodyTests(TestCase):
    """How much of a body is shown."""

    def test_largest_body(self) -> None:
        """A body of 4096 bytes is shown whole."""
        came = page(Request(b"POST", b"/", (1, 0), (), 4096 * b"q"))
        self.assertEqual(came.count("q"), 4096 + page(Request(b"POST", b"/", (1, 0))).count("q"))
        self.assertNotIn("more", came)

    def test_larger_body(self) -> None:
        """Of a larger one the rest is counted, and its length is that of the whole."""
        came = page(Request(b"POST", b"/", (1, 0), (), 4096 * b"q" + b"QQ"))
        self.assertNotIn("Q", came)
        self.assertIn("Entity body: 4098 bytes\n", came)
        self.assertTrue(came.endswith("and 2 bytes more\n"), f"came …{came[-60:]!r}")

    def test_page_of_a_large_body(self) -> None:
        """The page of the largest body is still a page, and not a flood."""
        for body in (2**20 * b"\n", 2**20 * b"\x00", 2**20 * b"<"):
            came = echo(Request(b"POST", b"/", (1, 0), HTML, body)).body
            assert isinstance(came, bytes)
            self.assertLess(len(came), 400_000, f"sent 2**20 times {body[:1]!r}")


class HTMLTests(TestCase):
    """The page for a browser: nothing that was sent is markup."""

    def test_whole_page(self) -> None:
        """The page is HTML and shows all parts of the request (RFC 1945, 5)."""
        request = Request(b"POST", b"/a?b", (1, 0), (*HTML, (b"Host", b"c")), b"d\ne")
        came = page(request)
        self.assertTrue(came.startswith("<!DOCTYPE html>\n"), f"came {came[:40]!r}")
        self.assertTrue(came.endswith("</html>\n"), f"came {came[-40:]!r}")
        for part in (
            "<title>POST /a?b</title>",
            "<tr><th>method</th><td><pre>POST</pre></td></tr>",
            "<tr><th>target</th><td><pre>/a?b</pre></td></tr>",
            "<tr><th>version</th><td><pre>1.0</pre></td></tr>",
            "<caption>Header fields: 2</caption>",
            "<tr><th>Host</th><td><pre>c</pre></td></tr>",
            "<caption>Entity body: 3 bytes</caption>",
            r"<tr><th>1</th><td><pre>d\n</pre></td></tr>",
            "<tr><th>2</th><td><pre>e</pre></td></tr>",
        ):
            self.assertIn(part, came)

    def test_target_is_escaped(self) -> None:
        """A target is text, in the title as in the table (RFC 1945, 12.5)."""
        came = page(Request(b"GET", b"/<script>&lt;", (1, 0), HTML))
        self.assertNotIn("<script>", came)
        self.assertEqual(came.count("/&lt;script&gt;&amp;lt;"), 2, f"came {came!r}")

    def test_method_is_escaped(self) -> None:
        """A method is text, in the title as in the table (RFC 1945, 5.1.1)."""
        came = page(Request(b"&<b>", b"/", (1, 0), HTML))
        self.assertEqual(came.count("&amp;&lt;b&gt;"), 2, f"came {came!r}")

    def test_value_is_escaped(self) -> None:
        """A value with quotes and tags stays a value (RFC 1945, 4.2)."""
        came = page(Request(b"GET", b"/", (1, 0), (*HTML, (b"X", b"\"><b>'&"))))
        self.assertIn("<pre>&quot;&gt;&lt;b&gt;&#x27;&amp;</pre>", came)
        self.assertNotIn("<b>", came)

    def test_name_is_escaped(self) -> None:
        """A name may have an ampersand in it (RFC 1945, 2.2)."""
        came = page(Request(b"GET", b"/", (1, 0), (*HTML, (b"&lt", b"a"))))
        self.assertIn("<th>&amp;lt</th>", came)

    def test_body_is_escaped(self) -> None:
        """A body is text, line by line (RFC 1945, 7.2)."""
        came = page(Request(b"POST", b"/", (1, 0), HTML, b"</pre>\n<script>"))
        self.assertIn(r"<pre>&lt;/pre&gt;\n</pre>", came)
        self.assertIn("<pre>&lt;script&gt;</pre>", came)

    def test_braces_are_text(self) -> None:
        """What was sent is not a template (RFC 1945, 3.2.1)."""
        came = page(Request(b"GET", b"/{method}{0}", (1, 0), (*HTML, (b"X", b"{tables}"))))
        self.assertEqual(came.count("/{method}{0}"), 2)
        self.assertIn("<pre>{tables}</pre>", came)

    def test_bytes_that_cannot_be_printed(self) -> None:
        """They are shown by their codes here too (RFC 1945, 2.2)."""
        came = page(Request(b"GET", b"/\xe9\x00", (1, 0), (*HTML, (b"X", b"\x85\x1b"))))
        self.assertEqual(came.count(r"/\xe9\x00"), 2)
        self.assertIn(r"<pre>\x85\x1b</pre>", came)
