"""The class of what went wrong, from the type of what was raised: never from its words."""

from __future__ import annotations

from ophyd.utils.errors import StatusTimeoutError, WaitTimeoutError

from drivers import errors
from orchestrator.campaign.faults import Fault
from orchestrator.execution.documents import DocumentLogError
from protocols import gates

CLASSES: tuple[tuple[type[BaseException], Fault], ...] = (
    (errors.LinkError, "communication"),
    (errors.SettingError, "limit"),
    (errors.InstrumentError, "instrument"),
    (StatusTimeoutError, "timeout"),
    (WaitTimeoutError, "timeout"),
    (DocumentLogError, "storage"),
    (gates.InterlockTripped, "interlock"),
    (gates.PressureNotReached, "vacuum"),
    (gates.NoRate, "calibration"),
    (gates.NotHeld, "robot"),
    (gates.DeviceWrong, "instrument"),
)
"""The first that fits counts; whatever fits none is of class ``protocol``."""


def fault_of(error: BaseException) -> Fault:
    """The class of `error`.

    What a finalizer could not secure is most often a consequence: then the class is that of what the plan ended with,
    or of what kept a device from its safe state.
    """
    if isinstance(error, gates.NotSecured):
        cause = error.__cause__ or error.__context__
        return "instrument" if cause is None else fault_of(cause)
    return next((fault for kind, fault in CLASSES if isinstance(error, kind)), "protocol")
