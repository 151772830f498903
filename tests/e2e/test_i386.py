#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""i386 calls (int $0x80): what a wrapper forbids is forbidden to them too, what it doesn't works as bare.

Skipped where the kernel has none (CONFIG_IA32_EMULATION, ia32_emulation=off): int $0x80 is a fault there.
"""

import json
import os
import shutil
import unittest

import idw
from idw import Case, program, run, wrapped

# The way; what it gets with a file of that name; the records: the call as it is named, and what the wrapper saw.
FORBIDDEN = [
    ("open", "x.secret", b"EPERM", ("open", "PATH")),
    ("openat", "x.secret", b"EPERM", ("openat", "PATH")),
    ("openat2", "x.secret", b"EPERM", ("openat2", "PATH")),
    ("creat", "x.secret", b"EPERM", ("creat", "PATH")),
    ("execve", "x.secret", b"EPERM", ("execve", "PATH")),
    ("chown", "x.secret", b"EPERM", ("chown", 1)),
    ("truncate64", "x.secret", b"EFBIG", ("truncate64", 0x100000005)),
    ("bind", "new.secret", b"EACCES", ("bind", "unix:PATH")),
    ("socketcall", "new.secret", b"EACCES", ("bind", "unix:PATH")),
    ("ipc", "x.secret", b"ENOSPC", ("semget", 1)),
    ("old-mmap", "x.secret", b"ENODEV", ("mmap2", 0)),
    ("nobodys", "x.secret", b"ENOSYS", None),
    ("beyond", "x.secret", b"ENOSYS", None),
]
ALLOWED = [("open", "x.public"), ("openat", "x.public"), ("openat2", "x.public"), ("creat", "x.public"),
           ("stat64", "x.secret"), ("chown", "x.public"), ("execve", "x.public"), ("bind", "new.public"),
           ("socketcall", "new.public")]


def supported():
    return run([program("i386play"), "open", "/dev/null"]).out == b"open: done\n"


class I386(Case):
    def setUp(self):
        if not supported():
            self.skipTest("this kernel has no i386 calls")
        self.folder = idw.stage.fresh()

    def file(self, name, user):
        for old in self.folder.iterdir():
            old.unlink()
        path = self.folder / name
        if not name.startswith("new"):
            shutil.copy("/bin/true", path)
            path.chmod(0o777)
            if user is not None:
                os.chown(path, idw.ORDINARY_ID, idw.ORDINARY_ID)
        return path

    def play(self, way, name, user):
        """What the way prints under the wrapper, and the records of it."""
        log = idw.stage.top / "i386.log"
        log.unlink(missing_ok=True)
        log.touch(mode=0o666)
        log.chmod(0o666)
        path = self.file(name, user)
        result = run(wrapped([program("i386play"), way, path], ["i386_rules"], audit=log), user)
        return path, result, [json.loads(line) for line in log.read_text().splitlines()]

    def test_forbidden(self):
        for user in idw.USERS:
            for way, name, answer, seen in FORBIDDEN:
                with self.subTest(way=way, user=user):
                    path, result, records = self.play(way, name, user)
                    self.assertEqual(result.out, way.encode() + b": " + answer + b"\n", result)
                    self.assertFalse(name.startswith("new") and path.exists())
                    if seen is not None:
                        call, what = seen
                        what = what.replace("PATH", str(path)) if isinstance(what, str) else what
                        self.assertIn((call, what), [self.values(record) for record in records], records)

    @staticmethod
    def values(record):
        params = record.get("params", {})
        return (params.get("call"), params.get("what", params.get("value")))

    def test_allowed(self):
        for user in idw.USERS:
            for way, name in ALLOWED:
                with self.subTest(way=way, user=user):
                    bare = run([program("i386play"), way, self.file(name, user)], user)
                    self.assertEqual(bare.out, way.encode() + b": done\n", bare)
                    path, result, _ = self.play(way, name, user)
                    self.assertEqual(result.out, bare.out, result)
                    self.assertTrue(path.exists())

    def test_what_no_clause_is_about(self):
        """The same ways under a wrapper that looks at none of these calls."""
        for way, name in [*ALLOWED, ("ipc", "x.secret"), ("old-mmap", "x.secret"), ("truncate64", "x.public")]:
            with self.subTest(way=way):
                path = self.file(name, None)
                result = run(wrapped([program("i386play"), way, path], ["layer_a"]))
                self.assertEqual(result.out, way.encode() + b": done\n", result)


if __name__ == "__main__":
    idw.main()
