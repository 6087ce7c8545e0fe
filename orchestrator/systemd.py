"""What systemd is told of a daemon, and the unit that starts one.

The protocol is sd_notify's: datagrams of ``KEY=value`` lines to the socket that ``NOTIFY_SOCKET`` names.  Outside
systemd nothing is sent.  ``WATCHDOG=1`` comes from the thread that decides, so that a daemon which answers and
decides nothing is ended too; its stations reach their safe state by themselves.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

log = logging.getLogger(__name__)

WATCHDOG_S = 300
"""The deciding thread may wait for its journal, or for stations to become safe, and that takes minutes at worst."""
OFTEN = 10
"""So many times in the watchdog's time it is told that we live."""


class Notifier:
    """Tells systemd, if it asked to be told; never blocks and never raises.

    `address` is the socket (a path, or ``@name`` for an abstract one), "" for none; `watchdog_s` the longest silence
    that systemd takes for life, 0 for any.
    """

    def __init__(self, address: str = "", watchdog_s: float = 0.0, now: Callable[[], float] = time.monotonic) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._every_s = watchdog_s / OFTEN
        self._now = now
        self._told_at = float("-inf")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Notifier:
        """As systemd has set the environment of this process."""
        address = environment.get("NOTIFY_SOCKET", "")
        microseconds = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        return cls(address, int(microseconds) / 1e6 if microseconds.isdigit() and ours else 0.0)

    def ready(self, status: str) -> None:
        """The daemon can be reached, and watched from now on."""
        self._tell("READY=1", f"STATUS={_one_line(status)}", "WATCHDOG=1")

    def alive(self, status: str) -> None:
        """The deciding thread has come by; told as often as it takes."""
        now = self._now()
        if now - self._told_at >= max(self._every_s, 1.0):
            self._told_at = now
            self._tell("WATCHDOG=1", f"STATUS={_one_line(status)}")

    def stopping(self, status: str) -> None:
        """The campaign is over; what comes is not the deciding thread's."""
        self._tell("STOPPING=1", f"STATUS={_one_line(status)}")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as to:
                to.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:  # its silence will be noticed where it matters
            log.warning("systemd cannot be told %s (%s)", lines[0], error)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def unit(command: Path, lab: Path, home: Path, user: str) -> str:
    """A service that serves the lab file `lab` in `home` as `user`, by the program `command`."""
    name = f"nightshift-{home.name}"
    return f"""\
# {name}.service, printed by `nightshift systemd-unit`
#
#   sudo cp {name}.service /etc/systemd/system/ && sudo systemctl daemon-reload
#   sudo systemctl start {name}       then: nightshift run CAMPAIGN --home {home}
#   sudo systemctl enable {name}      to have it started with the machine
#
# A campaign that is there already is gone on with only if its file says recovery.unattended = true and nobody is
# needed; otherwise this ends with status 3, and `nightshift recover --home {home}` is yours to give.
[Unit]
Description=Nightshift in {home}
After=network-online.target time-sync.target
Wants=network-online.target
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
User={user}
ExecStart={_quoted(command)} serve {_quoted(lab)} --home {_quoted(home)} --unattended
# A daemon that decides nothing for so long is ended and started again.
WatchdogSec={WATCHDOG_S}
TimeoutStartSec={WATCHDOG_S}
# Stopping is an abort: sources off, shutters closed, magnet at zero.
TimeoutStopSec={WATCHDOG_S}
# Only the daemon is killed: its workers see it die, make their stations safe, and end.
KillMode=process
Restart=on-failure
RestartSec=5
# Bad input, a campaign that needs you, one that was aborted: nothing that a restart would mend.
RestartPreventExitStatus=2 3 4

[Install]
WantedBy=multi-user.target
"""


def _quoted(path: Path) -> str:
    """`path` as one word of a unit: percent signs and dollars are systemd's."""
    text = str(path).replace("%", "%%").replace("$", "$$")
    if any(sign in text for sign in " \t\"'\\"):
        text = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text
