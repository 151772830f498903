#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who made a call, and with which state: threads, forks, vforks, clones, execs, ids used again.

The programs leave marks, whose path says what the kernel told them: their pid, tid and parent. The wrapper `marks`
audits each with what the engine believes, and counts in process state.
"""

import collections
import re

import idw
from idw import Case, program, run_audited

TEXT = re.compile(
    r"/nonexistent/mark/(?P<kind>\w+)\.p(?P<rpid>\d+)\.t(?P<rtid>\d+)\.pp(?P<rppid>\d+)"
    r" pid (?P<pid>\d+) tid (?P<tid>\d+) ppid (?P<ppid>\d+) count (?P<count>\d+) place (?P<place>\d+)"
    r" program (?P<program>\S+)")
IDS = ("pid", "tid", "ppid")
# Their parent can end while they live: which one the kernel names then is a matter of moments.
ORPHANS = {"orphan", "sibling"}


class Marks(Case):
    def marks(self, argv, user=None, timeout=60):
        """Run wrapped by `marks`: what it printed, and its marks as dicts, each checked for who made it."""
        result = run_audited(argv, ["marks"], user, timeout=timeout)
        self.assertEqual((result.status, result.err), (0, b""))
        marks = []
        for record in result.records:
            mark = TEXT.fullmatch(record["text"])
            self.assertIsNotNone(mark, record["text"])
            mark = {k: int(v) if v.isdigit() else v for k, v in mark.groupdict().items()}
            subject = record["subject"]
            for name in IDS if mark["kind"] not in ORPHANS else IDS[:2]:
                self.assertEqual(mark["r" + name], mark[name], f"${name}: {record['text']}")
                self.assertEqual(mark["r" + name], subject[name], f"record's {name}: {record}")
            self.assertEqual(mark["count"], mark["place"], "struct member and table agree")
            self.assertEqual(mark["program"], subject["program"])
            marks.append(mark)
        return result.out.decode(), marks

    def played(self, play, *args, user=None, but=(), timeout=60):
        """subjplay: the marks, as many of each kind as it says that it made."""
        out, marks = self.marks([program("subjplay"), play, *args], user, timeout)
        self.assertEqual(self.claimed(out), self.kinds(marks, but))
        return marks

    @staticmethod
    def claimed(out):
        return {kind: int(n) for kind, n in re.findall(r"^([a-z]\w*) (\d+)$", out, re.M) if kind != "pid"}

    @staticmethod
    def kinds(marks, but=()):
        return dict(collections.Counter(mark["kind"] for mark in marks if mark["kind"] not in but))

    def assert_counts_from(self, marks, first):
        """The counts of one process: no number twice, none left out, whatever the order of its threads."""
        self.assertEqual(sorted(mark["count"] for mark in marks), list(range(first, first + len(marks))))


class Threads(Marks):
    def test_eight_threads(self):
        for user in idw.USERS:
            with self.subTest(user=user):
                out, marks = self.marks([program("manythreads"), "20"], user)
                self.assertEqual(self.claimed(out), self.kinds(marks))
                main = int(re.search(r"^pid (\d+)$", out, re.M)[1])
                self.assert_counts_from([mark for mark in marks if mark["pid"] == main], 1)
                self.assert_threads(out, marks, main)
                self.assert_children(out, marks, main)

    def assert_threads(self, out, marks, main):
        tids = collections.defaultdict(set)
        for kind, tid in re.findall(r"^thread (\w+) (\d+)$", out, re.M):
            tids[kind].add(int(tid))
        for kind, expected in tids.items():
            seen = {mark["tid"] for mark in marks if mark["kind"] == kind}
            self.assertEqual(seen, expected, kind)
        self.assertEqual({mark["tid"] for mark in marks if mark["kind"] == "handler"}, tids["catcher"],
                         "the handler ran in the thread that the signal was sent to")
        self.assertEqual({mark["pid"] for mark in marks if mark["kind"] in [*tids, "handler", "newborn"]}, {main})

    def assert_children(self, out, marks, main):
        """Each child made its marks, with a copy of the count that its parent had at the fork."""
        for kind, kinds in (("forked", ["forked", "execed"]), ("vforked", ["vforked"])):
            children = {int(pid) for pid in re.findall(rf"^child {kind} (\d+)$", out, re.M)}
            for child in children:
                own = [mark for mark in marks if mark["pid"] == child]
                self.assertEqual({mark["kind"] for mark in own}, set(kinds))
                self.assertEqual({mark["ppid"] for mark in own}, {main})
                if len(own) == len(kinds):  # a pid that was used once
                    self.assert_counts_from(own, own[0]["count"])

    def test_exec_by_a_thread_that_is_not_the_leader(self):
        marks = self.played("threadexec", but=("busy",))
        (thread,) = [mark for mark in marks if mark["kind"] == "thread"]
        (execed,) = [mark for mark in marks if mark["kind"] == "execed"]
        self.assertNotEqual(thread["tid"], thread["pid"])
        self.assertEqual((execed["pid"], execed["tid"]), (thread["pid"], thread["pid"]))
        self.assert_counts_from(marks, 1)
        self.assertEqual(marks[-1], execed, "no other thread did anything any more")

    def test_leader_that_ends_before_the_others(self):
        marks = self.played("leaderless")
        survivors = [mark for mark in marks if mark["kind"] == "survivor"]
        self.assertNotEqual(survivors[0]["tid"], survivors[0]["pid"])
        self.assertEqual([mark["count"] for mark in survivors], [1, 2])
        (forked,) = [mark for mark in marks if mark["kind"] == "forked"]
        self.assertEqual(forked["count"], 2)


class Forks(Marks):
    def test_state_is_copied_and_then_its_own(self):
        mark = ["open-ro", "/nonexistent/mark/x.p0.t0.pp0"]
        ops = [*mark * 3, "child", *mark * 2, "child", *mark, "end", *mark, "end", *mark, "child", *mark, "end", *mark]
        result = run_audited([program("fsplay"), *ops], ["marks"])
        counts, order = collections.defaultdict(list), []
        for record in result.records:
            pid = record["subject"]["pid"]
            if pid not in counts:
                order.append(pid)
            counts[pid].append(int(re.search(r" count (\d+) place \1 ", record["text"])[1]))
        self.assertEqual([counts[pid] for pid in order], [[1, 2, 3, 4, 5], [4, 5, 6], [6], [5]])

    def test_deep_and_wide_tree(self):
        for user in idw.USERS:
            with self.subTest(user=user):
                marks = self.played("tree", "5", user=user)
                by_pid = collections.defaultdict(list)
                for mark in marks:
                    by_pid[mark["pid"]].append(mark)
                self.assertEqual(len(by_pid), 63)
                for pid, own in by_pid.items():
                    self.assert_counts_from(own, own[0]["count"])
                    parent = by_pid.get(own[0]["ppid"])
                    if parent:
                        # A child starts from the count that its parent had when it last made a mark.
                        before = [mark["count"] for mark in parent if marks.index(mark) < marks.index(own[0])]
                        self.assertEqual(own[0]["count"], before[-1] + 1, pid)

    def test_deep_chain(self):
        argv = [program("fsplay")]
        for _ in range(100):
            argv += ["open-ro", "/nonexistent/mark/x.p0.t0.pp0", "fork"]
        result = run_audited([*argv, "say", "bottom"], ["marks"])
        counts = [int(re.search(r" count (\d+) ", record["text"])[1]) for record in result.records]
        self.assertEqual(counts, list(range(1, 101)))
        self.assertEqual(len({record["subject"]["pid"] for record in result.records}), 100)

    def test_many_short_ones(self):
        """No child finds what another left."""
        for user in idw.USERS:
            with self.subTest(user=user):
                marks = self.played("many", "400", user=user)
                self.assertEqual({mark["count"] for mark in marks if mark["kind"] == "short"}, {2})

    def test_vfork(self):
        marks = self.played("vfork", "10")
        after = [mark["count"] for mark in marks if mark["kind"] == "after"]
        self.assertEqual(after, list(range(1, 11)))
        self.assertEqual([m["count"] for m in marks if m["kind"] == "vforked"], list(range(1, 11)), "a copy each")
        self.assertEqual([m["count"] for m in marks if m["kind"] == "execed"], list(range(2, 12)), "exec keeps it")

    def test_every_kind_of_clone(self):
        marks = self.played("clones")
        for kind in ("vm", "handlers", "files", "silent", "sibling"):
            own = [mark for mark in marks if mark["kind"] == kind]
            self.assertEqual(len({mark["pid"] for mark in own}), 1, kind)
            self.assertEqual({mark["tid"] for mark in own}, {own[0]["pid"]}, "a process, not a thread")
            counts = [mark["count"] for mark in own]
            self.assertEqual(counts, [2, 3] if kind == "sibling" else [1, 2], f"{kind}: a state of its own")

    def test_daemon(self):
        marks = self.played_by_daemon()
        (launcher,) = [mark for mark in marks if mark["kind"] == "launcher"]
        (orphan,) = [mark for mark in marks if mark["kind"] == "orphan"]
        self.assertNotEqual(launcher["pid"], orphan["pid"])
        self.assertEqual(orphan["count"], 2)

    def played_by_daemon(self):
        path = idw.audit_file()
        process = idw.start(idw.wrapped([program("subjplay"), "daemon"], ["marks"], path))
        self.assertEqual(process.wait(10), 0)
        idw.wait_until(lambda: len(idw.records(path)) >= 2, 5)
        idw.stop(process)
        return [{k: int(v) if v.isdigit() else v for k, v in TEXT.fullmatch(r["text"]).groupdict().items()}
                for r in idw.records(path)]


if idw.IS_ROOT:
    class Reuse(Marks):
        def test_children_that_all_have_the_same_pid(self):
            """clone3 with set_tid, which needs root: each is a new subject with a fresh copy of its parent's state."""
            marks = self.played("reuse", "50")
            reused = [mark for mark in marks if mark["kind"] == "reused"]
            self.assertEqual(len({mark["pid"] for mark in reused}), 1)
            self.assertEqual({mark["count"] for mark in reused}, {2})


if __name__ == "__main__":
    idw.main()
