"""The base of every driver: an ophyd device whose wire work happens on its port's thread.

No method of a device blocks its caller.  `set` and `trigger` return a `DeviceStatus` that always has a
time-out; `read` returns what the last refresh brought.  Units, precision and limits reach `describe`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ophyd import Device, Signal
from ophyd.status import DeviceStatus

from drivers.clock import Clock
from drivers.errors import SettingError
from drivers.link import Link, Port


class Reading(Signal):
    """A value that `Instrument.refresh` keeps fresh.  A plan reads it and cannot set it."""

    def __init__(self, *, units: str = "", precision: int = 3, **kwargs: Any) -> None:
        kwargs.setdefault("value", float("nan"))
        self.units = units
        self.precision = precision
        self.updated: float | None = None
        super().__init__(**kwargs)

    def update(self, value: Any) -> None:
        """Take a value just read from the wire."""
        self.updated = self.parent.clock.now()
        self.put(value, timestamp=self.updated, force=True)

    def age_s(self) -> float:
        """Lab seconds since the last update; infinite before the first."""
        return float("inf") if self.updated is None else self.parent.clock.now() - self.updated

    def set(self, *args: Any, **kwargs: Any) -> Any:
        raise SettingError(f"{self.name} is a reading and cannot be set")

    def describe(self) -> dict[str, dict[str, Any]]:
        description = super().describe()
        description[self.name].update(units=self.units, precision=self.precision)
        return description


class Setting(Reading):
    """A value that a plan may set; `write` names the parent's method that carries it out on the wire.

    The limits come from the parent's ``limits[attr_name]`` (low, high) and are checked before a byte is sent.
    ``choices`` restricts the value to a set.  The status is done when the instrument confirms the value.
    """

    def __init__(
        self, *, write: str, timeout_s: float = 30.0, choices: tuple[Any, ...] | None = None, **kwargs: Any
    ) -> None:
        self._write = write
        self._timeout_s = timeout_s
        self.choices = choices
        super().__init__(**kwargs)

    @property
    def limits(self) -> tuple[float, float] | None:
        return self.parent.limits.get(self.attr_name)

    def check_value(self, value: Any) -> None:
        """Raises `SettingError` if `value` is outside limits or choices."""
        if self.choices is not None and value not in self.choices:
            raise SettingError(f"{self.name}: {value!r} is not one of {', '.join(map(repr, self.choices))}")
        if self.limits is not None:
            low, high = self.limits
            if not low <= value <= high:
                raise SettingError(
                    f"{self.name}: {value:g} {self.units} is outside the limits {low:g} to {high:g} {self.units}"
                )

    def set(self, value: Any, *, timeout: float | None = None, **kwargs: Any) -> DeviceStatus:
        """Carry out `value`; `timeout` in lab seconds.  Raises `SettingError` at once if it is not allowed."""
        self.check_value(value)
        carry_out = partial(getattr(self.parent, self._write), value)
        return self.parent.act(carry_out, timeout_s=self._timeout_s if timeout is None else timeout)

    def describe(self) -> dict[str, dict[str, Any]]:
        description = super().describe()
        if self.limits is not None:
            low, high = self.limits
            description[self.name].update(lower_ctrl_limit=low, upper_ctrl_limit=high)
        return description


class Instrument(Device):
    """One instrument on one port.

    Subclasses write, on the port's thread only: `identify`, `refresh`, `make_safe`, and one method for each
    `Setting`.  `limits` maps a setting's attribute name to (low, high) in its units.
    """

    def __init__(
        self,
        port: Port,
        *,
        name: str,
        clock: Clock,
        limits: dict[str, tuple[float, float]] | None = None,
        **kwargs: Any,
    ) -> None:
        self.port = port
        self.clock = clock
        self.limits = dict(limits or {})
        super().__init__(name=name, **kwargs)
        unknown = [limit for limit in self.limits if limit not in self.settings()]
        if unknown:
            raise SettingError(
                f"{name}: limits for {', '.join(unknown)}, but its settings are {', '.join(self.settings())}"
            )

    @property
    def link(self) -> Link:
        return self.port.link

    @classmethod
    def settings(cls) -> tuple[str, ...]:
        """Attribute names of what a plan may set."""
        return tuple(attr for attr, cpt in cls._sig_attrs.items() if issubclass(cpt.cls, Setting))

    def act(self, conversation: Callable[[], Any], *, timeout_s: float) -> DeviceStatus:
        """Run `conversation` on the port's thread; the status finishes with it, or fails with its error.

        `timeout_s` is in lab seconds.
        """
        status = DeviceStatus(self, timeout=self.clock.patience_s(timeout_s))
        future = self.port.submit(conversation)

        def finish(done: Any) -> None:
            if status.done:  # timed out: the caller has been told already
                return
            error = done.exception() if not done.cancelled() else SettingError(f"{self.name}: port closed")
            if error is None:
                status.set_finished()
            else:
                status.set_exception(error)

        future.add_done_callback(finish)
        return status

    def trigger(self) -> DeviceStatus:
        """Read the instrument now."""
        return self.act(self.refresh, timeout_s=10.0)

    def reconnect(self) -> DeviceStatus:
        """Open the port anew, and see that the same instrument answers there."""
        return self.act(self._reconnect, timeout_s=60.0)

    def safe(self) -> DeviceStatus:
        """Put the instrument into its safe state; idempotent."""
        return self.act(self.make_safe, timeout_s=60.0)

    # --- on the port's thread -------------------------------------------------------------------------

    def _reconnect(self) -> None:
        self.port.reopen()
        self._reopened()
        self.identify()
        self.refresh()

    def _reopened(self) -> None:
        """Forget what was known of the old connection."""

    def identify(self) -> str:
        """Who answers at this address, as text.  Raises `WrongInstrument`, `LinkError`."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Read everything a gate may look at, and update the readings."""
        raise NotImplementedError

    def make_safe(self) -> None:
        """State the safe target and see that it is reached."""
        raise NotImplementedError
