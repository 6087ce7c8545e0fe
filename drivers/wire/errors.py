"""What a codec raises, and the only thing it raises, for bytes that it cannot read."""

from __future__ import annotations


class Malformed(ValueError):
    """Bytes that are no message of this alphabet, or a value that it cannot express; the text quotes them."""
