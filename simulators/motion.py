"""A robot's motion queue in lab time: what is done one after the other, paused, resumed and cleared."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

Pose = tuple[float, ...]


@dataclass
class Step:
    """One entry of the queue.  `duration` is asked when it begins, `done` called when it ends."""

    duration: Callable[[], float]
    done: Callable[[], None] = lambda: None
    target: Pose | None = None  # of a motion


class MotionQueue:
    """`arrived` is told every pose at which the arm comes to rest, `emptied` that the last step has ended."""

    def __init__(self, pose: Pose, arrived: Callable[[Pose], None], emptied: Callable[[], None]) -> None:
        self.pose = pose
        self.paused = False
        self._arrived, self._emptied = arrived, emptied
        self._waiting: deque[Step] = deque()
        self._current: Step | None = None
        self._t = 0.0  # carried out up to here
        self._began = self._ends = self._t_paused = 0.0

    def add(self, step: Step, now: float) -> None:
        self.advance(now)
        self._waiting.append(step)
        self.advance(now)

    def advance(self, now: float) -> None:
        """Carry out everything up to `now`."""
        while not self.paused:
            if self._current is None:
                if not self._waiting:
                    break
                self._current = self._waiting.popleft()
                self._began = self._t
                self._ends = self._t + self._current.duration()
            if self._ends > now:
                break
            self._t = self._ends
            self._finish(self._current)
        self._t = max(self._t, now)

    def due(self) -> float | None:
        """When the current step ends."""
        return None if self.paused or self._current is None else self._ends

    def pause(self, now: float) -> None:
        self.advance(now)
        if not self.paused:
            self._rest(now)
            self.paused = True

    def resume(self, now: float) -> None:
        if self.paused:
            self._began += now - self._t_paused
            self._ends += now - self._t_paused
            self.paused = False
            self._t = now

    def clear(self, now: float) -> None:
        """Stop and forget; stays paused."""
        self.pause(now)
        self.pose = self.where(now)
        self._current = None
        self._waiting.clear()

    def where(self, now: float) -> Pose:
        """The pose at `now`: on the straight way to the target during a motion."""
        step = self._current
        if step is None or step.target is None:
            return self.pose
        share = ((self._t_paused if self.paused else now) - self._began) / (self._ends - self._began)
        share = min(1.0, max(0.0, share))
        return tuple(a + share * (b - a) for a, b in zip(self.pose, step.target, strict=True))

    @property
    def idle(self) -> bool:
        return self._current is None and not self._waiting

    @property
    def moving(self) -> bool:
        return not self.paused and self._current is not None and self._current.target is not None

    def _finish(self, step: Step) -> None:
        self._current = None
        if step.target is not None:
            self.pose = step.target
            self._arrived(self.pose)
        step.done()
        if self.idle:
            self._emptied()

    def _rest(self, now: float) -> None:
        self._t_paused = now
        if self.moving:
            self._arrived(self.where(now))
