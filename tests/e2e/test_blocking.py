#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that wait for somebody else: as long as bare, and what reaches the one who waits does as bare.

open of a FIFO and connect wait in the kernel. A supervisor that makes them for the program waits in its place: nobody
else may wait with it, and no signal may come late.
"""

import os
import signal
import time

import idw
from idw import Case, Terminal, program, wrapped

ENGINES = {"perform": ["quiet_perform"], "trace": ["quiet_trace"], "both": ["quiet_perform", "quiet_notify"]}


class Blocking(Case):
    def play(self, *args, engines=ENGINES, users=(None,)):
        argv = [program("blockplay"), *args]
        for user in users:
            bare = self.ran(argv, user)
            self.assertNotIn(b"after", bare.out, "the bare run is in time")
            for name, wrappers in engines.items():
                with self.subTest(engine=name, user=user, play=args):
                    self.same(bare, self.ran(wrapped(argv, wrappers), user))
        return bare

    @staticmethod
    def ran(argv, user):
        idw.stage.fresh()
        return idw.run(argv, user, timeout=30)

    def started(self, wrappers, name="fifo", **popen):
        """A program that waits in open, wrapped or, without wrappers, bare."""
        idw.stage.fresh()
        argv = [program("blockplay"), "wait", name]
        process = idw.start(argv if wrappers is None else wrapped(argv, wrappers), **popen)
        idw.read_until(process.stdout, rb"ready\n")
        time.sleep(0.15)
        return process


class Waiting(Blocking):
    def test_for_another_process(self):
        self.play("process", users=idw.USERS)

    def test_for_another_thread(self):
        self.play("thread", users=idw.USERS)

    def test_a_hundred_threads(self):
        self.play("many", 100)

    def test_in_connect(self):
        self.play("connect", users=idw.USERS)

    def test_for_a_lease(self):
        self.play("lease", users=idw.USERS)

    def test_nobody_else_waits(self):
        self.play("others")


class Signals(Blocking):
    def test_handler(self):
        for flags in ("restart", "plain"):
            self.play("handler", flags, users=idw.USERS)

    def test_handler_in_connect(self):
        self.play("connect-handler", "plain")
        self.play("connect-tcp")

    def test_many_signals(self):
        self.play("timer")

    def test_default_actions(self):
        for signum in (signal.SIGTERM, signal.SIGKILL, signal.SIGALRM):
            self.play("default", signum, users=[idw.ORDINARY])

    def test_nothing_happens(self):
        self.play("ignored")
        self.play("masked")

    def test_stop_and_continue(self):
        self.play("stop", users=idw.USERS)

    def test_cancelled_thread(self):
        self.play("cancel")

    def test_from_outside(self):
        for wrappers in (None, *ENGINES.values()):
            for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                with self.subTest(wrappers=wrappers, signal=signum):
                    process = self.started(wrappers)
                    begin = time.monotonic()
                    process.send_signal(signum)
                    self.assertEqual(process.wait(10), -signum)
                    self.assertLess(time.monotonic() - begin, 10)
                    idw.stop(process)


class Terminals(Blocking):
    def at(self, wrappers):
        idw.stage.fresh()
        argv = [program("blockplay"), "wait", "fifo"]
        return Terminal(argv if wrappers is None else wrapped(argv, wrappers))

    def test_interrupted_from_the_keyboard(self):
        for key, signum in ((b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)):
            for wrappers in (None, *ENGINES.values()):
                with self.subTest(wrappers=wrappers, signal=signum), self.at(wrappers) as terminal:
                    terminal.expect(rb"ready")
                    time.sleep(0.15)
                    begin = time.monotonic()
                    terminal.send(key)
                    self.assertEqual(terminal.wait(), -signum)
                    self.assertLess(time.monotonic() - begin, 10)

    def test_hang_up(self):
        for wrappers in (None, *ENGINES.values()):
            with self.subTest(wrappers=wrappers), self.at(wrappers) as terminal:
                terminal.expect(rb"ready")
                time.sleep(0.15)
                terminal.hang_up()
                self.assertEqual(terminal.wait(), -signal.SIGHUP)

    def test_job_control(self):
        """^Z while it waits; in the foreground again it waits on, until somebody writes."""
        fifo = idw.stage.scratch / "fifo"
        for wrappers in (None, *ENGINES.values()):
            idw.stage.fresh()
            line = [program("blockplay"), "wait", "fifo"]
            line = " ".join(line if wrappers is None else wrapped(line, wrappers))
            with self.subTest(wrappers=wrappers), Terminal(["bash", "--norc", "--noediting", "-i"]) as terminal:
                terminal.expect(rb"\$ ")
                terminal.send(line.encode() + b"\n")
                terminal.expect(rb"ready")
                time.sleep(0.15)
                terminal.send(b"\x1a")
                terminal.expect(rb"(?s)Stopped.*\$ ")
                terminal.send(b"fg\n")
                terminal.expect(rb"blockplay wait")
                time.sleep(0.2)
                fd = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)  # ENXIO, if nobody waits
                os.write(fd, b"x")
                os.close(fd)
                terminal.expect(rb"(?s)read = 0\r\n.*\$ ")


class Killed(Blocking):
    def assert_nothing_left(self, process):
        self.assertTrue(idw.wait_until(lambda: not idw.session(process.pid), 5), f"left: {idw.session(process.pid)}")

    def test_nothing_is_left_behind(self):
        for name, wrappers in ENGINES.items():
            with self.subTest(engine=name):
                process = self.started(wrappers)
                (target,) = [pid for pid in idw.session(process.pid) if self.is_target(pid)]
                os.kill(target, signal.SIGKILL)
                self.assertEqual(process.wait(10), -signal.SIGKILL)
                self.assert_nothing_left(process)
                with self.assertRaises(OSError, msg="nobody waits at the FIFO any more"):
                    os.open(idw.stage.scratch / "fifo", os.O_WRONLY | os.O_NONBLOCK)
                idw.stop(process)

    def test_in_a_hundred_threads(self):
        for name, wrappers in ENGINES.items():
            with self.subTest(engine=name):
                idw.stage.fresh()
                script = ("import os, threading, time\n"
                          "for i in range(100):\n"
                          "  os.mkfifo(str(i))\n"
                          "  threading.Thread(target=os.open, args=(str(i), os.O_RDONLY)).start()\n"
                          "print('ready', flush=True)\n")
                process = idw.start(wrapped(["python3", "-S", "-c", script], wrappers))
                idw.read_until(process.stdout, rb"ready\n")
                time.sleep(0.2)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(10), -signal.SIGTERM)
                self.assert_nothing_left(process)
                idw.stop(process)

    @staticmethod
    def is_target(pid):
        try:
            return os.readlink(f"/proc/{pid}/exe") == program("blockplay")
        except OSError:
            return False


if __name__ == "__main__":
    idw.main()
