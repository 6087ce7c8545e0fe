"""The faults of a line, each of one answer.

======================  ==========================================================================
``lost``                the request never arrives
``no_reply``            the request is acted upon, its answer never comes
``late``                the answer comes after the time-out, by up to as much again
``partial``             only the first half of the answer comes
``garbage_prefix``      the answer comes behind ``FF 00``
``garbage``             ``FF`` in place of every byte
``high_bit``            one byte has its highest bit the wrong way round
``split``               the answer comes in two pieces, both in time
``disconnect``          the line drops in place of the answer
``flip``                one bit of the answer is the wrong way round; protocols with a checksum only
``dropped``             one byte of the answer is missing; protocols with a checksum only
``stale``               the answer to an earlier, other question; protocols that name the question only
======================  ==========================================================================

A wrong digit, or the answer to another question, cannot be told from a right one where a protocol has neither a
checksum nor says what it answers.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

ANY = (
    "lost",
    "no_reply",
    "late",
    "partial",
    "garbage_prefix",
    "garbage",
    "high_bit",
    "split",
    "disconnect",
)
CHECKED = ("flip", "dropped")
NAMED = ("stale",)

CHECKSUM = frozenset(
    {
        "ae-cesar",
        "ae-pinnacle",
        "tc-cxn",
        "tdk-genesys",
        "pfeiffer-tc110",
        "eurotherm-2400",
        "eurotherm-2400-bisynch",
        "velleman-k8090",
        "inficon-sqm160",
        "zaber-gantry",
    }
)
"""Drivers whose protocol has a checksum."""
NAMES_THE_QUESTION = frozenset(
    {
        "qd-multivu",
        "zaber-gantry",
        "ae-cesar",
        "ae-pinnacle",
        "pfeiffer-tc110",
        "eurotherm-2400-bisynch",
        "edwards-tic",
        "edwards-tic-turbo",
    }
)
"""Drivers whose protocol says in each answer what it answers."""


class Piece(NamedTuple):
    """Bytes, and how many seconds after the request they are sent."""

    after_s: float
    sent: bytes


def kinds_for(driver: str) -> tuple[str, ...]:
    """The faults that `driver` is tried with."""
    checked = CHECKED if driver in CHECKSUM else ()
    return (*ANY, *checked, *(NAMED if driver in NAMES_THE_QUESTION else ()))


def pieces(kind: str, answer: bytes, earlier: bytes, rng: Random, timeout_s: float) -> list[Piece]:
    """What is sent in place of `answer`; `earlier` is the answer to another question."""
    at = rng.randrange(len(answer))
    match kind:
        case "late":
            return [Piece(timeout_s * (1.05 + 0.9 * rng.random()), answer)]
        case "partial":
            return [Piece(0.0, answer[: len(answer) // 2])]
        case "garbage_prefix":
            return [Piece(0.0, b"\xff\0" + answer)]
        case "garbage":
            return [Piece(0.0, b"\xff" * len(answer))]
        case "high_bit":
            return [Piece(0.0, _with(answer, at, answer[at] ^ 0x80))]
        case "flip":
            return [Piece(0.0, _with(answer, at, answer[at] ^ 1 << rng.randrange(8)))]
        case "dropped":
            return [Piece(0.0, answer[:at] + answer[at + 1 :])]
        case "split":
            return [Piece(0.0, answer[:at]), Piece(timeout_s * 0.2, answer[at:])]
        case "stale":
            return [Piece(0.0, earlier)]
    return []


def _with(answer: bytes, at: int, byte: int) -> bytes:
    return answer[:at] + bytes([byte]) + answer[at + 1 :]
