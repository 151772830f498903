#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Twins of the kernel's own tests of user notification (tools/testing/selftests/seccomp/seccomp_bpf.c).

There a test is both the program and its supervisor. Here idwrun is the supervisor, and what is looked at is what the
program sees: the same as bare. Each test names the kernel's.
"""

import os
import re
import signal
import time

import idw
from idw import Case, program, run, run_audited, wrapped


class Selftests(Case):
    def play(self, *args, slow=False, users=None, timeout=60):
        """selfplay says the same bare and by each engine. The bare run is returned, of the last user."""
        argv = [program("selfplay"), *args]
        choices = {"slow": ["slow"]} if slow else idw.ENGINES
        for user in idw.USERS if users is None else users:
            idw.stage.fresh()
            bare = run(argv, user, timeout=timeout)
            for name, wrappers in choices.items():
                idw.stage.fresh()
                with self.subTest(engine=name, user=user, play=args):
                    result = run(wrapped(argv, wrappers), user, timeout=timeout)
                    self.assertEqual(bare.out.decode().splitlines(), result.out.decode().splitlines(), result.err)
                    self.assertEqual(bare.status, result.status, result.err)
        return bare


class Descriptors(Selftests):
    def test_numbers_flags_offsets(self):
        """user_notification_addfd, user_notification_sendfd"""
        self.play("descriptors")

    def test_no_number_left(self):
        """user_notification_addfd_rlimit: EMFILE, and what could not be opened has not been created."""
        self.play("rlimit")


class Memory(Selftests):
    def test_addresses_that_are_not_there(self):
        """user_notification_fault_recv: EFAULT where the kernel would say so, and the next call is heard."""
        self.play("faults")


class Signals(Selftests):
    def storm(self, flags, wrappers, user):
        idw.stage.fresh()
        line = [program("selfplay"), "storm", f"{flags}:400"]
        result = run(line if wrappers is None else wrapped(line, wrappers), user)
        found = re.fullmatch(rb"wrong (\d+) interrupted (\d+) of (\d+) caught some\n", result.out)
        self.assertIsNotNone(found, result)
        return [int(n) for n in found.groups()]

    def test_restarted(self):
        """user_notification_signal: with SA_RESTART nothing of the signals shows."""
        for user in idw.USERS:
            for name, wrappers in {"bare": None, **idw.ENGINES}.items():
                with self.subTest(engine=name, user=user):
                    wrong, interrupted, _ = self.storm("restart", wrappers, user)
                    self.assertEqual((wrong, interrupted), (0, 0))

    def test_not_restarted(self):
        """wait_killable_recv_prenotification_signal: a signal that comes before the notification is read is
        EINTR if the handler is not to restart calls, and then the call has not run."""
        for name, wrappers in {"bare": None, **idw.ENGINES}.items():
            with self.subTest(engine=name):
                wrong, interrupted, calls = self.storm("plain", wrappers, None)
                self.assertEqual(wrong, 0)
                self.assertLess(interrupted, calls / 10)

    def test_while_it_is_decided(self):
        """user_notification_wait_killable: what has been read is not interrupted by a handler, and runs once."""
        for flags in ("restart", "plain"):
            bare = self.play("pending", flags, slow=True)
            self.assertEqual(bare.out.count(b" = 0\ncaught 1\nagain = EEXIST\n"), 3)

    def test_each_such_call_is_judged_once(self):
        for flags in ("restart", "plain"):
            idw.stage.fresh()
            result = run_audited([program("selfplay"), "pending", flags], ["slow"])
            self.assertEqual([record["text"] for record in result.records], ["slow-path"] * 2, "and once more, again")

    def test_killed_while_it_is_decided(self):
        """user_notification_kill_in_middle, wait_killable_recv_fatal: at once, and others go on."""
        for signum in (signal.SIGKILL, signal.SIGTERM):
            begin = time.monotonic()
            self.play("killed", signum, slow=True, users=[idw.ORDINARY])
            self.assertLess(time.monotonic() - begin, 5)

    def test_stopped_and_continued(self):
        """TRACE_syscall.syscall_restart: sleeps take as long as they were asked to."""
        self.play("stopped", users=[idw.ORDINARY])

    def test_killed_from_outside_while_it_is_decided(self):
        for signum in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(signal=signum):
                idw.stage.fresh()
                process = idw.start(wrapped(["sh", "-c", "echo ready; exec mkdir slow-path"], ["slow"]))
                idw.read_until(process.stdout, rb"ready\n")
                time.sleep(0.15)
                begin = time.monotonic()
                process.send_signal(signum)
                self.assertEqual(process.wait(10), -signum)
                self.assertLess(time.monotonic() - begin, 2)
                self.assertTrue(idw.wait_until(lambda: not idw.session(process.pid), 5), "nothing is left behind")
                idw.stop(process)


class Tasks(Selftests):
    def test_new_pid_namespaces(self):
        """user_notification_child_pid_ns, user_notification_sibling_pid_ns: who calls is known by idwrun's own ids."""
        for user in idw.USERS:
            idw.stage.fresh()
            bare = run([program("selfplay"), "pidns"], user)
            idw.stage.fresh()
            result = run_audited([program("selfplay"), "pidns"], ["marks"], user)
            with self.subTest(user=user):
                self.assertEqual((bare.status, bare.out), (result.status, result.out))
                if b"clone = " in bare.out:
                    continue  # no namespaces for this user
                pids = {kind.decode(): int(pid) for kind, pid in re.findall(rb"^(\w+) (\d+)$", result.err, re.M)}
                self.assertEqual(set(pids), {"first", "second"}, result.err)
                said = [re.search(r"/(\w+)\.p(\d+)\.\S+ pid (\d+) tid (\d+) ppid (\d+) ", record["text"]).groups()
                        for record in result.records]
                self.assertEqual([kind for kind, *_ in said], ["first", "inner", "second", "inner"])
                for (kind, inside, pid, tid, _), (_, inside2, pid2, _, ppid2) in (said[:2], said[2:]):
                    self.assertEqual((inside, inside2), ("1", "2"))
                    self.assertEqual(int(pid), pids[kind])
                    self.assertEqual(tid, pid)
                    self.assertEqual(ppid2, pid)
                    self.assertNotIn(pid2, ("2", pid))

    def test_everywhere_in_namespaces(self):
        self.play("pidns")

    @staticmethod
    def namespaces_work():
        return run(["unshare", "--pid", "true"]).status == 0

    def test_supervisor_in_a_namespace(self):
        """Not the program but idwrun is in a new namespace: as its first process, or the first is yet to come."""
        if not self.namespaces_work():
            self.skipTest("needs CAP_SYS_ADMIN")
        for name, wrappers in idw.ENGINES.items():
            with self.subTest(engine=name):
                line = wrapped(["sh", "-c", "cat /etc/hostname >/dev/null; (exit 4); echo $?"], wrappers)
                result = run(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *line])
                self.assertEqual(result, (0, b"4\n", b""))

    def test_threads_that_end_one_by_one(self):
        """user_notification_filter_empty_threaded: the last one's status is the program's, and nothing stays."""
        self.play("threadend")
        for name, wrappers in idw.ENGINES.items():
            with self.subTest(engine=name):
                idw.stage.fresh()
                process = idw.start(wrapped([program("selfplay"), "threadend"], wrappers))
                self.assertEqual(process.wait(10), 7)
                self.assertEqual(sorted(os.listdir(idw.stage.scratch)), ["t1", "t2", "t3", "t4"])
                self.assertTrue(idw.wait_until(lambda: not idw.session(process.pid), 5), "nothing is left behind")
                idw.stop(process)

    def test_in_the_order_of_the_calls(self):
        """user_notification_fifo: threads and processes that wait for each other are heard in that order."""
        result = run_audited([program("selfplay"), "order", "200"], ["marks"])
        self.assertEqual(result.out, b"turns 200\n")
        turns = [int(re.search(r"turn\.(\d+)", record["text"])[1]) for record in result.records]
        self.assertEqual(turns, list(range(200)))


class Filters(Selftests):
    def test_filters_of_its_own(self):
        """TSYNC, ERRNO_order, TRAP, KILL_process: they count where they are stricter; wrong flags are refused."""
        self.play("filters")

    def test_no_second_listener(self):
        """user_notification_basic: EBUSY, as with any other supervisor."""
        self.assertIn(b"listener is there\n", run([program("selfplay"), "filters"]).err)
        for name, wrappers in idw.ENGINES.items():
            with self.subTest(engine=name):
                idw.stage.fresh()
                result = run(wrapped([program("selfplay"), "filters"], wrappers))
                self.assertRegex(result.err, rb"listener E[A-Z]+\n")

    def test_supervisor_is_gone(self):
        """user_notification_closed_listener: calls that a wrapper wants to see fail, or the program ends with
        idwrun; it never gets one through unseen."""
        for wrappers in (["quiet_perform"], ["verdicts_notify", "quiet_perform"], ["quiet_trace"]):
            with self.subTest(wrappers=wrappers):
                process = idw.start(wrapped([program("selfplay"), "unheard"], wrappers))
                try:
                    self.supervisor_goes(process)
                finally:
                    idw.stop(process)

    def supervisor_goes(self, process):
        idw.read_until(process.stdout, rb"(opened\n){3}")
        supervisors = self.of_idwrun(process.pid)
        self.assertGreater(len(supervisors), 1)
        for pid in supervisors:
            os.kill(pid, signal.SIGKILL)
        process.wait(10)
        time.sleep(0.3)
        os.set_blocking(process.stdout.fileno(), False)
        process.stdout.read()
        time.sleep(0.3)
        self.assertNotIn(b"opened", process.stdout.read() or b"")

    @staticmethod
    def of_idwrun(sid):
        def is_ours(pid):
            try:
                return os.readlink(f"/proc/{pid}/exe") == str(idw.stage.idwrun)
            except OSError:
                return False
        return [pid for pid in idw.session(sid) if is_ours(pid)]


if __name__ == "__main__":
    idw.main()
