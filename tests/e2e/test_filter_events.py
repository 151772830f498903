#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The filter does its work: what reaches idwrun is what the clauses match, counted against strace bare."""

import collections
import os
import re
import tempfile

import idw
from idw import Case, program, run, run_stats

FIND = ["find", "/usr", "-maxdepth", "3"]
ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
READ_ONLY = r"O_RDONLY"


class Counted(Case):
    def strace(self, argv):
        """Calls of @argv, bare, as strace prints them: [(name, arguments and result)]. The first execve is strace's."""
        with tempfile.NamedTemporaryFile(dir=idw.stage.top) as log:
            result = run(["strace", "-f", "-qq", "-s", "16", "-o", log.name, "--", *argv], env=ENV)
            self.assertEqual(result.status, 0, result)
            text = log.read().decode(errors="replace")
        calls = re.findall(r"^\d+ +(\w+)\((.*)$", text, re.M)
        self.assertEqual(calls[0][0], "execve")
        return calls[1:]

    @staticmethod
    def count(calls, *matches):
        """How many match: {name: number} for each (name, pattern of the arguments)."""
        counts = collections.Counter()
        for name, text in calls:
            counts[name] += any(name == wanted and re.search(pattern, text) for wanted, pattern in matches)
        return {name: number for name, number in counts.items() if number}


class OfFind(Counted):
    def test_what_registers_decide(self):
        """By the notify engine: each event is a call that strace saw, and none of the others got out of the kernel."""
        calls = self.strace(FIND)
        expected = self.count(
            calls,
            ("close", r"^([4-9]|\d\d+)\b"),
            ("openat", r"O_RDONLY.*O_DIRECTORY|O_DIRECTORY.*O_RDONLY"),
            ("read", r", (51[3-9]|5[2-9]\d|[67]\d\d|8[0-24-9]\d|83[013-9]|9\d\d|\d{4,})\) += "),
            ("lseek", r"SEEK_(?!SET)"), ("getppid", ""))
        self.assertGreater(expected["openat"], 50)
        result, stats = run_stats(FIND, ["counted_notify"], env=ENV)
        self.assertEqual((result.status, result.err), (0, b""))
        self.assertEqual(stats["notify"], expected)
        self.assertEqual(stats["events"], {"notify": sum(expected.values()), "trace": 0})

    def test_under_imapd_id(self):
        """imapd_id looks at opening for reading, creating, changing modes, executing."""
        calls = self.strace(FIND)
        expected = self.count(calls, ("openat", r"O_RDONLY(?!.*O_PATH)|O_CREAT|O_TMPFILE"),
                              *((name, "") for name in ("chmod", "fchmod", "fchmodat", "execve", "mkdir", "mknod")))
        result, stats = run_stats(FIND, ["imapd_id"], env=ENV)
        self.assertEqual((result.status, result.err), (0, b""))
        self.assertEqual((stats["notify"], stats["trace"]), (expected, {}), "nothing of it needs a tracer")

    def test_each_event_is_audited_once(self):
        calls = self.strace(FIND)
        expected = self.count(calls, ("openat", READ_ONLY))
        result = idw.run_audited(FIND, ["counted_trace"], env=ENV)
        self.assertEqual(dict(collections.Counter(r["call"]["name"] for r in result.records)), expected)

    def test_with_children(self):
        script = ("for i in 1 2 3 4 5; do cat /etc/passwd >/dev/null; touch f$i; chmod 600 f$i; done;"
                  " (cd /; ls >/dev/null) & wait")
        argv = ["sh", "-c", script]
        idw.stage.fresh()
        calls = self.strace(argv)
        expected = self.count(calls, ("openat", READ_ONLY),
                              *((name, "") for name in ("chmod", "fchmod", "fchmodat", "execve")))
        self.assertGreaterEqual(expected["execve"], 16)
        idw.stage.fresh()
        result, stats = run_stats(argv, ["counted_trace"], env=ENV)
        self.assertEqual((result.status, result.err), (0, b""))
        self.assertEqual({**stats["notify"], **stats["trace"]}, expected)
        self.assertEqual(set(stats["performed"]), {"openat"}, "the others are decided by registers alone")


class OfSingleCalls(Counted):
    """The difference that operations make to the events of a program that does nothing."""

    def events(self, *ops):
        stage = idw.stage.fresh()
        (stage / "f").write_text("x" * 4000)
        result, stats = run_stats([program("fsplay"), *ops], ["imapd_id"], env=ENV)
        self.assertEqual((result.status, result.err), (0, b""))
        return collections.Counter(stats["notify"]) + collections.Counter(stats["trace"])

    def more(self, *ops):
        more = self.events("say", "nothing", *ops)
        more.subtract(self.events("say", "nothing"))
        return {name: number for name, number in more.items() if number}

    def test_these_reach_nobody(self):
        for ops in (["open-rw", "f"], ["open-wo", "f"], ["stat", "f"], ["lstat", "f"], ["open-rw", "f", "read"],
                    ["open-rw", "f", "fstat", "write", "x", "close"], ["link", "f", "g"], ["rename", "f", "g"],
                    ["unlink", "f"], ["umask", "0"], ["getppid"], ["socket", "1"], ["chdir", "/"], ["sleep", "1"]):
            with self.subTest(ops=ops):
                self.assertEqual(self.more(*ops * 3 if ops[0] not in ("link", "rename", "unlink") else ops), {})

    def test_these_do(self):
        for ops, expected in (
            (["open-ro", "f"], {"openat": 3}), (["open-old", "f"], {"open": 3}), (["openat2-ro", "f"], {"openat2": 3}),
            (["creat", "f"], {"openat": 3}), (["creat-call", "f"], {"creat": 3}),
        ):
            with self.subTest(ops=ops):
                self.assertEqual(self.more(*ops * 3), expected)

    def test_chmod(self):
        self.assertEqual(self.more("creat", "g", "chmod", "g", "600", "fchmod", "640"),
                         {"openat": 1, "chmod": 1, "fchmod": 1})

    def test_nothing_is_wrapped_without_wrappers(self):
        result, stats = run_stats(["sh", "-c", "cat /etc/passwd >/dev/null"], [])
        self.assertEqual((result.status, result.err), (0, b""))
        self.assertEqual(stats["events"], {"notify": 0, "trace": 0})


if __name__ == "__main__":
    idw.main()
