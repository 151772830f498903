#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A wrapped program can't tell, nor can who started it: statuses, streams, what is inherited, what is left behind."""

import os
import resource
import signal
import subprocess
import time

import idw
from idw import Case, program, run, run_audited, wrapped

SIGNALS = [*range(1, 32), signal.SIGRTMIN, signal.SIGRTMAX]
STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


class EnginesAreUsed(Case):
    def test_the_wrappers_of_these_tests_do_see_calls(self):
        argv = ["sh", "-c", "cat /etc/passwd >/dev/null; umask 022"]
        for engine, sees in (("notify", {"notify"}), ("trace", {"notify", "trace"}), ("perform", {"notify"})):
            with self.subTest(engine=engine):
                result, stats = idw.run_stats(argv, idw.ENGINES[engine])
                self.assertEqual(result, (0, b"", b""))
                self.assertEqual({name for name, n in stats["events"].items() if n > 0}, sees)


class ExitStatus(Case):
    def test_every_status(self):
        for name in ("notify", "trace"):
            for status in range(256):
                line = wrapped(["sh", "-c", f"exit {status}"], idw.ENGINES[name])
                self.assertEqual(run(line), (status, b"", b""), name)

    def test_every_status_at_once_in_an_ordinary_users_loop(self):
        script = 'for n in $(seq 0 255); do sh -c "exit $n"; [ $? = $n ] || echo $n; done'
        self.compare(["sh", "-c", script], users=[idw.ORDINARY], timeout=120)

    def test_death_by_each_signal(self):
        for signum in sorted(set(SIGNALS) - set(STOPPING)):
            self.compare([program("sigplay"), "die", signum], users=[None], preexec_fn=idw.no_core)

    def test_death_by_fault(self):
        for kind in ("segv", "ill", "fpe", "trap", "bus", "abort"):
            self.compare([program("sigplay"), "fault", kind], preexec_fn=idw.no_core)

    def test_one_core_file_at_most(self):
        def core_wanted():
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        counts = set()
        for way in self.ways([program("sigplay"), "fault", "segv"]):
            with way as line:
                self.assertEqual(run(line, preexec_fn=core_wanted).status, -signal.SIGSEGV)
                counts.add(len([name for name in os.listdir(idw.stage.scratch) if name.startswith("core")]))
        self.assertEqual(len(counts), 1, "as many core files wrapped as bare")

    def test_killed_from_outside(self):
        for way in self.ways(["sleep", "30"]):
            with way as line:
                process = idw.start(line)
                time.sleep(0.3)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(10), -signal.SIGTERM)
                idw.stop(process)


class Running(Case):
    def test_not_found(self):
        for argv in (["no-such-program-here"], ["/no/such/program"], [""], ["./nothing"]):
            with self.subTest(argv=argv):
                result = run(wrapped(argv))
                self.assertEqual((result.status, result.out), (127, b""))
                self.assertRegex(result.err, rb"\Aidwrun: [^\n]+\n\Z")

    def test_not_executable(self):
        plain = idw.stage.scratch / "plain"
        for user in idw.USERS:
            idw.stage.fresh()
            plain.write_text("#!/bin/sh\necho ran\n")
            for argv in ([plain], ["./plain"], ["/etc"]):
                with self.subTest(argv=argv, user=user):
                    result = run(wrapped(argv), user)
                    self.assertEqual((result.status, result.out), (126, b""))
                    self.assertRegex(result.err, rb"\Aidwrun: [^\n]+\n\Z")

    def test_interpreter_missing(self):
        script = idw.stage.fresh() / "script"
        script.write_text("#!/no/such/interpreter\n")
        script.chmod(0o755)
        result = run(wrapped([script]))
        self.assertIn(result.status, (126, 127))
        self.assertRegex(result.err, rb"\Aidwrun: [^\n]+\n\Z")

    def test_script_without_interpreter_line(self):
        """execvp(3) gives it to a shell, and so do env, nohup, timeout."""
        script = idw.stage.top / "script"
        script.write_text("echo ran $0 $1\nexit 7\n")
        script.chmod(0o755)
        bare = run(["env", script, "word"])
        self.assertEqual(bare.status, 7)
        for name, names in idw.ENGINES.items():
            with self.subTest(engine=name):
                self.same(bare, run(wrapped([script, "word"], names)))

    def test_script_with_interpreter_line(self):
        script = idw.stage.top / "script2"
        script.write_text("#!/bin/sh -e\necho ran $0 $1\nfalse\necho no\n")
        script.chmod(0o755)
        self.compare([script, "word"])

    def test_found_in_path(self):
        self.compare(["fsplay", "say", "here"], env={"PATH": f"/nowhere:{idw.stage.bin}:/usr/bin:/bin"})

    def test_not_found_in_the_working_directory(self):
        folder = idw.stage.fresh()
        (folder / "idw-only-here").symlink_to("/bin/true")
        result = run(wrapped(["idw-only-here"]))
        self.assertEqual(result.status, 127)


class Inherited(Case):
    """showself says all that a program inherits."""

    def show(self, *args, **kw):
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "A": "", "B": "=\n=", **kw.pop("env", {})}
        self.compare([program("showself"), *args], env=env, **kw)

    def test_all(self):
        self.show()

    def test_arguments(self):
        self.show("", "a b", "\n", "\xff", "--", "-x", "--wrap", "*")

    def test_empty_environment(self):
        self.compare([program("showself")], env={})

    def test_big_arguments(self):
        self.compare(["sh", "-c", 'printf "%s" "$*" | cksum', *["x" * 1000] * 500])

    def test_umask(self):
        for mask in (0, 0o077, 0o777):
            self.show(preexec_fn=lambda: os.umask(mask))

    def test_limits(self):
        """Soft limits that a supervisor would stumble over if it kept them for itself."""
        limits = {
            "files": (resource.RLIMIT_NOFILE, 16), "core": (resource.RLIMIT_CORE, 0),
            "file size": (resource.RLIMIT_FSIZE, 1 << 20), "stack": (resource.RLIMIT_STACK, 1 << 20),
            "address space": (resource.RLIMIT_AS, 1 << 30), "cpu": (resource.RLIMIT_CPU, 5),
            "locked memory": (resource.RLIMIT_MEMLOCK, 0), "data": (resource.RLIMIT_DATA, 64 << 20),
        }
        for name, (which, soft) in limits.items():
            def lower():
                resource.setrlimit(which, (soft, resource.getrlimit(which)[1]))
            with self.subTest(limit=name):
                self.show(preexec_fn=lower)

    def test_all_ignored_signals(self):
        def ignore():
            for signum in SIGNALS:
                if signum not in (signal.SIGKILL, signal.SIGSTOP):
                    signal.signal(signum, signal.SIG_IGN)
        self.show(preexec_fn=ignore, restore_signals=False)

    def test_ignored_child_signal(self):
        self.show(preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.compare(["sh", "-c", "exit 3"], preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))

    def test_blocked_signals(self):
        def block():
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self.show(preexec_fn=block)

    def test_nohup(self):
        self.compare(["nohup", program("showself")])

    def test_nice_and_schedule(self):
        self.show(preexec_fn=lambda: os.nice(5))
        self.show(preexec_fn=lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)))
        self.show(preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}))

    def test_extra_descriptors_keep_their_numbers(self):
        def open_them():
            for wanted in (3, 4, 7, 20, 99, 200):
                fd = os.open("/etc/passwd", os.O_RDONLY)
                os.lseek(fd, wanted, os.SEEK_SET)
                os.dup2(fd, wanted)
                if fd not in (3, 4, 7, 20, 99, 200):
                    os.close(fd)
        self.show(preexec_fn=open_them, close_fds=False)

    def test_extra_pipe_ends_end_with_the_program(self):
        """A reader of an inherited pipe sees its end when the program ends: nobody else holds it."""
        for way in self.ways(["sh", "-c", "echo said >&9"]):
            with way as line:
                read_end, write_end = os.pipe()
                process = idw.start(line, preexec_fn=lambda: os.dup2(write_end, 9), close_fds=False)
                os.close(write_end)
                self.assertEqual(idw.read_until(read_end, rb"said\n"), b"said\n")
                self.assertEqual(os.read(read_end, 10), b"")
                self.assertEqual(process.wait(10), 0)
                os.close(read_end)
                idw.stop(process)

    def test_lock_on_an_inherited_descriptor(self):
        """flock belongs to the open file: it must go when the program goes, though idwrun has long had the file."""
        self.compare(["sh", "-c", "exec 8>lock; flock -n 8 && echo one; flock -n lock true || echo two"])

    def test_working_directory_gone(self):
        for user in idw.USERS:
            gone = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
            lines = {"bare": [program("showself")],
                     **{n: wrapped([program("showself")], w) for n, w in idw.ENGINES.items()}}
            results = {}
            for name, line in lines.items():
                idw.stage.fresh()
                results[name] = run(["sh", "-c", gone, "sh", *line], user)
            for name in idw.ENGINES:
                with self.subTest(engine=name, user=user):
                    self.same(results["bare"], results[name])


class Streams(Case):
    def test_closed_streams(self):
        """Whatever is closed stays closed inside, and idwrun's own files don't slip into the gap."""
        show = {"SHOWSELF_FD": "9", "PATH": os.environ["PATH"]}
        for closed in ("<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"):
            for user in idw.USERS:
                shown = {}
                lines = {"bare": [program("showself")],
                         **{n: wrapped([program("showself")], w) for n, w in idw.ENGINES.items()}}
                for name, line in lines.items():
                    idw.stage.fresh()
                    result = run(["sh", "-c", f'exec 9>shown; exec "$@" {closed}', "sh", *line], user, env=show)
                    self.assertEqual(result.status, 0, (closed, name, result))
                    shown[name] = (idw.stage.scratch / "shown").read_text().splitlines()
                for name in idw.ENGINES:
                    with self.subTest(closed=closed, engine=name, user=user):
                        self.assertEqual(shown["bare"], shown[name])

    def test_files(self):
        for way in self.ways(["sh", "-c", "cat; echo error >&2; head -c 3 >&2"]):
            with way as line:
                folder = idw.stage.scratch
                (folder / "in").write_text("one\ntwo\n")
                with open(folder / "in") as stdin, open(folder / "out", "ab") as out, open(folder / "err", "wb") as err:
                    process = idw.start(line, stdin=stdin, stdout=out, stderr=err)
                    self.assertEqual(process.wait(20), 0)
                    idw.stop(process)
                self.assertEqual((folder / "out").read_text(), "one\ntwo\n")
                self.assertEqual((folder / "err").read_text(), "error\n")

    def test_only_what_is_read_is_taken(self):
        """What the program leaves in a file stays for the next one."""
        for way in self.ways(["sh", "-c", "read a; echo $a"]):
            with way as line:
                (idw.stage.scratch / "in").write_text("one\ntwo\n")
                result = run(["sh", "-c", '{ "$@"; cat; } <in', "sh", *line])
                self.assertEqual(result.out, b"one\ntwo\n")

    def test_big_data_through_pipes(self):
        data = os.urandom(1 << 20) * 8
        for way in self.ways(["cat"], user=idw.ORDINARY):
            with way as line:
                self.assertEqual(run(line, idw.ORDINARY, stdin=data), (0, data, b""))

    def test_broken_pipe(self):
        """SIGPIPE ends the writer as soon as the reader has gone."""
        for way in self.ways(["yes"]):
            with way as line:
                process = idw.start(line)
                idw.read_until(process.stdout, rb"y\n")
                process.stdout.close()
                self.assertEqual(process.wait(10), -signal.SIGPIPE)
                idw.stop(process)

    def test_in_a_pipeline(self):
        inner = " ".join(f"'{word}'" for word in wrapped(["head", "-n", "2"], ["quiet_trace"]))
        result = run(["bash", "-c", f'yes | {inner} | cat; echo "${{PIPESTATUS[@]}}"'])
        self.assertEqual(result.out, b"y\ny\n141 0 0\n")

    def test_nothing_holds_standard_output_or_error_longer(self):
        """As long as bare: until the background process ends if it has the stream, at once if it hasn't."""
        cases = {
            "sleep 1.5 & echo hi": (1.4, 3.5),
            "sleep 6 >/dev/null 2>&1 & echo hi": (0, 3),
            "sleep 6 <&- >&- 2>&- & echo hi": (0, 3),
        }
        for script, (least, most) in cases.items():
            for user in idw.USERS:
                for way in self.ways(["sh", "-c", script], user):
                    with way as line:
                        begin = time.monotonic()
                        self.assertEqual(run(line, user), (0, b"hi\n", b""))
                        took = time.monotonic() - begin
                        self.assertTrue(least <= took <= most, f"{took:.2f} s for {script}")

    def test_standard_output_is_not_held_with_the_audit_on_standard_error(self):
        line = wrapped(["sh", "-c", "sleep 6 >/dev/null 2>&1 & echo hi"], audit=None)
        begin = time.monotonic()
        process = idw.start(line, stderr=subprocess.DEVNULL)
        self.assertEqual(process.stdout.read(), b"hi\n")
        self.assertLess(time.monotonic() - begin, 3)
        idw.stop(process)


class LeftBehind(Case):
    def test_idwrun_returns_with_the_main_program(self):
        for way in self.ways(["sh", "-c", "(sleep 1; echo late >late) >/dev/null 2>&1 & exit 4"]):
            with way as line:
                begin = time.monotonic()
                process = idw.start(line)
                self.assertEqual(process.wait(10), 4)
                self.assertLess(time.monotonic() - begin, 0.9)
                late = idw.stage.scratch / "late"
                self.assertTrue(idw.wait_until(late.exists, 5), "what is left behind lives on")
                idw.stop(process)

    def test_what_is_left_stays_wrapped(self):
        for user in idw.USERS:
            for wrapper in ("ids_notify", "ids_trace"):
                with self.subTest(user=user, wrapper=wrapper):
                    path = idw.audit_file(user)
                    script = f"setsid {program('fsplay')} sleep 800 umask 0123 creat late >/dev/null 2>&1 & exit 0"
                    idw.stage.fresh()
                    process = idw.start(wrapped(["sh", "-c", script], [wrapper], path), user)
                    self.assertEqual(process.wait(10), 0)
                    self.assertTrue(idw.wait_until((idw.stage.scratch / "late").exists, 10))
                    said = idw.wait_until(lambda: [r for r in idw.records(path) if r["subject"]["program"] == "fsplay"])
                    idw.stop(process)
                    self.assertTrue(said, "its calls are audited after idwrun has returned")

    def test_nothing_of_idwrun_is_left_when_all_have_ended(self):
        script = "sleep 0.5 >/dev/null 2>&1 & exit 0"
        process = idw.start(wrapped(["sh", "-c", script], ["quiet_notify", "quiet_trace"]))
        self.assertEqual(process.wait(10), 0)
        left = lambda: not idw.session(process.pid)
        self.assertTrue(idw.wait_until(left, 5), f"left: {idw.session(process.pid)}")
        idw.stop(process)

    def test_killed_idwrun_leaves_nobody_unwatched(self):
        """SIGKILL to idwrun itself: what it wrapped goes on wrapped, or not at all."""
        path = idw.audit_file()
        loop = f"while {program('fsplay')} umask 0123 sleep 100; do :; done >/dev/null 2>&1"
        process = idw.start(wrapped(["sh", "-c", loop], ["ids_notify"], path))
        self.assertTrue(idw.wait_until(lambda: idw.records(path)))
        process.kill()
        process.wait(10)
        time.sleep(1)
        before = len(idw.records(path))
        time.sleep(1)
        alive = [pid for pid in idw.session(process.pid) if idw.stat_fields(pid)[:1] not in ([], ["Z"])]
        self.assertTrue(not alive or len(idw.records(path)) > before, f"alive without a supervisor: {alive}")
        idw.stop(process)


class Interrupted(Case):
    """Calls that signals interrupt: no restart code shows, none fails that doesn't bare."""

    def test_plays(self):
        for play in (["intr"], ["restart"], ["suspend"], ["sleep"], ["jobs"]):
            self.compare([program("sigplay"), *play])

    def test_storm(self):
        self.compare([program("sigplay"), "storm", "1000"])

    def test_wrappers_see_no_restart_code(self):
        for play in (["intr"], ["restart"], ["suspend"], ["sleep"], ["storm", "200"]):
            with self.subTest(play=play):
                self.assertEqual(run_audited([program("sigplay"), *play], ["quiet_trace"]).records, [])

    def test_stopped_and_continued_while_it_sleeps(self):
        for way in self.ways(["sh", "-c", "sleep 1; echo woke"]):
            with way as line:
                process = idw.start(line)
                time.sleep(0.3)
                os.killpg(process.pid, signal.SIGSTOP)
                time.sleep(0.2)
                os.killpg(process.pid, signal.SIGCONT)
                out, err = process.communicate(timeout=10)
                self.assertEqual((process.returncode, out, err), (0, b"woke\n", b""))
                idw.stop(process)


class RealPrograms(Case):
    """Small things that are easy to break."""

    def test_python_with_threads_and_children(self):
        script = ("import subprocess,threading\n"
                  "def f(i): print(i, subprocess.run(['sh','-c','exit %d' % i]).returncode)\n"
                  "ts=[threading.Thread(target=f,args=(i,)) for i in range(8)]\n"
                  "[(t.start(), t.join()) for t in ts]\n")
        self.compare(["python3", "-c", script])

    def test_shell_with_many_children(self):
        self.compare(["bash", "-c", "for i in {1..60}; do echo $i | grep -c . ; (exit $i) || echo $?; done"])

    def test_find(self):
        self.compare(["find", "/usr/share/doc", "-maxdepth", "1"])

    def test_tar(self):
        self.compare(["sh", "-c", "tar -C /usr/share -cf - doc/b* | tar -tf - | sort | cksum"])

    def test_ps_of_itself(self):
        self.compare(["sh", "-c", "cat /proc/self/comm; readlink /proc/self/exe; tr '\\0' ' ' </proc/self/cmdline"])


if __name__ == "__main__":
    idw.main()
