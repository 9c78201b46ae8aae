"""Options that all tests share, and the surroundings that they do not: a terminal, signals, variables, luck.

A test must come out the same in a terminal, under nohup, in the background of a script and in a container. So the
process of the tests leaves its terminal, hands no ignored signal on to the programs that it starts, drops the variables
by which a user steers mom, curl, git or Python, and has a home of its own. Random examples are the same in each run.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import re
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings

from tests.searches import EXAMPLES, examples

pytest.register_assert_rewrite("tests.golden")

# A long search (MOM_EXAMPLES) is random. No example is on a clock: the machine may be busy.
settings.register_profile(
    "mom",
    derandomize=not EXAMPLES,
    # Of tests that say nothing else.
    max_examples=examples(40, 100),
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("mom")

# What changes how mom, curl, git, Python or a terminal library behaves. MOM_EXAMPLES and the like are the tests' own.
_STEERING = re.compile(
    r"(?i)MOM_(HOME|TOKEN|BASE_URL|ENVOY|DEBUG|CONFIG|TLS_.*)|_MOM_COMPLETE|OTEL_.*|(https?|all|no|ftp)_proxy|CURL_.*|NETRC"
    r"|SSL(KEYLOG|_CERT)_?(FILE|DIR)|GIT_.*|COLUMNS|LINES|NO_COLOR|(CLI|PY)?_?(FORCE_)?COLORS?(_FORCE)?|FORCE_COLOR"
    r"|PYTHON(WARNINGS|UNBUFFERED|OPTIMIZE|DONTWRITEBYTECODE|INSPECT|VERBOSE|IOENCODING|UTF8)|GITHUB_(ACTIONS|WORKSPACE)"
    r"|XDG_(CONFIG|DATA|STATE|CACHE)_HOME|XDG_RUNTIME_DIR|PAGER|LESS|CREDENTIALS_DIRECTORY|AWS_.*|KUBECONFIG|OPENAI_.*"
    r"|NODE_OPTIONS"
)
_HOME = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def leave_surroundings() -> None:
    """Give up the terminal, ignored signals, and variables."""
    _leave_the_terminal()
    _pass_on_no_ignored_signal()
    for name in [name for name in os.environ if _STEERING.fullmatch(name)]:
        del os.environ[name]


def pytest_configure(config: pytest.Config) -> None:
    """Leave the surroundings behind; with several processes, each of them does."""
    leave_surroundings()
    # Where a user has told curl, git, AWS's clients and mom how to be.
    config.stash[_HOME] = tempfile.TemporaryDirectory(prefix="mom-home-", ignore_cleanup_errors=True)
    os.environ |= {"HOME": config.stash[_HOME].name, "GIT_CONFIG_SYSTEM": os.devnull, "TERM": "xterm-256color"}


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what was made for this process."""
    if _HOME in config.stash:
        config.stash[_HOME].cleanup()


def pytest_collection(session: pytest.Session) -> None:
    """Compile the test files: of several processes, each a share of them, which the others then need not compile."""
    # Nothing of a million objects that are made here goes again.
    gc.disable()
    worker = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    # It is said to Python for the user's programs; these files are git's to ignore.
    sys.dont_write_bytecode = False
    files = sorted(session.config.rootpath.glob("tests/**/test_*.py"))
    for path in files[int(worker["workerid"].removeprefix("gw")) :: worker["workercount"]]:
        name = ".".join(path.relative_to(session.config.rootpath).with_suffix("").parts)
        # What is wrong with a file, the collection reports.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(name)


def pytest_collection_finish() -> None:
    """Have Python look for garbage again, but not among the tests themselves."""
    gc.freeze()
    gc.enable()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out folders of golden cases: pytest would walk through a thousand of them in each process."""
    return True if collection_path.is_dir() and not any(collection_path.glob("*.py")) else None


def _leave_the_terminal() -> None:
    """Give up the controlling terminal, so that no program that a test starts can ask a question there."""
    import fcntl
    import termios

    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return
    # tty_ioctl(4): where this process leads its session, all of its group gets a SIGHUP.
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        fcntl.ioctl(terminal, termios.TIOCNOTTY)
    finally:
        os.close(terminal)
        signal.signal(signal.SIGHUP, before)


def _pass_on_no_ignored_signal() -> None:
    """Ignore what is ignored by a handler instead, which a program that is started does not inherit (execve(2))."""
    for number in signal.valid_signals():
        # Python itself ignores these two, and `subprocess` restores them.
        if number not in {signal.SIGPIPE, signal.SIGXFSZ} and signal.getsignal(number) is signal.SIG_IGN:
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, _do_nothing)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    pass


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`: golden cases write what they got, and the reviewer reads the diff."""
    parser.addoption("--update-golden", action="store_true", help="write the expected files of golden cases anew")
