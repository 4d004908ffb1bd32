"""The process that the others belong to: it starts them, replaces those that die, and ends them together."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Final, NamedTuple

import structlog

from mooring.cli.process import STOP_ACCEPTING
from mooring.core.errors import StartError

_OVERLAP: Final = 1.0  # seconds that an old process goes on accepting, and then reading, beside the new one
_SETTLED: Final = 10.0  # seconds after which a process counts as healthy
_LONGEST_PAUSE: Final = 30.0  # seconds between attempts to start what keeps dying


class Post(NamedTuple):
    """A place that a process fills. `start` starts one; `is_web` is for those that answer clients."""

    name: str
    start: Callable[[], BaseProcess]
    is_web: bool


class Supervisor:
    """Keeps every post filled until SIGTERM or SIGINT; SIGHUP replaces the web processes.

    It runs no threads of its own, so that a child can be forked at any time. `timeout` is in seconds: what processes
    get to finish the requests they have. `renew` reads anew what new web processes start with, or raises StartError.
    """

    def __init__(self, posts: Sequence[Post], timeout: float, renew: Callable[[], None]) -> None:
        self._posts = posts
        self._timeout = timeout
        self._renew = renew
        self._running: dict[Post, _Running] = {}
        self._due: dict[Post, float] = {}
        self._deaths: dict[Post, int] = {}
        self._leaving: list[_Leaving] = []
        self._signals: list[int] = []
        self._log = structlog.get_logger()
        self.has_answered = False

    def run(self, started: Callable[[], None], close: Callable[[], None]) -> None:
        """Start the posts, call `started`, and return when all have ended; `close` is called before they are told to.

        Raises StartError when a web process dies before `has_answered` was set.
        """
        wake, waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)
        for post in self._posts:
            self._fill(post)
        try:
            started()
            while self._turn(wake):
                pass
        finally:
            close()
            self._end(wake)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _turn(self, wake: int) -> bool:
        """Wait for something to happen and see to it; False when it is the end."""
        self._sleep(wake, self._pause())
        while self._signals:
            if self._signals.pop(0) != signal.SIGHUP:
                return False
            self._reload()
        for post, running in list(self._running.items()):
            if not running.process.is_alive():
                self._bury(post, running)
        now = time.monotonic()
        for post in [post for post, moment in self._due.items() if moment <= now]:
            self._fill(post)
        self._leaving = [leaving for leaving in self._leaving if not leaving.is_gone(now)]
        return True

    def _sleep(self, wake: int, seconds: float | None) -> None:
        processes = [running.process for running in self._running.values()]
        processes += [leaving.process for leaving in self._leaving]
        if wake in wait([wake, *(process.sentinel for process in processes)], seconds):
            os.read(wake, 4096)

    def _pause(self) -> float | None:
        """Seconds until something is due by the clock; None when nothing is."""
        steps = (leaving.moment() for leaving in self._leaving)
        moments = [*self._due.values(), *(moment for moment in steps if moment is not None)]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _fill(self, post: Post) -> None:
        self._due.pop(post, None)
        self._running[post] = _Running(post.start(), time.monotonic())

    def _bury(self, post: Post, running: "_Running") -> None:
        if post.is_web and not self.has_answered:
            raise StartError("a web process ended before it could answer; what it logged above says why")
        now = time.monotonic()
        del self._running[post]
        self._deaths[post] = self._deaths.get(post, 0) + 1 if now - running.since < _SETTLED else 0
        pause = min(2.0 ** self._deaths[post] - 1, _LONGEST_PAUSE)
        self._due[post] = now + pause
        self._log.error(
            "a process ended by itself", process=post.name, status=running.process.exitcode, replaced_in=pause
        )

    def _reload(self) -> None:
        """New web processes beside the old ones, which finish what they have."""
        try:
            self._renew()
        except StartError as error:
            self._log.error("not reloaded", reason=str(error))
            return
        self._log.info("reloading: new web processes take over")
        for post in self._posts:
            if post.is_web:
                old = self._running.get(post)
                self._fill(post)
                if old is not None:
                    self._leaving.append(_Leaving(old.process, self._timeout))

    def _end(self, wake: int) -> None:
        """Have every process end; the patience is over after the timeout, or at a second signal."""
        left = [running.process for running in self._running.values()]
        left += [leaving.process for leaving in self._leaving]
        for process in left:
            process.terminate()
        end = time.monotonic() + self._timeout
        self._signals.clear()
        self._log.info("ending: requests under way are finished first", at_most_seconds=self._timeout)
        while left and time.monotonic() < end and not self._signals:
            ready = wait([wake, *(process.sentinel for process in left)], end - time.monotonic())
            if wake in ready:
                os.read(wake, 4096)
            left = [process for process in left if process.is_alive()]
        for process in left:
            self._log.warning("a process did not end in time and is killed", process=process.pid)
            process.kill()
            process.join()


class _Running(NamedTuple):
    process: BaseProcess
    since: float


class _Leaving:
    """A process whose successor serves: it stops accepting, is told to end once it has read what came, is made to."""

    def __init__(self, process: BaseProcess, timeout: float) -> None:
        self.process = process
        now = time.monotonic()
        self._steps: list[tuple[float, Callable[[], None]]] = [
            (now + _OVERLAP, self._stop_accepting),
            (now + 2 * _OVERLAP, process.terminate),
            (now + 2 * _OVERLAP + timeout, process.kill),
        ]

    def moment(self) -> float | None:
        """When the next step is due."""
        return self._steps[0][0] if self._steps else None

    def is_gone(self, now: float) -> bool:
        """Take the steps that are due; whether the process has ended."""
        if not self.process.is_alive():
            return True
        while self._steps and self._steps[0][0] <= now:
            self._steps.pop(0)[1]()
        return False

    def _stop_accepting(self) -> None:
        assert self.process.pid is not None  # noqa: S101 - it was started
        os.kill(self.process.pid, STOP_ACCEPTING)
