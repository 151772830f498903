#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs whose wrappers need registers and performed calls only are not traced, and are followed all the same."""

import contextlib
import os
import pathlib
import re
import signal
import time

import idw
from idw import Case, program, run, run_audited, run_stats, wrapped

# No clause of these needs to stop a program.
UNTRACED = {
    "registers": ["quiet_notify"], "performed": ["quiet_perform"], "both": ["quiet_notify", "quiet_perform"],
    "paths": ["marks"], "rewriting": ["rewrite_paths", "rewrite_addresses", "rewrite_results"],
}


def tasks(pid):
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except FileNotFoundError:
        return []


def status(tid):
    """/proc/TID/status as a dict; {} when it has gone."""
    try:
        lines = pathlib.Path(f"/proc/{tid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


class Tracing(Case):
    """Looked at from outside, when all has settled."""

    def tracers(self, argv, wrappers, user=None):
        """TracerPid of each task of what @argv starts; it says "ready" when it has started all."""
        idw.stage.fresh()
        process = idw.start(wrapped(argv, wrappers), user)
        try:
            idw.read_until(process.stdout, rb"ready\n")
            time.sleep(0.2)
            pids = [pid for pid in idw.session(process.pid) if not self.is_ours(pid)]
            return [int(status(tid).get("TracerPid", 0)) for pid in pids for tid in tasks(pid)]
        finally:
            idw.stop(process)

    @staticmethod
    def is_ours(pid):
        try:
            return os.readlink(f"/proc/{pid}/exe") == str(idw.stage.idwrun)
        except OSError:
            return True  # it has gone

    def assert_untraced(self, argv, tasks_at_least):
        for name, wrappers in UNTRACED.items():
            for user in idw.USERS if name == "performed" else [None]:
                with self.subTest(wrappers=name, user=user):
                    found = self.tracers(argv, wrappers, user)
                    self.assertGreaterEqual(len(found), tasks_at_least)
                    self.assertEqual(set(found), {0})

    def test_that_this_looks_at_the_right_thing(self):
        found = self.tracers(["sh", "-c", "echo ready; sleep 5"], ["quiet_trace"])
        self.assertEqual(len(found), 2)
        self.assertNotIn(0, found)

    def test_after_an_exec(self):
        self.assert_untraced(["sh", "-c", "echo ready; exec sleep 5"], 1)

    def test_after_forks(self):
        self.assert_untraced(["sh", "-c", "(sleep 5 & sleep 5 & mkdir a; (sleep 5 &); echo ready; sleep 5); :"], 5)

    def test_threads_and_children_of_python(self):
        script = ("import os, subprocess, sys, threading, time\n"
                  "for i in range(3): threading.Thread(target=time.sleep, args=(5,), daemon=True).start()\n"
                  "subprocess.Popen(['sleep', '5'])\n"
                  "os.stat('/'), open('/etc/passwd').read(), os.mkdir('d')\n"
                  "print('ready', flush=True)\n"
                  "time.sleep(5)\n")
        self.assert_untraced(["python3", "-S", "-c", script], 5)

    def test_of_itself(self):
        """What the program can see of it, at any time."""
        script = "for i in 1 2 3; do grep TracerPid /proc/self/status; cat /etc/passwd >/dev/null; done"
        for name, wrappers in UNTRACED.items():
            with self.subTest(wrappers=name):
                self.assertEqual(run(wrapped(["sh", "-c", script], wrappers)), (0, b"TracerPid:\t0\n" * 3, b""))

    def test_no_event_by_the_trace_engine(self):
        argv = ["sh", "-c", "mkdir a; cat /etc/passwd >/dev/null; sh -c 'rmdir a; exec umask 022'; :"]
        for wrappers in (["quiet_perform"], ["marks", "quiet_notify"]):
            with self.subTest(wrappers=wrappers):
                idw.stage.fresh()
                result, stats = run_stats(argv, wrappers)
                self.assertEqual(stats["events"].get("trace", 0), 0, stats)
                self.assertGreater(stats["events"]["notify"], 10)


# What depends on the moment, on who the parent is, or says that there is a filter.
OTHERWISE = {
    "Pid", "Tgid", "Ngid", "FDSize", "SigQ", "PPid", "NStgid", "NSpid", "NSpgid", "NSsid", "Seccomp",
    "Seccomp_filters", "NoNewPrivs", "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches", "VmPeak", "VmSize",
    "VmRSS", "VmHWM", "VmData", "VmStk", "VmPTE", "RssAnon", "RssFile", "RssShmem", "Cpus_allowed",
    "Cpus_allowed_list", "Speculation_Store_Bypass", "SpeculationIndirectBranch", "x86_Thread_features",
}


class Looks(Case):
    def seen(self, argv, wrappers, user):
        idw.stage.fresh()
        process = idw.start(argv if wrappers is None else wrapped(argv, wrappers), user)
        try:
            idw.read_until(process.stdout, rb"ready\n")
            pid = self.sleeping(process)
            fields = {name: text for name, text in status(pid).items() if name not in OTHERWISE}
            maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
            fields["maps"] = sorted({line.split()[-1] for line in maps.splitlines() if line.split()[-1][0] in "/["})
            fields["fds"] = sorted(os.listdir(f"/proc/{pid}/fd")) if idw.IS_ROOT else None
            fields["wchan"] = pathlib.Path(f"/proc/{pid}/wchan").read_text()
            return fields
        finally:
            idw.stop(process)

    def sleeping(self, process):
        """The program, when it has got as far as its sleep."""
        for _ in range(1000):
            time.sleep(0.01)
            for pid in idw.session(process.pid):
                with contextlib.suppress(OSError):
                    if "nanosleep" in pathlib.Path(f"/proc/{pid}/wchan").read_text() and status(pid).get("Name") == "sleep":
                        return pid
        self.fail("it does not sleep")

    def test_from_outside(self):
        """/proc/PID of a program that sleeps: status, what is mapped, descriptors."""
        argv = ["sh", "-c", "cat /etc/passwd >/dev/null; echo ready; exec sleep 5"]
        for user in idw.USERS:
            bare = self.seen(argv, None, user)
            for name, wrappers in UNTRACED.items():
                with self.subTest(wrappers=name, user=user):
                    self.assertEqual(bare, self.seen(argv, wrappers, user))


class Tracers(Case):
    """Programs that trace others, all of them wrapped."""

    def test_entries_and_exits(self):
        for user in idw.USERS:
            idw.stage.fresh()
            bare = run([program("selfplay"), "tracer"], user)
            self.assertIn(b"ended 5\n", bare.out)
            for name, wrappers in UNTRACED.items():
                with self.subTest(wrappers=name, user=user):
                    idw.stage.fresh()
                    self.same(bare, run(wrapped([program("selfplay"), "tracer"], wrappers), user, timeout=20))

    def strace(self, options, argv, wrappers):
        idw.stage.fresh()
        line = ["strace", "-qq", "-o", "out", *options, *argv]
        result = run(line if wrappers is None else wrapped(line, wrappers), timeout=20)
        out = idw.stage.scratch / "out"
        return result, out.read_text() if out.exists() else ""

    def test_strace(self):
        options = ["-e", "trace=mkdir,umask,exit_group", "-e", "signal=none"]
        bare = self.strace(options, ["sh", "-c", "umask 022; exec mkdir d"], None)
        self.assertIn('mkdir("d", 0777)', bare[1])
        for name in ("registers", "performed", "both"):
            with self.subTest(wrappers=name):
                self.assertEqual(bare, self.strace(options, ["sh", "-c", "umask 022; exec mkdir d"], UNTRACED[name]))

    def test_strace_of_forks(self):
        """Who is traced by another can't be traced by idwrun: its children are seen or refused, and nothing hangs."""
        argv = [program("subjplay"), "many", "3"]
        idw.stage.fresh()
        result = run_audited(["strace", "-qq", "-f", "-o", "out", *argv], ["marks"], timeout=20)
        if result.status == 0 and b"short 3\n" in result.out:
            marks = [record for record in result.records if "/short." in record["text"]]
            strace = (idw.stage.scratch / "out").read_text()
            self.assertEqual(len(marks), len(re.findall(r"openat\(.*/short\..* = -1 ENOENT", strace)))

    def test_attached_from_outside(self):
        """A tracer that isn't wrapped attaches to a wrapped program; afterwards all is as before."""
        script = "import os\nprint('ready', flush=True)\ninput()\nos.mkdir('d')\nprint(os.listdir())\n"
        for name in ("registers", "performed"):
            with self.subTest(wrappers=name):
                idw.stage.fresh()
                process = idw.start(wrapped(["python3", "-S", "-c", script], UNTRACED[name]))
                idw.read_until(process.stdout, rb"ready\n")
                (pid,) = [pid for pid in idw.session(process.pid) if status(pid).get("Name", "").startswith("python")]
                tracer = idw.start(["strace", "-p", pid, "-o", "/dev/null"])
                try:
                    idw.read_until(tracer.stderr, rb"attached")
                    tracer.send_signal(signal.SIGINT)
                    tracer.wait(10)
                    out, err = process.communicate(b"\n", timeout=10)
                    self.assertEqual((process.returncode, out, err), (0, b"['d']\n", b""))
                finally:
                    idw.stop(tracer)
                    idw.stop(process)


class Following(Case):
    """Who made a call, its program, and its state: as when it was traced."""

    TEXT = re.compile(r"/(?P<kind>\w+)\.p(?P<real>\d+)\S* pid (?P<pid>\d+) .* count (?P<count>\d+) ")

    def marks(self, argv, user=None):
        result = run_audited(argv, ["marks"], user)
        self.assertEqual((result.status, result.err), (0, b""))
        marks = []
        for record in result.records:
            found = self.TEXT.search(record["text"])
            self.assertEqual(found["real"], found["pid"])
            marks.append((found["kind"], int(found["pid"]), int(found["count"])))
        return result.out.decode(), marks

    def test_state_is_that_of_the_fork(self):
        """A child that makes its first call when its parent has gone on has its parent's state of the fork."""
        for user in idw.USERS:
            with self.subTest(user=user):
                _, marks = self.marks([program("subjplay"), "later", "50"], user)
                self.assertEqual([count for kind, _, count in marks if kind == "late"], list(range(2, 102, 2)))
                self.assertEqual([count for kind, _, count in marks if kind == "parent"], list(range(1, 102)))

    def test_state_is_that_of_the_fork_among_threads(self):
        out, marks = self.marks([program("subjplay"), "between", "40"])
        late = {pid: count for kind, pid, count in marks if kind == "late"}
        forks = [[int(n) for n in line.split()[1:]] for line in out.splitlines() if line.startswith("fork ")]
        self.assertEqual(len(forks), 40)
        self.assertEqual({pid for pid, *_ in forks}, set(late))
        for pid, least, most in forks:
            self.assertTrue(least <= late[pid] - 1 <= most, f"{least} <= {late[pid] - 1} <= {most}")
        busy = [count for kind, _, count in marks if kind == "busy"]
        self.assertEqual(busy, list(range(1, len(busy) + 1)))

    def who(self, argv, wrappers, user=None):
        idw.stage.fresh()
        (idw.stage.scratch / "script").write_text("#!/bin/sh\nmkdir s\nexec mkdir t\n")
        (idw.stage.scratch / "script").chmod(0o755)
        (idw.stage.scratch / "link").symlink_to("/usr/bin/mkdir")
        result = run_audited(argv, wrappers, user)
        self.assertEqual((result.status, result.err), (0, b""))
        return [record["text"] for record in result.records]

    def test_program_after_exec(self):
        mkdir, shell = os.path.realpath("/usr/bin/mkdir"), os.path.realpath("/bin/sh")
        for user in idw.USERS:
            uid = os.getuid() if user is None else idw.ORDINARY_ID
            ids = f"invoker {uid} uid {uid}"
            with self.subTest(user=user):
                line = ["sh", "-c", "mkdir a; ./script; ./link b; (mkdir c) & wait; exec mkdir d"]
                texts = self.who(line, ["who"], user)
                self.assertEqual(texts, [f"{path} mkdir {mkdir} {ids}" for path in "astbcd"])
                script = f"import os; os.mkdir('e'); os.getpgid(0); os.execl('{shell}', 'x', '-c', 'exec mkdir f')"
                texts = self.who(["/usr/bin/python3", "-S", "-c", script], ["who"], user)
                python = os.path.realpath("/usr/bin/python3")
                self.assertEqual(texts, [
                    f"e {os.path.basename(python)} {python} {ids}",
                    f"getpgid {os.path.basename(python)} {python} {ids}",
                    f"f mkdir {mkdir} {ids}"])

    def test_same_as_traced(self):
        """Whatever the traced run says, of changed ids and executions by threads too."""
        in_thread = ("import os, threading\n"
                     "t = threading.Thread(target=os.execv, args=('/usr/bin/mkdir', ['mkdir', 'x']))\n"
                     "os.mkdir('before'); t.start(); t.join()")
        lines = [["python3", "-S", "-c", in_thread], [program("fsplay"), "mkdir", "a", "fork", "mkdir", "b"]]
        if idw.IS_ROOT:
            lines += [["setpriv", f"--reuid={idw.ORDINARY_ID}", "--clear-groups", "sh", "-c", "mkdir a; exec mkdir b"],
                      [program("fsplay"), "mkdir", "a", "setuid", "65534", "mkdir", "b", "child", "mkdir", "c", "end"]]
        for argv in lines:
            with self.subTest(argv=argv):
                traced = self.who(argv, ["who", "quiet_trace"])
                self.assertEqual(traced, self.who(argv, ["who"]))
                self.assertGreater(len(traced), 1)


class Behaviour(Case):
    """What the other files try with registers and with the trace engine."""

    def test_signals(self):
        for play in (["intr"], ["restart"], ["suspend"], ["sleep"], ["jobs"], ["storm", "500"]):
            self.compare([program("sigplay"), *play], ["quiet_perform"])

    def test_what_is_inherited(self):
        self.compare([program("showself"), "a"], ["quiet_perform"])

    def test_deaths(self):
        for signum in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV):
            self.compare([program("sigplay"), "die", signum], ["quiet_perform"], preexec_fn=idw.no_core)

    def test_statuses_and_children(self):
        script = 'for n in $(seq 0 40); do sh -c "mkdir $n; exit $n"; [ $? = $n ] || echo $n; done; ls | wc -l'
        self.compare(["sh", "-c", script], ["quiet_perform"])

    def test_nothing_is_left(self):
        process = idw.start(wrapped(["sh", "-c", "mkdir a; sleep 0.3 >/dev/null 2>&1 & exit 4"], ["quiet_perform"]))
        self.assertEqual(process.wait(10), 4)
        self.assertTrue(idw.wait_until(lambda: not idw.session(process.pid), 5), idw.session(process.pid))
        idw.stop(process)


if __name__ == "__main__":
    idw.main()
