#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A signal sent to idwrun, or to its process group, reaches the wrapped program once."""

import os
import signal
import time

import idw
from idw import Case, program

FORWARDED = [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT,
             signal.SIGWINCH, signal.SIGALRM, signal.SIGURG, signal.SIGRTMIN, signal.SIGRTMIN + 1]


class Counting(Case):
    def counted(self, line, user, send):
        """What `sigplay count` says when send(process) sends to it. A moment is left for signals too many."""
        process = idw.start(line, user)
        try:
            said = idw.read_until(process.stdout, rb"ready\n")
            said += send(process)
            time.sleep(0.15)
            rest, err = process.communicate(timeout=10)
            self.assertEqual((process.returncode, err), (0, b""))
            return said + rest
        finally:
            idw.stop(process)

    def both_send(self, send, expected, users=(None,)):
        for user in users:
            for way in self.ways([program("sigplay"), "count"], user):
                with way as line:
                    self.assertEqual(self.counted(line, user, send), b"ready\n" + expected + b"end\n")

    def test_to_the_process(self):
        for signum in FORWARDED:
            with self.subTest(signal=signum):
                def send(process):
                    os.kill(process.pid, signum)
                    return idw.read_until(process.stdout, rb"got \d+\n")
                users = idw.USERS if signum in (signal.SIGTERM, signal.SIGRTMIN) else [None]
                self.both_send(send, b"got %02d\n" % signum, users)

    def test_to_the_process_group(self):
        for signum in FORWARDED:
            with self.subTest(signal=signum):
                def send(process):
                    os.killpg(process.pid, signum)
                    return idw.read_until(process.stdout, rb"got \d+\n")
                users = idw.USERS if signum in (signal.SIGTERM, signal.SIGRTMIN) else [None]
                self.both_send(send, b"got %02d\n" % signum, users)

    def test_real_time_signals_queue(self):
        def send(process):
            for _ in range(5):
                os.kill(process.pid, signal.SIGRTMIN)
            return idw.read_until(process.stdout, rb"(got 34\n){5}")
        self.both_send(send, b"got 34\n" * 5)

    def test_one_after_the_other(self):
        order = [signal.SIGUSR1, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT]

        def send(process):
            said = b""
            for signum in order:
                os.kill(process.pid, signum)
                said += idw.read_until(process.stdout, b"got %02d\n" % signum)
            return said
        self.both_send(send, b"".join(b"got %02d\n" % signum for signum in order))


class Ending(Case):
    def test_at_any_moment_of_the_start(self):
        """However early the signal comes, the end is the same: nobody hangs, nothing runs on."""
        for milliseconds in (0, 1, 2, 5, 10, 20, 40, 80):
            for way in self.ways(["sleep", "20"], idw.ORDINARY):
                with way as line:
                    process = idw.start(line, idw.ORDINARY)
                    time.sleep(milliseconds / 1000)
                    process.send_signal(signal.SIGTERM)
                    self.assertEqual(process.wait(10), -signal.SIGTERM, f"after {milliseconds} ms")
                    gone = lambda: not idw.session(process.pid)
                    self.assertTrue(idw.wait_until(gone, 5), "all of it has gone")
                    idw.stop(process)

    def test_to_the_group(self):
        for way in self.ways(["sh", "-c", "sleep 20; echo survived"]):
            with way as line:
                process = idw.start(line)
                time.sleep(0.3)
                os.killpg(process.pid, signal.SIGINT)
                self.assertEqual(process.wait(10), -signal.SIGINT)
                idw.stop(process)

    def test_ignored_by_the_program(self):
        for way in self.ways(["sh", "-c", "trap '' TERM HUP; echo ready; sleep 1; echo done"]):
            with way as line:
                process = idw.start(line)
                idw.read_until(process.stdout, rb"ready\n")
                for signum in (signal.SIGTERM, signal.SIGHUP):
                    process.send_signal(signum)
                out, _ = process.communicate(timeout=10)
                self.assertEqual((process.returncode, out), (0, b"done\n"))
                idw.stop(process)


class Stopping(Case):
    def start_ticking(self, line):
        """In this session, a process group of its own: not orphaned, so that SIGTSTP stops it."""
        process = idw.start(line, start_new_session=False, preexec_fn=os.setpgrp)
        idw.read_until(process.stdout, rb"tick\n")
        return process

    def stops_and_goes_on(self, send, signum):
        for way in self.ways(["bash", "-c", "while :; do echo tick; read -t 0.1; done"]):
            with way as line:
                process = self.start_ticking(line)
                try:
                    send(process.pid, signum)
                    pid, status = idw.wait_until(lambda: self.stopped(process.pid), 5) or (0, 0)
                    self.assertEqual((pid, os.WIFSTOPPED(status) and os.WSTOPSIG(status)), (process.pid, signum))
                    time.sleep(0.3)
                    os.set_blocking(process.stdout.fileno(), False)
                    process.stdout.read()
                    time.sleep(0.4)
                    self.assertFalse(process.stdout.read(), "ticks while stopped")
                    send(process.pid, signal.SIGCONT)
                    idw.read_until(process.stdout, rb"tick\n", 5)
                    send(process.pid, signal.SIGTERM)
                    self.assertEqual(process.wait(10), -signal.SIGTERM)
                finally:
                    idw.stop(process)

    @staticmethod
    def stopped(pid):
        got, status = os.waitpid(pid, os.WUNTRACED | os.WNOHANG)
        return (got, status) if got else None

    def test_process_by_tstp(self):
        self.stops_and_goes_on(os.kill, signal.SIGTSTP)

    def test_group_by_tstp(self):
        self.stops_and_goes_on(os.killpg, signal.SIGTSTP)

    def test_group_by_stop(self):
        self.stops_and_goes_on(os.killpg, signal.SIGSTOP)


if __name__ == "__main__":
    idw.main()
