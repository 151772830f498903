#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Targets that attack their supervisor, and odd and hard conditions in which it must hold and not be noticed."""

import os
import pathlib
import signal
import unittest

import idw
from idw import Case, program, run, wrapped

# A user that nobody else is, so that kill(-1) and a limit of processes concern no other test.
OWN_ID = 54399

# By attackplay, on a process of the supervisor: no such process. What isn't here is told below.
NO_SUCH_PROCESS = [
    "kill", "tkill", "tgkill", "sigqueue", "tgsigqueue", "pidfd", "proc-folder", "setown", "setown-ex", "fiosetown",
    "attach", "seize", "vm-read", "vm-write", "kcmp", "prlimit", "setpriority", "ioprio", "affinity", "scheduler",
    "migrate", "robust-list"]


def as_own_user(argv):
    return ["setpriv", f"--reuid={OWN_ID}", f"--regid={OWN_ID}", "--clear-groups", "--", *idw.words(argv)]


def lines_of(result):
    return dict(line.split(": ", 1) for line in result.out.decode().splitlines())


class Supervisor(Case):
    def setUp(self):
        self.file = idw.stage.fresh() / "a.secret"
        self.file.write_text("secret\n")
        self.file.chmod(0o644)

    def test_attacks_on_each_of_its_processes(self):
        for user in idw.USERS:
            root = idw.IS_ROOT and user is None
            for who in ("engine", "thread", "guardian", "canary"):
                for signum in (int(signal.SIGKILL), int(signal.SIGSTOP)):
                    with self.subTest(who=who, user=user, signum=signum):
                        line = wrapped([program("attackplay"), who, signum, self.file], ["no_secret"])
                        result = run(line, user)
                        self.assertEqual(result.status, 0, result)
                        got = lines_of(result)
                        self.assertEqual({way: got[way] for way in NO_SUCH_PROCESS},
                                         dict.fromkeys(NO_SUCH_PROCESS, "ESRCH"))
                        # An old kernel has no handles of processes.
                        self.assertIn(got["handle"], ("ESRCH", "EOPNOTSUPP", "ESTALE"))
                        # The guardian's group is the target's own.
                        shared = who in ("guardian", "canary")
                        self.assertEqual(got["joining"], "done" if shared else "EPERM")
                        # By path root gets in: docs/SECURITY.md. Asking for no bytes, it has done no harm.
                        self.assertEqual(got["mem"], "done" if root else "EACCES")
                        self.assertEqual(got["open"], "EPERM", "the wrapper still decides")

    def test_the_same_on_a_process_of_nobody(self):
        """The twin: on another process they do what they do bare. SIGURG harms it not."""
        for user in idw.USERS:
            for name, wrappers in idw.ENGINES.items():
                with self.subTest(user=user, engine=name):
                    seen = []
                    line = [program("attackplay"), "PID", int(signal.SIGURG), "/dev/null"]
                    for make in (lambda argv: argv, lambda argv: wrapped(argv, wrappers)):
                        decoy = idw.start(["sleep", "60"], user)
                        comm = pathlib.Path(f"/proc/{decoy.pid}/comm")
                        self.assertTrue(idw.wait_until(lambda: comm.read_text() == "sleep\n"))
                        line[1] = decoy.pid
                        seen.append(run(make(idw.words(line)), user).out)
                        self.assertIsNone(decoy.poll())
                        idw.stop(decoy)
                    self.assertEqual(*[text.decode().splitlines() for text in seen])
                    self.assertIn(b"kill: done", seen[0])

    def test_a_child_asks_for_its_parent(self):
        """Signal 0 tells that the supervisor, the parent that the target has, is there."""
        result = run(wrapped(["python3", "-c", "import os; os.kill(os.getppid(), 0)"]))
        self.assertEqual((result.status, result.err), (0, b""))

    def test_the_main_program_wants_a_tracer(self):
        """Which would be its parent, that is us; bare it is the shell, which doesn't expect it either."""
        code = "import ctypes; l = ctypes.CDLL(None, use_errno=True); print(l.ptrace(0, 0, 0, 0), ctypes.get_errno())"
        for name, wrappers in idw.ENGINES.items():
            with self.subTest(engine=name):
                self.assertEqual(run(wrapped(["python3", "-c", code], wrappers)).out, b"-1 1\n")

    @unittest.skipUnless(idw.IS_ROOT, "kill(-1) as whoever runs the tests")
    def test_a_signal_to_all(self):
        for signum in (signal.SIGURG, signal.SIGKILL):
            for name, wrappers in idw.ENGINES.items():
                with self.subTest(signum=signum, engine=name):
                    line = [program("attackplay"), "all", int(signum)]
                    bare = run(as_own_user(line))
                    self.assertEqual(bare.status, 3, bare)
                    self.same(bare, run(as_own_user(wrapped(line, wrappers))))

    @unittest.skipUnless(idw.IS_ROOT, "a limit for a user of its own")
    def test_a_fork_bomb(self):
        for name, wrappers in idw.ENGINES.items():
            with self.subTest(engine=name):
                line = ["prlimit", "--nproc=60", "--", *wrapped([program("hardplay"), "bomb"], wrappers)]
                result = run(as_own_user(line), timeout=60)
                self.assertEqual((result.status, result.out), (7, b"forked, and was told to stop\n"), result)
                left = lambda: [pid for pid in os.listdir("/proc") if pid.isdigit() and self.owner(pid) == OWN_ID]
                self.assertTrue(idw.wait_until(lambda: not left()), left())

    @staticmethod
    def owner(pid):
        try:
            return os.stat(f"/proc/{pid}").st_uid
        except FileNotFoundError:
            return None


class Hard(Case):
    """Odd and hard conditions: as bare."""

    def test_descriptors(self):
        """None of the supervisor's is there, none of the target's is missing, and numbers are given as bare."""
        def with_open(fds, closed):
            def prepare():
                held = os.open("/dev/null", os.O_RDWR)
                for fd in fds:
                    os.dup2(held, fd)
                if held not in fds:
                    os.close(held)
                for fd in closed:
                    os.close(fd)
            return prepare
        for fds, closed in (([], []), (range(3, 10), []), (range(3, 10), [0, 2]), ([5, 200], [0])):
            with self.subTest(fds=list(fds), closed=closed):
                self.compare([program("hardplay"), "descriptors"], preexec_fn=with_open(fds, closed), close_fds=False)

    def test_no_memory(self):
        self.compare([program("hardplay"), "memory"])

    def test_long_paths(self):
        for length in (4095, 4096, 100000):
            self.compare([program("hardplay"), "path", length])

    def test_long_arguments(self):
        # The second are more than the kernel takes with a stack of 8 MiB.
        for length in (2000000, 8000000):
            self.compare([program("hardplay"), "argv", length])

    def test_a_filter_of_its_own(self):
        for action in ("errno", "trap", "kill", "kill-thread", "log", "allow"):
            self.compare([program("hardplay"), "filter", action], preexec_fn=idw.no_core)

    def test_targets_that_trace_each_other(self):
        """As bare where they are not traced by us; else there is a tracer already, and that is what they are told."""
        line = [program("hardplay"), "trace"]
        traced = [b"traced: yes", b"child: EPERM", b"attach: EPERM", b"ended by 15"]
        for user in idw.USERS:
            bare = run(line, user).out.splitlines()
            self.assertEqual(bare[0], b"traced: no")
            for name, wrappers in idw.ENGINES.items():
                with self.subTest(engine=name, user=user):
                    for _ in range(10):  # what is traced for a moment at its birth must not be seen, either
                        got = run(wrapped(line, wrappers), user).out.splitlines()
                        self.assertEqual(got, bare if got[0] == bare[0] else traced)


if __name__ == "__main__":
    idw.main()
