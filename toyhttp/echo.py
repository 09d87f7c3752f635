"""A handler that shows the request as it was parsed: what a browser really sends."""

from __future__ import annotations

from html import escape

from .request import Request
from .response import Response

_SHOWN = 4096
"""How many bytes of a body are shown."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{method} {target}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff; }}
h1 {{ font-size: 1.3rem; font-weight: 600; }}
table {{ border-collapse: collapse; width: 100%; }}
caption {{ text-align: left; color: #666; padding: 1.2rem 0 .3rem; }}
th, td {{ text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0;
  border-top: 1px solid #ddd; }}
th {{ font-weight: 600; white-space: nowrap; }}
td, pre {{ font-family: ui-monospace, monospace; font-size: .9rem; overflow-wrap: anywhere; }}
pre {{ white-space: pre-wrap; margin: 0; }}
</style>
</head>
<body>
<h1>This is the request that you sent</h1>
{tables}
</body>
</html>
"""


def echo(request: Request) -> Response:
    r"""Answer with a page that shows ``request``.

    A client whose ``Accept`` names ``text/html``, as every browser's does, gets
    HTML; all others get the same as plain text.  Bytes that are not printable
    ASCII are shown as Python shows them: ``\xe9``.
    """
    sections = {
        "Request line": [
            ("method", _text(request.method)),
            ("target", _text(request.target)),
            ("version", "{}.{}".format(*request.version)),
        ],
        f"Header fields: {len(request.headers)}": [
            (_text(name), _text(value)) for name, value in request.headers
        ],
        f"Entity body: {len(request.body)} bytes": _body(request.body),
    }
    if b"text/html" in (request.header(b"Accept") or b"").lower():
        return _response(b"text/html", _html(request, sections))
    return _response(b"text/plain", _plain(sections))


def _html(request: Request, sections: dict[str, list[tuple[str, str]]]) -> str:
    """Return the page; all that the client sent is escaped."""
    tables = []
    for caption, rows in sections.items():
        tables.append(f"<table><caption>{escape(caption)}</caption>")
        for name, value in rows:
            tables.append(f"<tr><th>{escape(name)}</th><td><pre>{escape(value)}</pre></td></tr>")
        tables.append("</table>")
    return _PAGE.format(
        method=escape(_text(request.method)),
        target=escape(_text(request.target)),
        tables="\n".join(tables),
    )


def _plain(sections: dict[str, list[tuple[str, str]]]) -> str:
    """Return the same for a terminal."""
    lines = []
    for caption, rows in sections.items():
        lines.append(caption)
        width = max((len(name) for name, _ in rows), default=0)
        lines += [f"  {name:{width}}  {value}".rstrip() for name, value in rows]
    return "\n".join(lines) + "\n"


def _body(body: bytes) -> list[tuple[str, str]]:
    """Return the rows that show a body: a row for each line."""
    shown = body[:_SHOWN]
    lines = shown.splitlines(keepends=True)
    rows = [(str(number), _text(line)) for number, line in enumerate(lines, 1)]
    if len(body) > _SHOWN:
        rows.append(("…", f"and {len(body) - _SHOWN} bytes more"))
    return rows


def _text(data: bytes) -> str:
    r"""Return bytes as printable text: ``\n`` for a line feed, ``\xe9`` for byte 233."""
    return data.decode("latin-1").encode("unicode_escape").decode("ascii")


def _response(content_type: bytes, text: str) -> Response:
    headers = [
        (b"Content-Type", content_type + b"; charset=utf-8"),
        (b"Cache-Control", b"no-store"),
    ]
    return Response(200, headers, text.encode())
