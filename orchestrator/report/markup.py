"""HTML that cannot be forgotten to be escaped: whatever is not `Html` already is text."""

from __future__ import annotations

from html import escape


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | int | None


def text(child: Child) -> Html:
    """`child` as HTML; None is nothing."""
    if child is None:
        return Html()
    return child if isinstance(child, Html) else Html(escape(str(child)))


def join(*children: Child, between: str = "") -> Html:
    """`children` one after the other."""
    return Html(text(between).join(text(child) for child in children))


def el(tag: str, *children: Child, **attributes: Child) -> Html:
    """An element.  ``class_`` stands for class and ``aria_label`` for aria-label; None leaves one out.

    >>> el("p", "Fe < Co", class_="note")
    '<p class="note">Fe &lt; Co</p>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Html(f"<{tag}{written}>{join(*children)}</{tag}>")


def table_row(tag: str, cells: list[Child], **attributes: Child) -> Html:
    """A row of `tag` (th or td) cells; a cell that is an element already is taken as it is."""
    made = [cell if isinstance(cell, Html) and cell.startswith(("<td", "<th")) else el(tag, cell) for cell in cells]
    return el("tr", *made, **attributes)
