#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wrappers give the kernel other arguments, and the program other results: paths, buffers, addresses, options, flags.

tests/programs/rewriteplay.c makes the calls and tells what came of them; it checks that its registers and its own
memory are as before. The wrappers rewrite_*.wr say what should come of them.
"""

import re

import idw
from idw import Case, program, run, run_stats, wrapped

LONG = "into something that is a good deal longer"
CUT = "what is read is cut to the room that the program has made for it"[:30]
# By wrapper, by piece: what comes of it bare, and rewritten.
PIECES = {
    "rewrite_paths": {
        "open-longer": ("bare #", "rewritten #"), "open-shorter": ("bare #", "rewritten #"),
        "openat2": ("bare #", "rewritten #"), "open-flags": ("", "not truncated"),
        "mkdir": ("0 bare 0", "0 rewritten 755"), "rename": ("0 ENOENT", "0 renamed"),
        "symlink": ("0 bare", "0 rewritten"), "stat": ("0 8", "0 13"), "chmod": ("0 644", "0 601"),
    },
    "rewrite_exec": {"execve": ("1", "0")},
    "rewrite_buffers": {
        "write-shorter": ("16 from a long text", "5 short"), "write-longer": ("9 from this", f"{len(LONG)} {LONG}"),
        "write-empty": ("12 from nothing", "0"), "write-big": ("2097229 2097229 bare", "2097229 2097229 turned"),
        "read-result": ("10 result: 01  18 result: 0123456789", f"7 shorter  30 {CUT}"),
    },
    "rewrite_addresses": {
        "connect-inet": ("ECONNREFUSED", "0 127.0.0.1"), "bind-inet": ("0 bare", "0 rewritten"),
        "sendto-inet": ("15 nothing", "29 into a rather longer datagram"), "connect-unix": ("ENOENT", "0"),
        "bind-unix": ("0 bare", "0 rewritten"),
    },
    "rewrite_options": {"setsockopt": ("0 3", "0 5")},
    "rewrite_results": {
        "stat-result": ("0 new 3 bytes mode 100000", "0 old 7 bytes mode 100000"),
        "readlink-result": ("4 targ  6 target", "4 else  9 elsewhere"), "errno-result": ("ENOENT 0", "EACCES 3"),
    },
}
ALL = [piece for pieces in PIECES.values() for piece in pieces]
# Calls that the supervisor makes itself, so that a program with these wrappers alone is not traced.
PERFORMED = ["rewrite_paths", "rewrite_addresses", "rewrite_results"]


class Rewriting(Case):
    excused = rb"(?!)"  # what may be said on standard error

    def expected(self, pieces, wrappers):
        return {piece: outcome[name in wrappers] for name, all_of_it in PIECES.items()
                for piece, outcome in all_of_it.items() if piece in pieces}

    def played(self, pieces, wrappers, options=(), user=None, timeout=60):
        """What rewriteplay says of each piece: "clobbered" and the like among them."""
        idw.stage.fresh()
        line = [program("rewriteplay"), *options, *pieces]
        result = run(wrapped(line, wrappers) if wrappers else line, user, timeout=timeout, umask=0o022)
        self.assertEqual((result.status, re.sub(self.excused, b"", result.err)), (0, b""), result)
        return [line.rstrip() for line in result.out.decode().splitlines()]

    def check(self, pieces, wrappers, options=(), user=None, also=(), timeout=60):
        with self.subTest(wrappers=wrappers, options=options, user=user):
            wanted = [f"{piece}: {outcome}".rstrip() for piece, outcome in self.expected(pieces, wrappers).items()]
            self.assertEqual(self.played(pieces, wrappers, options, user, timeout), [*also, *wanted, "clobbered 0"])


class One(Rewriting):
    def test_bare(self):
        for user in idw.USERS:
            self.check(ALL, [], user=user)

    def test_each_wrapper(self):
        for user in idw.USERS:
            for name, pieces in PIECES.items():
                self.check(pieces, [name], user=user)

    def test_all_wrappers(self):
        for user in idw.USERS:
            self.check(ALL, list(PIECES), user=user)

    def test_what_no_wrapper_changes(self):
        """Each wrapper leaves alone what isn't its own."""
        for name in PIECES:
            self.check(ALL, [name])

    def test_under_a_wrapper_that_looks(self):
        """Another layer makes the program traced, or looks at the same calls."""
        for name, pieces in PIECES.items():
            for quiet in ("quiet_trace", "quiet_perform", "quiet_notify"):
                self.check(pieces, [quiet, name])


class Many(Rewriting):
    def test_sixteen_threads(self):
        """Each gets its own results."""
        for name, pieces in PIECES.items():
            self.check(pieces, [name], ["-t", 16, "-n", 5], user=idw.ORDINARY)

    def test_sixteen_threads_with_all_wrappers(self):
        self.check(ALL, list(PIECES), ["-t", 16, "-n", 3])

    def test_with_signals(self):
        """A handler that makes such calls itself comes between."""
        pieces = [piece for piece in ALL if piece != "execve"]  # whose child would be without the handler
        self.check(pieces, ["rewrite_paths", "rewrite_buffers"], ["-n", 10, "-s"])
        self.check(pieces, list(PIECES), ["-t", 4, "-n", 5, "-s"])

    def test_with_forks_and_execs(self):
        self.check(ALL, list(PIECES), ["-t", 4, "-n", 5, "-f"])
        for name, pieces in PIECES.items():
            self.check(pieces, [name], ["-t", 2, "-n", 10, "-f"])

    def test_a_thousand_vforks(self):
        for wrappers, rewritten in (([], "all"), (["rewrite_exec"], "none"), (["rewrite_exec", "quiet_trace"], "none")):
            with self.subTest(wrappers=wrappers):
                idw.stage.fresh()
                n = 1000 if len(wrappers) < 2 else 200
                line = [program("rewriteplay"), "vforks", n]
                result = run(wrapped(line, wrappers) if wrappers else line, timeout=60)
                self.assertEqual(result.out.decode().splitlines(),
                                 ["mappings +0", "descriptors +0", f"not rewritten {rewritten}", "clobbered 0"], result)


class Hunted(Rewriting):
    """The program looks for what the supervisor has put into it, and tries to change it. Who tampers with the memory while
    it is put there has the call refused."""

    excused = rb"idwrun: process \d+: \w+: (its arguments can't be pinned \([\w ]+\)|[\w' ]+): refused\n"

    def hunted(self, pieces, wrappers, options, user=None):
        said = self.played(pieces, wrappers, [*options, "-H"], user)
        wanted = self.expected(pieces, wrappers)
        texts = [f"{piece}: {outcome}".rstrip() for piece, outcome in wanted.items()]
        refused = any("EPERM" in line for line in said)
        if refused:  # it got in before the seal, or no harm was done: what did run ran as it should
            texts += [f"{piece}: and then {outcome}".rstrip() for piece, outcome in wanted.items()]
            said = [line for line in said if "EPERM" not in line and line not in texts]
        else:
            said = [line for line in said if line not in texts] if set(texts) <= set(said) else said
        self.assertEqual(len(said), 2, said)
        found = re.fullmatch(r"hunted (some|none) won (\d+)", said[0])
        self.assertIsNotNone(found, said)
        self.assertEqual(said[1], "clobbered 0")
        if not refused:
            self.assertEqual(found[2], "0")
        return found[1] == "some"

    def test_bare(self):
        self.assertFalse(self.hunted(ALL, [], ["-n", 5]), "the program has no such memory of its own")

    def test_what_runs_in_the_program(self):
        for user in idw.USERS:
            for name in ("rewrite_buffers", "rewrite_exec"):
                with self.subTest(wrapper=name, user=user):
                    found = self.hunted(PIECES[name], [name], ["-t", 4, "-n", 20], user)
                    if name == "rewrite_buffers":
                        self.assertTrue(found, "there was something to attack")

    def test_what_the_supervisor_does(self):
        for name in PERFORMED:
            with self.subTest(wrapper=name):
                self.hunted(PIECES[name], [name], ["-t", 4, "-n", 20])


class ByWhom(Rewriting):
    def test_performed_calls_are_notified(self):
        for name in PERFORMED:
            with self.subTest(wrapper=name):
                idw.stage.fresh()
                _, stats = run_stats([program("rewriteplay"), *PIECES[name]], [name])
                self.assertLessEqual(set(stats["trace"]), {"setsockopt"}, "its value can't be given but in the program")
                self.assertGreater(sum(stats["notify"].values()), 0)

    def test_etc_passwd(self):
        """The example that everybody thinks of, through programs that nobody wrote for it."""
        (idw.stage.top / "passwd").write_text("nobody here\n")
        source = idw.stage.top / "passwd_elsewhere.wr"
        source.write_text('#include <idw/wdl.h>\nwrapper passwd_elsewhere {\n'
                          '    sys::op{ open && $path == "/etc/passwd" } pre {\n'
                          f'        $path = "{idw.stage.top}/passwd";\n    }}\n}}\n')
        wrapper = idw.stage.compile(source)
        for user in idw.USERS:
            for argv in (["cat", "/etc/passwd"], ["sh", "-c", "read l </etc/passwd; echo $l"],
                         ["python3", "-S", "-c", "import threading\n"
                          "t = threading.Thread(target=lambda: print(open('/etc/passwd').read(), end=''))\n"
                          "t.start(); t.join()"]):
                with self.subTest(argv=argv, user=user):
                    self.assertEqual(run(wrapped(argv, [wrapper]), user), (0, b"nobody here\n", b""))


if __name__ == "__main__":
    idw.main()
