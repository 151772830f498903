#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""On a kernel without mseal(2), before Linux 6.10: what is pinned is used where nobody else can change the memory.

All is run under tests/programs/nomseal.c, idwrun included. Tests of other files are run anew that way; what programs
with threads may and may not do there is tried here, by tests/programs/aloneplay.c.
"""

import textwrap
import unittest

import idw
import test_imapd_id
import test_races
import test_rewrite
from idw import Case, program, run, wrapped
from test_races import Attack

PYTHON = "/usr/bin/python3"  # that every user can run
# By which wrapper a call needs pinned memory: write in a traced program, connect in one that is summoned.
CALLS = {"write": "race_buffer", "connect": "race_address"}
ALONE = {
    "once": ["once: ran"],
    "thread": ["joined: ran", "with a thread: refused"],
    "joined": ["joined 200: ran"],
    "leader": ["the leader has ended: ran"],
    "forked": ["forked: ran", "has forked: ran"],
    "shared": ["child that shares: refused", "once: ran", "parent that shared: refused", "parent that shares: refused"],
    "vforked": ["after 100 vforks: ran", "in vfork: ran"],
    "vfork-thread": ["it has ended: ran", "thread of a vfork child: refused",
                     "whose vfork child left a thread: refused"],
    "vfork-clone": ["vfork child that shares: refused", "whose vfork child left a process: refused"],
    "vfork-vfork": ["vfork child that has vforked: refused", "vfork in vfork: refused",
                    "whose child has vforked: refused"],
    "hidden": ["CLONE_UNTRACED: EPERM", "clone3: ENOSYS", "still alone: ran"],
    "unmapped": ["area: gone", "before: ran", "with another: refused", "without it: refused"],
}

# A program with threads executes others, by vfork, and in the end another in its own place.
EXECS = """
    import os, subprocess, sys, threading
    def script(name, line):
        with open(name, "w") as f:
            f.write(line)
        os.chmod(name, 0o755)
    script("one", '#!/bin/sh -e\\necho "one $1 $2"\\n')
    script("two", f"#! {os.getcwd()}/one  two words  \\n")
    end = threading.Event()
    thread = threading.Thread(target=end.wait, daemon=True)
    thread.start()
    for line in (["/bin/echo", "program"], ["echo", "found"], ["./one", "a b"], ["./two", "c"], ["/bin/echo", "/bin/echo"]):
        print(subprocess.run(line, stdout=subprocess.PIPE, check=True).stdout.decode(), end="", flush=True)
    def last():
        if sys.argv[1] == "descriptor":
            os.execve(os.open("/bin/echo", os.O_RDONLY), ["echo", "last"], {})
        os.execv("./one" if sys.argv[1] == "script" else "/bin/echo", ["echo", "last"])
    if sys.argv[1] == "leader":
        last()
    threading.Thread(target=last).start()
    thread.join()
"""
EXECUTED = "program\nfound\none a b \none two words ./two\n/bin/echo\n"


class Alone(Case):
    def test_pieces(self):
        for user in idw.USERS:
            for call, wrapper in CALLS.items():
                for piece, expected in ALONE.items():
                    with self.subTest(call=call, piece=piece, user=user):
                        idw.stage.fresh()
                        result = run(wrapped([program("aloneplay"), call, piece], [wrapper]), user)
                        self.assertEqual(sorted(result.out.decode().splitlines()), expected, result)

    def test_what_is_refused_is_said(self):
        result = run(wrapped([program("aloneplay"), "write", "thread"], ["race_buffer"]))
        self.assertRegex(result.err, rb"write: its arguments can't be pinned .*needs Linux 6.10")


class Execs(Case):
    def executed(self, how, wrappers, user=None):
        idw.stage.fresh()
        line = [PYTHON, "-c", textwrap.dedent(EXECS), how]
        result = run(wrapped(line, wrappers), user)
        last = "one last \n" if how == "script" else "last\n"
        self.assertEqual((result.status, result.err), (0, b""), result)
        self.assertEqual(result.out.decode(), EXECUTED + last)

    def test_of_a_program_with_threads(self):
        for user in idw.USERS:
            for how in ("leader", "thread", "descriptor", "script"):
                for wrappers in (["race_path", "race_strings"], ["race_strings", "quiet_trace"], ["race_object"]):
                    with self.subTest(how=how, wrappers=wrappers, user=user):
                        self.executed(how, wrappers, user)

    def test_what_is_assigned_must_be_pinned(self):
        """A path that is rewritten can't be given to a program with threads."""
        code = """if True:
            import os, threading
            end = threading.Event()
            threading.Thread(target=end.wait, daemon=True).start()
            try:
                os.execv("from-x", ["x"])
            except OSError as e:
                print(e.strerror)
        """
        result = run(wrapped([PYTHON, "-c", code], ["rewrite_exec"]))
        self.assertEqual(result.out, b"Operation not permitted\n", result)

    def test_denied(self):
        code = "import subprocess, threading; threading.Thread(target=threading.Event().wait, daemon=True).start()\n" \
               "subprocess.run(['/bin/echo', 'is evil'])"
        result = run(wrapped([PYTHON, "-c", code], ["race_strings"]))
        self.assertIn(b"PermissionError", result.err)


class Races(test_races.Races):
    """Those that pin; what would need it among threads is refused."""

    ATTACKS = [Attack(*line.split()) for line in """
        write thread buffer
        exec-path thread path
        exec-argument thread strings
        exec-variable process strings
        exec-symlink thread object
        vfork-path thread path
        vfork-argument thread strings
        vfork-variable process strings
        vfork-script thread strings
        connect-unix thread address
    """.strip().splitlines()]

    def test_attacks(self):
        for attack in self.ATTACKS:
            runs = attack.name.startswith(("exec", "vfork"))
            for user in idw.USERS if runs else [idw.ORDINARY]:  # a race that nobody wins takes long
                with self.subTest(attack=str(attack), user=user):
                    counts = self.race(self.idwrun(attack), attack, attack.by, test_races.LIMITS, user)
                    self.assertEqual(counts["wins"], 0, counts)
                    self.assertGreater(counts["refused"], 0, counts)
                    self.assertEqual(counts["good"] > 0, runs, counts)

    def test_in_traced_programs(self):
        """Made so by a clause on another call: an exec has no notification there, and nobody else asks for its end."""
        for attack in self.ATTACKS:
            if attack.name.startswith("vfork"):
                with self.subTest(attack=str(attack)):
                    before = wrapped([], [f"race_{attack.rule}", "rewrite_options"])
                    counts = self.race(before, attack, attack.by, test_races.LIMITS)
                    self.assertEqual(counts["wins"], 0, counts)
                    self.assertGreater(counts["good"], 0, counts)

    test_control = test_without_a_swap = None


def again(case, *names):
    """Of @case, run anew, the tests with these names; all without."""
    loader = unittest.TestLoader()
    return [case(name) for name in loader.getTestCaseNames(case) if not names or name in names]


def load_tests(loader, standard, pattern):
    suite = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (Alone, Execs, Races))
    suite.addTests(again(test_rewrite.One))
    suite.addTests(again(test_rewrite.Many, "test_a_thousand_vforks"))
    for name in ("Chmod", "Fchmod", "Executions", "Open", "Execve"):
        suite.addTests(again(getattr(test_imapd_id, name)))
    return suite


class OldKernel(idw.Stage):
    """The stage whose idwrun is on such a kernel."""

    def __init__(self, *args):
        super().__init__(*args)
        (self.bin / "real").mkdir()
        real = self.idwrun.rename(self.bin / "real" / "idwrun")
        self.idwrun.write_text(f'#!/bin/sh\nexec {self.bin}/nomseal {real} "$@"\n')
        self.idwrun.chmod(0o755)


if __name__ == "__main__":
    idw.Stage = OldKernel
    idw.main()
