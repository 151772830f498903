# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the end-to-end tests share: running a command bare and under idwrun, terminals, audit records.

    python3 tests/e2e/test_NAME.py IDWRUN WRAPC PROGRAMS [unittest's arguments]

IDWRUN and WRAPC are the built programs, PROGRAMS the folder of the built tests/programs. They are copied, with the
wrappers that the tests use, to a stage: a folder in /tmp that every user can read. As root each comparison is made
twice, as root and as an ordinary user; as an ordinary user, as that user.
"""

import atexit
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import typing
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0
ORDINARY_ID = 65534
# None: whoever runs the tests.
USERS = [None, "ordinary"] if IS_ROOT else [None]
ORDINARY = "ordinary" if IS_ROOT else None

# By what they exercise; each watches many calls and decides nothing, so that a wrapped program must not notice.
ENGINES = {
    "notify": ["quiet_notify"],
    "trace": ["quiet_trace"],
    "both": ["quiet_notify", "quiet_trace"],
    "perform": ["quiet_perform"],  # calls that the supervisor makes for the program
}


class Stage:
    """Folders and files of one run of a test file."""

    def __init__(self, idwrun, wrapc, programs):
        self.built_idwrun, self.wrapc = pathlib.Path(idwrun).resolve(), pathlib.Path(wrapc).resolve()
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="idw-e2e-"))
        atexit.register(shutil.rmtree, self.top, ignore_errors=True)
        self.top.chmod(0o755)
        self.bin, self.wrappers = self.top / "bin", self.top / "wrappers"
        self.scratch = self.top / "scratch"
        for folder in (self.bin, self.wrappers):
            folder.mkdir(mode=0o755)
        self.idwrun = self._copy(self.built_idwrun)
        for program in pathlib.Path(programs).resolve().iterdir():
            if program.is_file() and os.access(program, os.X_OK):
                self._copy(program)
        self.compiled = {}
        self.fresh()

    def _copy(self, program):
        shutil.copy(program, self.bin)
        (self.bin / program.name).chmod(0o755)
        return self.bin / program.name

    def fresh(self):
        """An empty folder for the program under test, always of the same name, that anyone may write to."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        self.scratch.chmod(0o777)
        return self.scratch

    def wrapper(self, name):
        """The compiled wrapper tests/e2e/wrappers/NAME.wr or wrappers/NAME.wr."""
        if name not in self.compiled:
            sources = [folder / f"{name}.wr" for folder in (ROOT / "tests/e2e/wrappers", ROOT / "wrappers")]
            source = next(path for path in sources if path.exists())
            self.compiled[name] = self.compile(source)
        return self.compiled[name]

    def compile(self, source):
        target = self.wrappers / f"{pathlib.Path(source).stem}.so"
        subprocess.run([self.wrapc, source, "-o", target], check=True, timeout=60)
        target.chmod(0o755)
        return target


stage: Stage


def program(name):
    return str(stage.bin / name)


def words(argv):
    """argv as strings: paths and numbers may be among it, and bytes."""
    return [os.fsdecode(arg) if isinstance(arg, bytes) else str(arg) for arg in argv]


class Result(typing.NamedTuple):
    status: int  # as in subprocess: negative, a signal
    out: bytes
    err: bytes


def as_user(argv, user):
    """argv, run as @user: None or "ordinary"."""
    argv = words(argv)
    if user is None:
        return argv
    ids = [f"--reuid={ORDINARY_ID}", f"--regid={ORDINARY_ID}", "--clear-groups"]
    return ["setpriv", *ids, "--", *argv]


def wrapped(argv, wrappers=("quiet_notify",), audit="/dev/null", options=()):
    """argv, wrapped. @wrappers: names for Stage.wrapper, or paths. @audit: a path, or None for idwrun's default."""
    line = [str(stage.idwrun)]
    if audit is not None:
        line += ["--audit", str(audit)]
    for name in wrappers:
        line += ["--wrap", str(name if "/" in str(name) else stage.wrapper(name))]
    return words([*line, *options, "--", *argv])


def start(argv, user=None, **popen):
    """A Popen in a session of its own, so that all it starts can be ended with stop()."""
    popen.setdefault("start_new_session", True)
    popen.setdefault("cwd", stage.scratch)
    for stream in ("stdin", "stdout", "stderr"):
        popen.setdefault(stream, subprocess.PIPE)
    return subprocess.Popen(as_user(argv, user), **popen)


def stop(process):
    """End @process and whatever of its session is left in its process group; only what start() started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def run(argv, user=None, stdin=b"", timeout=60, **popen):
    """Run to the end. Standard input is @stdin, or what popen's own `stdin` says when @stdin is None."""
    if stdin is None:
        popen.setdefault("stdin", subprocess.DEVNULL)
    else:
        popen["stdin"] = subprocess.PIPE
    process = start(argv, user, **popen)
    try:
        out, err = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"hung for {timeout} s: {' '.join(map(str, argv))}") from None
    finally:
        stop(process)
    return Result(process.returncode, out, err)


def wait_until(what, timeout=10.0, step=0.02):
    """Poll @what until it is true; its last value."""
    end = time.monotonic() + timeout
    while not (value := what()) and time.monotonic() < end:
        time.sleep(step)
    return value


def read_until(stream, pattern, timeout=10.0):
    """Bytes of the pipe or terminal @stream up to a match of @pattern (bytes); AssertionError when none comes."""
    fd, seen, end = stream if isinstance(stream, int) else stream.fileno(), b"", time.monotonic() + timeout
    while not re.search(pattern, seen):
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            raise AssertionError(f"no {pattern!r} within {timeout} s in {seen!r}")
        try:
            data = os.read(fd, 65536)
        except OSError:  # a terminal whose other side has gone
            data = b""
        if not data:
            raise AssertionError(f"no {pattern!r} until the end of {seen!r}")
        seen += data
    return seen


def audit_file(user=None):
    """An empty file for --audit that @user may write to."""
    fd, path = tempfile.mkstemp(prefix="audit-", dir=stage.top)
    os.close(fd)
    if user is not None:
        os.chown(path, ORDINARY_ID, ORDINARY_ID)
    return pathlib.Path(path)


def records(path):
    """The audit records in @path. Every line must be one."""
    return [json.loads(line) for line in pathlib.Path(path).read_bytes().splitlines()]


def unescape(text):
    """The bytes that an escaped string of an audit record stands for (audit/audit.h)."""
    plain = {b"\\": b"\\"}
    return re.sub(
        rb"\\(x([0-9a-fA-F]{2})|\\)", lambda m: bytes([int(m[2], 16)]) if m[2] else plain[m[1]], text.encode())


class Audited(typing.NamedTuple):
    status: int
    out: bytes
    err: bytes
    records: list


def run_audited(argv, wrappers, user=None, options=(), **kw):
    """Run wrapped, to the end; what was audited comes with the result."""
    path = audit_file(user)
    result = run(wrapped(argv, wrappers, path, options), user, **kw)
    return Audited(*result, records(path))


def run_stats(argv, wrappers, user=None, **kw):
    """Run wrapped with --stats: the result, and what the file says."""
    path = audit_file(user)
    result = run(wrapped(argv, wrappers, options=["--stats", path]), user, **kw)
    return result, json.loads(path.read_text())


class Terminal:
    """A command on a terminal of its own, as session leader."""

    def __init__(self, argv, user=None, rows=24, columns=80):
        argv = as_user(argv, user)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(stage.scratch)
                for signum in (signal.SIGPIPE, signal.SIGXFSZ):  # which python ignores
                    signal.signal(signum, signal.SIG_DFL)
                environment = {**os.environ, "PS1": "$ ", "TERM": "dumb", "HISTFILE": "/dev/null"}
                environment.pop("PROMPT_COMMAND", None)
                os.execvpe(argv[0], argv, environment)
            finally:
                os._exit(127)
        self.status = None
        self.resize(rows, columns)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, data):
        os.write(self.fd, data)

    def expect(self, pattern, timeout=10.0):
        return read_until(self.fd, pattern, timeout)

    def rest(self, seconds):
        """What comes within @seconds."""
        seen, end = b"", time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and select.select([self.fd], [], [], left)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            seen += data
        return seen

    def wait(self, timeout=10.0):
        """Exit status, as in subprocess."""
        def gone():
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            return pid
        if self.status is None and not wait_until(gone, timeout):
            raise AssertionError("the command on the terminal did not end")
        return self.status

    def hang_up(self):
        os.close(self.fd)
        self.fd = -1

    def close(self):
        """End it, and all that its session left."""
        for pid in session(self.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.fd >= 0:
            os.close(self.fd)
        if self.status is None:
            os.waitpid(self.pid, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def stat_fields(pid):
    """Fields of /proc/PID/stat from the third (state) on; [] when it has gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def session(sid):
    """Pids whose session is @sid."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if (fields := stat_fields(pid)) and int(fields[3]) == sid]


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Case(unittest.TestCase):
    maxDiff = 4000

    def compare(self, argv, wrappers=None, users=None, **kw):
        """Bare and wrapped, for each user and each engine: the same output, errors and exit status."""
        choices = ENGINES if wrappers is None else {"+".join(map(str, wrappers)): wrappers}
        for user in USERS if users is None else users:
            stage.fresh()
            bare = run(argv, user, **kw)
            for name, names in choices.items():
                stage.fresh()
                with self.subTest(engine=name, user=user, argv=" ".join(map(str, argv))[:200]):
                    self.same(bare, run(wrapped(argv, names), user, **kw))

    def same(self, bare, other):
        self.assertEqual(bare.status, other.status, f"exit status; stderr {bare.err[-300:]!r} {other.err[-300:]!r}")
        for stream in ("out", "err"):
            mine, theirs = getattr(bare, stream), getattr(other, stream)
            if mine != theirs:
                lines = [text.decode(errors="backslashreplace").splitlines() for text in (mine, theirs)]
                self.assertEqual(*lines, f"std{stream}")
                self.fail(f"std{stream} differs in its line ends")

    def ways(self, argv, user=None):
        """Bare, and by each engine: `for way in self.ways(argv): with way as line: ...`, each a subtest."""
        lines = {"bare": words(argv)}
        lines.update({name: wrapped(argv, ENGINES[name]) for name in ("notify", "trace", "perform")})
        return [self._way(name, line, user) for name, line in lines.items()]

    @contextlib.contextmanager
    def _way(self, name, line, user):
        stage.fresh()
        with self.subTest(way=name, user=user):
            yield line


def main():
    global stage
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    # Whoever runs us in the background, or under nohup(1), has these ignored; the programs that we run count on them.
    for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(signum) == signal.SIG_IGN:
            signal.signal(signum, signal.SIG_DFL)
    stage = Stage(*sys.argv[1:4])
    unittest.main(module="__main__", argv=[sys.argv[0], *sys.argv[4:]], verbosity=1)
