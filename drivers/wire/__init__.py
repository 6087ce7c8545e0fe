"""Bytes and messages: framing, checksums and line grammar, as pure functions of bytes.

The alphabet only: what a frame is, never what a mnemonic means.  Drivers and simulators share this package
and nothing else, so that a misread manual shows as a disagreement instead of cancelling out.

A *framing* is a function ``framing(buffer) -> int | None``: the length of the first complete frame at the
start of ``buffer``, or None while more bytes are needed.
"""
