#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What clauses decide is carried out: by either engine, by both on one call, by several layers."""

import os
import re
import signal

import idw
from idw import Case, program, run, run_audited, wrapped

AT_FDCWD = "0xffffffffffffff9c"


class Verdicts(Case):
    wrappers = ()

    def setUp(self):
        self.scratch = idw.stage.fresh()

    def call(self, *words, user=None):
        """callplay's lines: "CALL = RESULT"; "clobbered REGISTER" lines among them would fail each comparison."""
        result = run(wrapped([program("callplay"), *words], self.wrappers), user)
        self.assertEqual((result.status, result.err), (0, b""))
        return result.out.decode().splitlines()

    def calls(self, expected, user=None):
        """Each call of @expected with its result, in one run."""
        words = " , ".join(expected).split()
        lines = [f"{call.split()[0]} = {result}" for call, result in expected.items()]
        self.assertEqual(self.call(*words, user=user), lines)


class Notify(Verdicts):
    wrappers = ("verdicts_notify",)

    def test_deny_and_fake(self):
        for user in idw.USERS:
            with self.subTest(user=user):
                expected = {"socket 2 1 0": -13, "socket 1 1 0": 3, "getppid": 4242, "close 3": 0, "close 1003": -3}
                self.calls(expected, user)

    def test_high_halves_of_narrow_arguments_do_not_hide_them(self):
        self.calls({"socket 0xdeadbeef00000002 0xffffffff00000001 0": -13, "socket 0x200000001 1 0": 3,
                    "close 0xabcdef01000003e9": -1})

    def test_every_errno(self):
        numbers = [1, 2, 38, 133, 511, 532, 4095]
        self.calls({f"close {1000 + number}": -number for number in numbers})

    def test_restart_codes_of_the_kernel_are_no_errnos(self):
        self.calls({f"close {1000 + number}": -1 for number in (512, 516, 531)})

    def test_values_of_64_bits(self):
        self.calls({"dup 1001": 1 << 32, "dup 1000": 0, "dup 2000": 1000 << 32})

    def test_denied_and_faked_calls_have_not_run(self):
        self.calls({"mkdir @a 0711": -30, "mkdir @b 0722": 0, "mkdir @c 0700": 0})
        self.assertEqual(os.listdir(self.scratch), ["c"])

    def test_64_bit_and_signed_comparisons(self):
        self.calls({"lseek 0 0x100000002 0": -75, "lseek 0 2 0": -29, "lseek 0 0xfffffffffffffff0 2": -34,
                    "lseek 0 0xfffffffffffffffc 2": -29})

    def test_kill(self):
        for user in idw.USERS:
            for call in (["mkdir", "@killed", "0733"], ["ptrace", "0", "0", "0", "0"]):
                with self.subTest(call=call, user=user):
                    line = [program("callplay"), *call, ",", "mkdir", "@after", "0700"]
                    result = run(wrapped(line, self.wrappers), user)
                    self.assertEqual((result.status, result.out), (-signal.SIGKILL, b""))
        self.assertEqual(os.listdir(self.scratch), [])

    def test_kill_takes_the_whole_process_and_no_other(self):
        """A thread's call ends its process; the parent goes on."""
        ops = ["child", "thread", "umask", "0", "mkdir-733", "end", "say", "parent"]
        result = run(wrapped([program("fsplay"), *ops], self.wrappers))
        self.assertEqual(result.out, b"umask 0 = 0\nchild killed by 9\nparent\nsay parent = 0\n")
        self.assertEqual(os.listdir(self.scratch), [])

    def test_nothing_else_is_touched(self):
        stats = idw.run_stats([program("callplay"), "getppid", ",", "getpid", ",", "umask", "022"], self.wrappers)[1]
        self.assertEqual((stats["notify"], stats["trace"]), ({"getppid": 1}, {}))


class Trace(Verdicts):
    wrappers = ("verdicts_trace",)

    def test_deny_fake(self):
        for user in idw.USERS:
            with self.subTest(user=user):
                (idw.stage.fresh() / "keep").write_text("")
                (self.scratch / "other").write_text("")
                if user:
                    os.chown(self.scratch / "other", idw.ORDINARY_ID, idw.ORDINARY_ID)
                self.calls({"unlink @keep": -1, "unlink @./../scratch/keep": -1, "unlink @other": 0,
                            f"unlinkat {AT_FDCWD} @keep 0": -1, "mkdir @fake 0700": 7,
                            f"mkdirat {AT_FDCWD} @d 0700": 0}, user)
                self.assertEqual(sorted(os.listdir(self.scratch)), ["d", "keep"])

    def test_kill(self):
        result = run(wrapped([program("callplay"), "mkdir", "@killer", "0700"], self.wrappers))
        self.assertEqual((result.status, result.out, os.listdir(self.scratch)), (-signal.SIGKILL, b"", []))

    def test_rewritten_flags(self):
        """The kernel gets the clause's flags, the caller its own registers back."""
        self.calls({"open @new 0x41 0644": 3, "open @new 0x41 0600": -17, "open @new 1 0": 4})

    def test_rewritten_mode(self):
        os.umask(0)
        (self.scratch / "f").write_text("")
        self.calls({"chmod @f 0777": 0})
        self.assertEqual((self.scratch / "f").stat().st_mode & 0o777, 0o755)
        self.calls({f"fchmodat {AT_FDCWD} @f 0666 0": 0})
        self.assertEqual((self.scratch / "f").stat().st_mode & 0o777, 0o644)

    def test_two_rewritten_arguments(self):
        (self.scratch / "f").write_text("0123456789")
        self.calls({"open @f 0 0": 3, "lseek 3 4 0": 4, "lseek 3 5 0": 6, "lseek 3 0 1": 6})

    def test_assigned_results(self):
        self.calls({"getuid": 77, "access @nothing 0": -13, "access @/etc 0": 3, "getpgid 0": -16})

    def test_unreadable_memory(self):
        """A characterisation that can't read its path does not match; the kernel finds the same fault."""
        self.calls({"unlink 1": -14, "unlink 0xffffffff00000000": -14, "mkdir 8 0700": -14})


class Both(Verdicts):
    wrappers = ("verdicts_notify", "verdicts_trace")

    def test_both_engines_on_one_call(self):
        """mkdir has clauses on registers and clauses on its path."""
        self.calls({"mkdir @a 0711": -30, "mkdir @fake 0700": 7, "mkdir @fake 0711": -30, "mkdir @b 0722": 0,
                    "mkdir @c 0700": 0, "getppid": 4242, "getuid": 77, "socket 2 1 0": -13,
                    "lseek 0 0x100000002 0": -75})
        self.assertEqual(os.listdir(self.scratch), ["c"])

    def test_in_the_other_order(self):
        self.wrappers = tuple(reversed(self.wrappers))
        self.calls({"mkdir @fake 0700": 7, "mkdir @a 0711": -30, "mkdir @c 0700": 0})

    def test_in_a_thread_and_in_a_child(self):
        for how in ("thread", "fork"):
            ops = [how, "mkdir", "fake", "unlink", "keep", "socket", "2"]
            result = run(wrapped([program("fsplay"), *ops], self.wrappers))
            self.assertEqual(result.out.decode().splitlines()[-2:], ["unlink keep = EPERM", "socket 2 = EACCES"])


class Foreign(Verdicts):
    """Calls that could go round the wrappers don't exist, whatever is wrapped."""

    def test_io_uring_x32_and_no_calls(self):
        for name, names in idw.ENGINES.items():
            for user in idw.USERS:
                with self.subTest(engine=name, user=user):
                    self.wrappers = names
                    self.calls({"io_uring_setup 8 %120": -38, "io_uring_enter 0 0 0 0 0 0": -38,
                                "io_uring_register 0 0 0 0": -38, "int80 222": -38, "x32 39": -38, "x32 2": -38}, user)


class Layers(Verdicts):
    def said(self, *mask, wrappers=("layer_a", "layer_b")):
        result = run_audited([program("callplay"), "umask", *mask, ",", "mkdir", "@d", "0777"], wrappers)
        mode = (self.scratch / "d").stat().st_mode & 0o777
        said = [f"{r['wrapper'][-1]} {r['text']}" for r in result.records]
        return result.out.decode().splitlines()[0], said, mode, result.records

    def test_pre_outermost_first_post_innermost_first(self):
        """Each layer sees what the layer before it has made of the call."""
        os.umask(0o022)
        out, said, mode, _ = self.said("0222")
        self.assertEqual(said, ["a pre 0222", "b pre 0333", "b post 18", "a post 5"])
        self.assertEqual((out, mode), ("umask = 6", 0o722))

    def test_in_the_other_order(self):
        os.umask(0o022)
        out, said, mode, _ = self.said("0222", wrappers=("layer_b", "layer_a"))
        self.assertEqual(said, ["b pre 0222", "a pre 0222", "a post 18", "b post 18"])
        self.assertEqual((out, mode), ("umask = 5", 0o444))

    def test_outer_layer_denies(self):
        os.umask(0o022)
        out, said, mode, records = self.said("0111")
        self.assertEqual((said, out, mode), (["a pre 0111"], "umask = -1", 0o755))
        self.assertEqual(records[0]["verdict"], "deny EPERM")

    def test_inner_layer_denies(self):
        """The outer one sees the failure as the result."""
        os.umask(0o022)
        out, said, mode, records = self.said("0112")
        self.assertEqual((said, out, mode), (["a pre 0112", "b pre 0112", "a post -1"], "umask = -1", 0o755))
        self.assertEqual({record["verdict"] for record in records}, {"deny EPERM"})


class Results(Verdicts):
    def said(self, argv, **kw):
        result = run_audited(argv, ["results"], **kw)
        return result, [(r["subject"]["pid"], r["text"]) for r in result.records]

    def test_fork_returns_once_and_in_the_parent(self):
        _, said = self.said(["python3", "-S", "-c", "import os\nfor i in 1, 2:\n  p = os.fork()\n"
                                                    "  if not p: os._exit(0)\n  os.wait()\n  print(p)"])
        forks = [(pid, re.fullmatch(r"\w+ (\d+) 0", text)) for pid, text in said if re.match("fork|vfork|clone", text)]
        self.assertEqual(len(forks), 2, said)
        self.assertEqual(len({pid for pid, _ in forks}), 1)
        self.assertNotIn(forks[0][0], {int(text[1]) for _, text in forks})

    def test_execve(self):
        _, said = self.said(["sh", "-c", "PATH=/nowhere:/bin:/usr/bin; exec true"])
        self.assertEqual([text for _, text in said], ["execve -1 2", "execve 0 0"])

    def test_buffers(self):
        result, said = self.said(["cat"], stdin=b"some text")
        self.assertEqual(result.out, b"some text")
        texts = [text for _, text in said if not text.startswith("execve")]
        self.assertEqual(texts, ["read 9 some text", "write 9 some text"])


class AuditedBytes(Verdicts):
    NAMES = [b"\xff\n", b"a\\x41\\", b"\x1b[31mred", "grün".encode(), b"\xc3(", b'"', b"\x7f\t\r", b" "]

    def test_paths(self):
        for name in self.NAMES:
            with self.subTest(name=name):
                idw.stage.fresh()
                result = run_audited([b"mkdir", b"--", name], ["objects"])
                self.assertEqual(os.listdir(os.fsencode(self.scratch)), [name])
                (record,) = result.records
                self.assertEqual(idw.unescape(record["params"]["object"]), name)
                self.assertEqual(idw.unescape(record["call"]["args"]["path"]), name)
                self.assertNotRegex(record["params"]["object"], r"[\x00-\x1f\x7f]")

    def test_numbers(self):
        (record,) = run_audited([program("callplay"), "mkdir", "@d", "0700"], ["objects"]).records
        self.assertEqual((record["params"]["mode"], record["params"]["big"]), (-0o700, 2**64 - 1))

    def test_long_paths(self):
        """Cut in the record, which says so; the wrapper sees all of it (objects.wr raises only what could be read)."""
        for length in (4095, 4096, 4097, 100000):
            with self.subTest(length=length):
                name = "x" * length
                result = run_audited([program("callplay"), "mkdir", f"@{name}", "0700"], ["objects"])
                (record,) = result.records
                self.assertEqual(record["params"]["object"], name[:4096])
                self.assertEqual(record.get("truncated", False), length > 4096)
                self.assertEqual(result.out, b"mkdir = -36\n")

    def test_unreadable_paths(self):
        result = run_audited([program("callplay"), "mkdir", "16", "0700", ",", "chmod", "0", "0600"], ["objects"])
        self.assertEqual([record["text"] for record in result.records], ["unreadable"] * 2)
        self.assertEqual(result.out, b"mkdir = -14\nchmod = -14\n")

    def test_audit_on_standard_output_and_error(self):
        argv = ["mkdir", "d"]
        for where, pick in (("-", 1), (None, 2)):
            with self.subTest(where=where):
                idw.stage.fresh()
                result = run(wrapped(argv, ["objects"], audit=where))
                self.assertEqual(result.status, 0)
                self.assertRegex(result[pick], rb'\A\{"time":[^\n]*"made"[^\n]*\}\n\Z')
                self.assertEqual(result[3 - pick], b"")

    def test_lines_do_not_mix(self):
        argv = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do (for j in $(seq 30); do mkdir $i.$j; done) & done; wait"]
        result = run_audited(argv, ["objects"])
        made = {record["params"]["object"] for record in result.records}
        self.assertEqual(made, {f"{i}.{j}" for i in range(1, 9) for j in range(1, 31)})
        self.assertEqual(len(result.records), 240)


if __name__ == "__main__":
    idw.main()
