"""Processes of our own: started with one line of configuration, supervised, ended with their parent.

A child reads one JSON line on standard input, says where it can be reached in one JSON line on standard
output, and takes the end of its standard input for the death of its parent.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any


class ChildError(Exception):
    """A process of ours did not start, or died; the message names it and where its log is."""


class Child:
    """A running child process.

    `log` takes its standard error.  Starting is in steps, so that several children import at the same time:
    the constructor launches, `tell` hands over the configuration, `hear` waits for the answer.
    """

    def __init__(self, name: str, module: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as errors:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", *module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                errors="replace",  # what is no text is not JSON either, and is refused as such
                bufsize=1,
                start_new_session=True,  # a Ctrl-C at the terminal is ours to answer
            )
        self._lines: Queue[str] = Queue()
        self._stdout = _piped(self._popen.stdout)
        self._stdin = _piped(self._popen.stdin)
        self._listener = threading.Thread(target=self._listen, name=f"{name}-stdout", daemon=True)
        self._listener.start()

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send one line.  Raises `ChildError` if the child is gone."""
        try:
            self._stdin.write(json.dumps(message) + "\n")
            self._stdin.flush()
        except (OSError, ValueError) as error:
            raise ChildError(f"{self.name} is gone (exit code {self.exit_code}); see {self.log}") from error

    def hear(self, timeout_s: float) -> dict[str, Any]:
        """The child's next line.  Raises `ChildError` if it dies or says nothing for `timeout_s` real seconds."""
        try:
            line = self._lines.get(timeout=timeout_s)
        except Empty:
            raise ChildError(f"{self.name} said nothing for {timeout_s:g} s; see {self.log}") from None
        if not line:
            self._lines.put("")  # the end stays the end, however often one asks
            raise ChildError(f"{self.name} {self._fate()}; see {self.log}")
        try:
            message = json.loads(line)
        except ValueError as error:
            raise ChildError(f"{self.name} said {line!r}, which is not JSON; see {self.log}") from error
        if not isinstance(message, dict):
            raise ChildError(f"{self.name} said {line!r}, which is not an object; see {self.log}")
        return message

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    @property
    def pid(self) -> int:
        return self._popen.pid

    def close(self, patience_s: float = 10.0) -> None:
        """End its standard input and wait; a child that does not go within `patience_s` is killed."""
        with suppress(OSError):  # it died with a line unread: gone is what we want
            self._stdin.close()
        try:
            self._popen.wait(timeout=patience_s)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        # A grandchild may keep the pipe open; the listener is then left to it.
        self._listener.join(timeout=1.0)

    def kill(self) -> None:
        """End it at once, whatever it does; idempotent."""
        self._popen.kill()
        self.close(patience_s=0.0)

    def _listen(self) -> None:
        with self._stdout:
            for line in iter(self._stdout.readline, ""):
                self._lines.put(line)
        self._lines.put("")

    def _fate(self) -> str:
        """Why its standard output ended."""
        try:
            return f"ended with exit code {self._popen.wait(timeout=1.0)}"
        except subprocess.TimeoutExpired:
            return "closed its standard output, and still runs"


def _piped(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
