"""``mermaid`` fences as pictures: drawn while the site is built, so that a page needs no script and asks nobody.

Each is drawn twice, for a light and for a dark page; Furo shows the one that fits.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import mermaidx
from docutils import nodes
from docutils.parsers.rst import Directive, directives
from sphinx.application import Sphinx


class Mermaid(Directive):
    """The diagram that the directive's content describes."""

    has_content = True
    option_spec = {"alt": directives.unchanged}  # noqa: RUF012 - docutils wants a plain dict

    def run(self) -> list[nodes.Node]:
        source = "\n".join(self.content)
        alt = self.options.get("alt", "Diagram of states; the tables on this page say the same.")
        drawn = "".join(_drawn(source, alt, theme, only) for theme, only in (("neutral", "light"), ("dark", "dark")))
        return [nodes.raw("", f'<figure class="diagram">{drawn}</figure>', format="html")]


def _drawn(source: str, alt: str, theme: str, only: str) -> str:
    svg = mermaidx.render(source, theme=theme).svg()
    name = f"diagram-{sha256((theme + source).encode()).hexdigest()[:8]}"  # its styles are its own
    svg = svg[svg.index("<svg") :].replace("my-svg", name)
    return f'<div class="only-{only}" role="img" aria-label="{alt}">{svg}</div>'


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("mermaid", Mermaid)
    return {"version": "1", "parallel_read_safe": True}
