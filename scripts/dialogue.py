# SPDX-License-Identifier: LGPL-2.1-or-later
"""A dialogue with a program whose standard input and output are one socket (or, for a program that must not see a
socket, two pipes). Python's standard library only.

    with Dialogue(["/usr/lib/dovecot/imap"], env=settings) as d:
        d.expect(rb"^\\* PREAUTH.*\\r\\n")
        d.send(b"a1 NOOP\\r\\n")
        d.expect(rb"^a1 (OK|NO|BAD).*\\r\\n")
        status = d.finish()
"""
import os
import re
import select
import signal
import socket
import subprocess
import time


class DialogueError(Exception):
    """The program was silent for too long, or hung up."""


class Dialogue:
    """One running program. `seen` holds all that it has said."""

    def __init__(self, command, *, pipes=False, timeout=60.0, **popen):
        self.timeout = timeout
        self.seen = b""
        self._mark = 0
        if pipes:
            theirs_in, ours_out = os.pipe()
            ours_in, theirs_out = os.pipe()
            self._in, self._out = ours_in, ours_out
        else:
            ours, theirs = socket.socketpair()
            self._in = ours.detach()
            self._out = os.dup(self._in)
            theirs_in = theirs_out = theirs.detach()
        try:
            self.process = subprocess.Popen(command, stdin=theirs_in, stdout=theirs_out, **popen)
        finally:
            for fd in {theirs_in, theirs_out}:
                os.close(fd)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.hang_up()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._in >= 0:
            os.close(self._in)
            self._in = -1

    def send(self, data):
        """Write all of it. While the program doesn't read, what it says is taken in."""
        os.set_blocking(self._out, False)
        deadline = time.monotonic() + self.timeout
        while data:
            left = max(0.0, deadline - time.monotonic())
            readable, writable, _ = select.select([self._in], [self._out], [], left)
            if readable and not self._take():
                raise DialogueError("the program hung up")
            if writable:
                try:
                    data = data[os.write(self._out, data):]
                except BlockingIOError:
                    pass
                except (BrokenPipeError, ConnectionResetError) as error:
                    raise DialogueError("the program hung up") from error
            elif not readable:
                raise DialogueError("the program doesn't read")

    def expect(self, pattern):
        """Wait until the text since the last match holds `pattern` (multi-line); returns the text up to its end."""
        regex = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + self.timeout
        while True:
            match = regex.search(self.seen, self._mark)
            if match:
                text = self.seen[self._mark:match.end()]
                self._mark = match.end()
                return text
            left = max(0.0, deadline - time.monotonic())
            readable, _, _ = select.select([self._in], [], [], left)
            if not readable:
                raise DialogueError(f"no {pattern!r} within {self.timeout:g} s, but {self.seen[self._mark:]!r}")
            if not self._take():
                raise DialogueError(f"end of output instead of {pattern!r}, after {self.seen[self._mark:]!r}")

    def rest(self):
        """All that the program says until it closes its output; waits at most the timeout."""
        deadline = time.monotonic() + self.timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            readable, _, _ = select.select([self._in], [], [], left)
            if not readable:
                raise DialogueError("the program doesn't end")
            if not self._take():
                text, self._mark = self.seen[self._mark:], len(self.seen)
                return text

    def hang_up(self):
        """End of input for the program."""
        if self._out < 0:
            return
        try:
            with socket.socket(fileno=os.dup(self._out)) as s:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # a pipe, or the other end is gone
        os.close(self._out)
        self._out = -1

    def finish(self):
        """Hang up, take in what is left, return the exit status as a shell would: 128 + N for signal N."""
        self.hang_up()
        self.rest()
        status = self.process.wait(self.timeout)
        return status if status >= 0 else 128 - status

    def _take(self):
        try:
            data = os.read(self._in, 65536)
        except ConnectionResetError:
            data = b""
        self.seen += data
        return bool(data)


def status_text(status):
    """Exit status as words: "exit 3", "SIGSEGV"."""
    return f"exit {status}" if status <= 128 else signal.Signals(status - 128).name
