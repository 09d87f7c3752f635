"""The page that lists a folder: whatever the files are called."""

from __future__ import annotations

import os
import re
from html import unescape
from urllib.parse import unquote_to_bytes, urljoin

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import TestCase

from toyhttp.listing import Entry, human_size, render_listing
from toyhttp.test.deliveries import property_settings

timeout = 60

BASE = "http://h/docs/"


def file(name: str, size: int = 1, modified: float = 0) -> Entry:
    """Return the entry of a file."""
    return Entry(name, False, size, modified)


def folder(name: str) -> Entry:
    """Return the entry of a folder."""
    return Entry(name, True, 4096, 0)


def links(page: str) -> list[str]:
    """Return where the page's links lead to, as a browser reads them."""
    return [unescape(link) for link in re.findall('<a href="([^"]*)"', page)]


class ListingTests(TestCase):
    """Names, in all the places where they are written."""

    def page(self, *entries: Entry, path: str = "/docs/") -> str:
        """Return the page that lists these."""
        return render_listing(path, entries).decode("utf-8")

    def test_page(self) -> None:
        """The page is HTML in UTF-8, has the path as its title, and no scripts."""
        page = self.page(file("a"))
        self.assertTrue(page.startswith("<!DOCTYPE html>\n"), f"came {page[:40]!r}")
        self.assertTrue(page.endswith("</html>\n"), f"came {page[-40:]!r}")
        self.assertIn('<meta charset="utf-8">', page)
        self.assertIn("<title>/docs/</title>", page)
        self.assertIn("<h1>/docs/</h1>", page)
        self.assertNotIn("script", page)

    def test_file(self) -> None:
        """A file is shown with its name, its size and its date."""
        page = self.page(file("a.txt", 1536, 784111777))
        self.assertIn(
            '<tr><td><a href="./a.txt"><bdi>a.txt</bdi></a></td>'
            "<td>1.5 KiB</td><td>1994-11-06 08:49</td></tr>",
            page,
        )

    def test_folder(self) -> None:
        """A folder is shown with a slash, in its link too, and no size."""
        page = self.page(folder("sub"))
        self.assertIn('<a href="./sub/"><bdi>sub</bdi>/</a></td><td></td>', page)

    def test_order(self) -> None:
        """Folders come first; names are sorted whatever their case."""
        names = [file("b"), file("C"), file("a"), folder("z"), folder("Y"), file("B")]
        expected = ["../", "./Y/", "./z/", "./a", "./B", "./b", "./C"]
        self.assertEqual(links(self.page(*names)), expected)

    def test_parent(self) -> None:
        """Each folder but the root has a link to the one above."""
        self.assertEqual(links(self.page()), ["../"])
        self.assertEqual(links(self.page(path="/")), [])

    def test_empty(self) -> None:
        """An empty folder says so, and one with a file does not."""
        for path in ("/", "/docs/"):
            self.assertIn("This folder is empty.", self.page(path=path))
            self.assertNotIn("This folder is empty.", self.page(file("a"), path=path))

    def test_html_in_a_name(self) -> None:
        """A name is text, and no markup, in the table as in the title (RFC 1945, 12.5)."""
        name = "<script>\"'&amp;"
        page = self.page(file(name), path=f"/{name}/")
        self.assertNotIn("<script>", page)
        shown = "&lt;script&gt;&quot;&#x27;&amp;amp;"
        self.assertIn(f"<bdi>{shown}</bdi>", page)
        self.assertIn(f"<title>/{shown}/</title>", page)
        self.assertIn('href="./%3Cscript%3E%22%27%26amp%3B"', page)

    def test_name_like_a_url(self) -> None:
        """A name with a colon is no scheme, one with ? or # no query (RFC 3986, 4.2)."""
        for name in ("javascript:alert(1)", "http:", "a?b", "a#b", "%2e%2e", "a%zz"):
            (_, link) = links(self.page(file(name)))
            self.assertTrue(urljoin(BASE, link).startswith(BASE), f"{name!r} links to {link!r}")
            self.assertEqual(unquote_to_bytes(link[2:]), os.fsencode(name))

    def test_unprintable(self) -> None:
        """What cannot be printed, or turns the text around, is shown as U+FFFD."""
        for letter in "\n\x00\x1b\x7f\x85\u202e\u2066\u200f\u2028\udce9":
            page = self.page(file(f"a{letter}b"), path=f"/{letter}/")
            self.assertEqual(page.count("a\ufffdb"), 1, f"named {letter!r}")
            self.assertIn("<title>/\ufffd/</title>", page)

    def test_byte_that_is_no_text(self) -> None:
        """A byte that is not UTF-8 is itself in the link."""
        name = os.fsdecode(b"\xe9") if os.name != "nt" else "\udce9"
        (_, link) = links(self.page(file(name)))
        self.assertEqual(unquote_to_bytes(link[2:]), os.fsencode(name))

    def test_braces(self) -> None:
        """A name is not a template."""
        self.assertIn("<bdi>{rows}{0}</bdi>", self.page(file("{rows}{0}")))

    def test_sizes(self) -> None:
        """Sizes are such as people read: never more than four letters and a unit."""
        for size, shown in (
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (10188, "9.9 KiB"),
            (10189, "10 KiB"),
            (999 * 1024, "999 KiB"),
            (1000 * 1024, "1.0 MiB"),
            (20 * 2**20, "20 MiB"),
            (2**63, "8.0 EiB"),
        ):
            self.assertEqual(human_size(size), shown, f"{size} bytes")

    def test_impossible_date(self) -> None:
        """A date that no calendar has is left out."""
        self.assertIn("<td>1 B</td><td></td>", self.page(file("a", 1, 1e30)))

    @property_settings(300)
    @given(st.lists(st.text(st.characters(), min_size=1, max_size=8), max_size=3))
    def test_any_names(self, names: list[str]) -> None:
        """Whatever the names, each has one link that leads to it, and adds no other tag."""
        names = [name for name in names if not re.search("[\ud800-\udfff]", name)]
        page = self.page(*map(file, names), path="/")
        self.assertEqual(
            sorted(unquote_to_bytes(link[2:]).decode() for link in links(page)), sorted(names)
        )
        tags = re.findall("<(?!!)/?([a-z0-9]*)", page.partition("<body>")[2])
        rows = len(names) or 1
        self.assertEqual(tags.count("tr"), 2 * (rows + 1))
        self.assertEqual(tags.count("a"), 2 * len(names))
        allowed = {"h1", "table", "tr", "th", "td", "a", "bdi", "body", "html"}
        self.assertEqual(set(tags) - allowed, set())
