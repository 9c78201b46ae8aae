"""A program that runs in the place of this process, as far as anyone can see: streams, signals, terminal, exit status.

As env(1) and timeout(1) do it: 126 for a program that cannot be run, 127 for one that is not there, its own status
otherwise; where a signal ends it, this process ends by the same signal. Signals that another process sends are passed
on; those of the terminal (Ctrl-C, Ctrl-Z) the program gets itself, being in the same process group.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Mapping, Sequence

from mom.errors import ExitStatus, MomError
from mom.files import reason_of

_PASSED_ON = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
    signal.SIGTSTP,
)
# Sent by the kernel, such as for a key of the terminal (sigaction(2), si_code).
_FROM_KERNEL = 0x80


class Child:
    """A running program."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start it. Raises MomError, with the exit status for it, where that is not possible."""
        # What is ignored stays ignored, here and there (nohup).
        passed_on = [number for number in _PASSED_ON if signal.getsignal(number) is not signal.SIG_IGN]
        self._watched = {*passed_on, signal.SIGCHLD}
        # A signal whose default is to be ignored may be dropped even where it is blocked.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, self._watched)
        try:
            # Python itself ignores SIGPIPE and SIGXFSZ, which a program expects to be as it was started.
            defaults = [signal.SIGPIPE, signal.SIGXFSZ]
            self._pid = os.posix_spawnp(words[0], list(words), dict(environ), setsigmask=self._mask, setsigdef=defaults)
        except (OSError, ValueError) as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            raise _not_run(words[0], error) from None

    def wait(self) -> int:
        """Wait for its end, passing on signals, and return how it ended, as `os.waitpid` does."""
        while True:
            number, from_kernel = _next_signal(self._watched)
            if number != signal.SIGCHLD:
                if not from_kernel:
                    self._send(number)
                continue
            pid, status = os.waitpid(self._pid, os.WNOHANG | os.WUNTRACED)
            if pid == 0:
                continue
            if os.WIFSTOPPED(status):
                # A shell looks at this process; when it goes on, so does the program.
                os.kill(os.getpid(), signal.SIGSTOP)
                self._send(signal.SIGCONT)
                continue
            return status

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def end_as(self, status: int) -> int:
        """Return the exit status for what `wait` returned; where a signal ended the program, end by that signal."""
        if os.WIFEXITED(status):
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            return os.WEXITSTATUS(status)
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError, ValueError):
            # The program has left a core dump if there was to be one.
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        return 128 + number


def _next_signal(watched: set[signal.Signals]) -> tuple[int, bool]:
    """Wait for one of these signals; return it, and whether the kernel sent it."""
    if hasattr(signal, "sigwaitinfo"):
        info = signal.sigwaitinfo(watched)
        return info.si_signo, info.si_code == _FROM_KERNEL
    # macOS does not tell who sent it: what a terminal can send comes from the one that this process belongs to.
    number = signal.sigwait(watched)
    return number, number in {signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP} and os.isatty(0)


def _not_run(name: str, error: OSError | ValueError) -> MomError:
    if isinstance(error, FileNotFoundError):
        message, status = f"there is no program {name}", ExitStatus.COMMAND_MISSING
    else:
        reason = reason_of(error) if isinstance(error, OSError) else "its name has a NUL character"
        message, status = f"cannot run {name}: {reason}", ExitStatus.NOT_RUNNABLE
    return MomError(message, exit_status=status)
