"""The text of a result file, whatever program on whatever PC has written it: encodings, decimal commas."""

from __future__ import annotations

import codecs
import re

from drivers.results.folder import Incomplete
from drivers.wire.errors import Malformed

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([Ee][+-]?\d+)?", re.ASCII)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def text_of(content: bytes) -> str:
    """UTF-8, or UTF-16 with its mark, or else Latin-1.  Raises `Malformed` for what is no text."""
    encoding = next((name for bom, name in _BOMS if content.startswith(bom)), None)
    try:
        text = content.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding is not None:
            raise Incomplete(f"cut off within a character: {error}") from error
        text = content.decode("latin-1")
    if "\x00" in text:
        raise Malformed("not a text file: it holds zero bytes")
    return text


def whole_lines(text: str) -> list[str]:
    """Raises `Incomplete` unless the last line has its end."""
    if not text.endswith(("\n", "\r")):
        raise Incomplete("the last line has no end")
    return text.splitlines()


def number(field: str, *, comma: bool = False) -> float:
    """A decimal number; with `comma`, a comma is its point.  Raises `Malformed`."""
    written = field.strip().replace(",", ".") if comma else field.strip()
    if not _NUMBER.fullmatch(written):
        raise Malformed(f"not a number: {field!r}")
    return float(written)
