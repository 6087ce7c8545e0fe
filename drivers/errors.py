"""What can go wrong at an instrument, each class saying who is to blame and what to do.

::

    InstrumentError
    ├── LinkError              the wire
    │   ├── Gone               the port vanished or refuses to open: check cable and power
    │   ├── NoReply            nothing came within the time-out
    │   └── Garbled            bytes came that are no reply (short, bad checksum, wrong echo)
    ├── Refused                the instrument understood and said no
    ├── WrongInstrument        something else answers at this address
    ├── SettingError           a value outside limits, caught before a byte was sent
    ├── Fault                  the instrument reports a failure of its own (trip, no plasma, overload)
    └── Interrupted            an act was broken off because the safe state was asked for
"""

from __future__ import annotations


class InstrumentError(Exception):
    """Base of everything a driver raises; the message names device, command and bytes."""


class LinkError(InstrumentError):
    """The wire failed."""


class Gone(LinkError):
    """The port cannot be opened, or vanished."""


class NoReply(LinkError):
    """Nothing, or too little, came within the time-out."""


class Garbled(LinkError):
    """Bytes came that are not a reply to what was asked."""


class Refused(InstrumentError):
    """The instrument understood the command and refused it."""


class WrongInstrument(InstrumentError):
    """The instrument at this address is not what the lab file says."""


class SettingError(InstrumentError, ValueError):
    """A value outside the lab's or the instrument's limits; nothing was sent."""


class Fault(InstrumentError):
    """The instrument reports a failure of its own."""


class Interrupted(InstrumentError):
    """An act was broken off because somebody asked for the safe state meanwhile."""
