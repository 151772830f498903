#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that were written to find faults in what they run on, bare and wrapped by clauses that match everything:
the tests of Debian's Python (libpython3.11-testsuite), the stressors of stress-ng, and the build of a program.

With IDW_REAL_LONG set: more of Python's tests, and ten times the work of each stressor.
"""

import collections
import hashlib
import os
import re
import shutil
import xml.etree.ElementTree

import idw
from idw import Case, run, wrapped

LONG = bool(os.environ.get("IDW_REAL_LONG"))
# All that can be performed, and besides what the trace engine has to do: processes, signals, descriptors, waiting.
EVERYTHING = ["match_all", "quiet_trace"]
WAYS = {"bare": lambda argv: argv, "wrapped": lambda argv: wrapped(argv, EVERYTHING)}

PYTHON = "/usr/bin/python3"
MODULES = ["os", "posix", "posixpath", "pathlib", "tempfile", "fileio", "genericpath"]
MORE_MODULES = ["shutil", "glob", "stat", "filecmp", "mailbox", "zipfile", "tarfile", "fcntl", "pty", "resource", "mmap",
                "select", "subprocess", "signal", "threading", "socket"]

STRESSORS = {
    "file": "access chdir chmod chown dentry dir dirdeep dup fallocate fcntl fiemap filename flock fstat getdent handle hdd"
            " inotify iomix lease link locka lockf lockofd mknod open pipe poll readahead rename seek sendfile"
            " symlink sync-file touch utime xattr",
    "process": "fork vfork clone exec spawn wait zombie session nanosleep pidfd set get kill nice resources sleep"
               " daemon switch",
    "signal": "sigabrt sigchld sigfd sigfpe signal signest sigpending sigpipe sigq sigrt sigsegv sigsuspend sigtrap"
              " itimer alarm timer timerfd",
    "thread": "pthread mutex futex sem-sysv membarrier mq msg shm-sysv",
    "network": "sock sockfd sockpair udp epoll netdev sockdiag sockmany udp-flood sockabuse",
}
# Each is told how much to do and ends by itself: at the end of a time a signal comes, whose handler may interrupt a call
# before it is received (docs/SECURITY.md), and stress-ng takes that for a fault.
OPS = collections.defaultdict(lambda: 10, {"symlink": 1, "link": 1})
SMALLER = ["--chdir-dirs", 256, "--exec-max", 64]
# These do not end by themselves.
TIMED = "inode-flags sem sigio procfs"


class Python(Case):
    def outcomes(self, way, modules):
        """How often each test came to what; the same name may be there more than once."""
        folder = idw.stage.fresh()
        argv = [PYTHON, "-m", "test", "--timeout", "120", "--junit-xml", folder / "results.xml"]
        argv += [f"test_{name}" for name in modules]
        result = run(WAYS[way](argv), idw.ORDINARY, stdin=None, timeout=1200,
                     env={**os.environ, "HOME": str(folder), "TMPDIR": str(folder)})
        self.assertTrue((folder / "results.xml").exists(), (result.out + result.err)[-2000:])
        cases = xml.etree.ElementTree.parse(folder / "results.xml").iter("testcase")
        kinds = ("skipped", "failure", "error")
        found = collections.Counter(
            (case.get("name"), next((child.tag for child in case if child.tag in kinds), "ok")) for case in cases)
        return result.status, found

    def test_its_tests_come_to_the_same(self):
        modules = MODULES + (MORE_MODULES if LONG else [])
        status, bare = self.outcomes("bare", modules)
        other_status, other = self.outcomes("wrapped", modules)
        self.assertGreater(sum(n for (_, outcome), n in bare.items() if outcome == "ok"), 50 * len(MODULES))
        self.assertEqual((bare - other, other - bare), (collections.Counter(), collections.Counter()))
        self.assertEqual(status, other_status)


class StressNg(Case):
    def stress(self, way, options):
        argv = ["stress-ng", "--verify", "--timeout", 120, "--temp-path", idw.stage.fresh(), *options]
        result = run(WAYS[way](argv), idw.ORDINARY, stdin=None, timeout=600)
        text = (result.out + result.err).decode(errors="replace")
        self.assertNotRegex(text, r"stress-ng: fail:|unrecognized option", f"{way} {options}")
        skipped = re.findall(r"(?m)info:.* skipped: +(\d+.*)$", text)
        return result.status, skipped

    def compare(self, options):
        bare = self.stress("bare", options)
        self.assertEqual(bare[0], 0)
        self.assertEqual(bare, self.stress("wrapped", options))

    def test_its_stressors_find_no_fault(self):
        for group, names in STRESSORS.items():
            with self.subTest(group=group):
                work = [(f"--{name}", 1, f"--{name}-ops", OPS[name] * (10 if LONG else 1)) for name in names.split()]
                self.compare(SMALLER + [word for words in work for word in words])

    def test_its_stressors_that_know_only_time_find_no_fault(self):
        self.compare(["--timeout", 10 if LONG else 2] + [word for name in TIMED.split() for word in (f"--{name}", 1)])


class Build(Case):
    def built(self, way):
        """The digest of a wrapc that was built from our own sources."""
        folder = idw.stage.fresh() / "build"
        script = 'meson setup "$1" "$2" >/dev/null && ninja -C "$1" -j2 wrapc >/dev/null'
        result = run(WAYS[way](["sh", "-c", script, "sh", folder, idw.ROOT]), stdin=None, timeout=600)
        self.assertEqual(result.status, 0, (result.out + result.err)[-2000:])
        digest = hashlib.sha256((folder / "wrapc").read_bytes()).hexdigest()
        shutil.rmtree(folder)
        return digest

    def test_a_program_that_was_built_wrapped_is_the_same(self):
        self.assertEqual(self.built("bare"), self.built("wrapped"))


if __name__ == "__main__":
    idw.main()
