#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Targets that try to get past a wrapper. Each way opens the file bare, so that it is known to be one."""

import os
import pathlib

import idw
from idw import Case, program, run, wrapped

# The way, and what it gets under the wrapper. Bare all but the last four open the file.
REFUSED = {
    "plain": b"EPERM", "own-tracer": b"EPERM", "own-listener": b"EPERM", "undumpable": b"EPERM",
    "openat2": b"EPERM", "open": b"EPERM", "shared-memory": b"EPERM", "secret-memory": b"EFAULT",
    "i386": b"EPERM", "x32": b"ENOSYS", "number-beyond": b"ENOSYS",
}
OF_THE_MACHINE = {"secret-memory", "i386", "x32", "number-beyond"}


class Around(Case):
    def setUp(self):
        self.file = idw.stage.fresh() / "a.secret"
        self.file.write_text("secret\n")
        self.file.chmod(0o644)

    def test_each_way(self):
        for user in idw.USERS:
            for way, answer in REFUSED.items():
                with self.subTest(way=way, user=user):
                    bare = run([program("hostile"), way, self.file], user)
                    if way not in OF_THE_MACHINE:
                        self.assertEqual(bare.out, f"{way}: opened\n".encode(), bare)
                    result = run(wrapped([program("hostile"), way, self.file], ["no_secret"]), user)
                    self.assertEqual(result.status, 0, result)
                    # On a kernel without memfd_secret(2) its way is the plain one.
                    wanted = [answer, b"EPERM"] if way == "secret-memory" else [answer]
                    self.assertIn(result.out, [f"{way}: ".encode() + name + b"\n" for name in wanted], result)

    def test_what_the_wrapper_does_not_forbid(self):
        """The twin: the same ways to a file that nobody minds."""
        other = self.file.with_name("b.public")
        other.write_text("public\n")
        other.chmod(0o644)
        for way in ("plain", "own-listener", "openat2", "open", "shared-memory"):
            with self.subTest(way=way):
                result = run(wrapped([program("hostile"), way, other], ["no_secret"]))
                self.assertEqual(result.out, f"{way}: opened\n".encode(), result)

    def test_a_wrapper_that_crashes(self):
        """The call that it was asked about has not run, and the program and its status are not lost."""
        for user in idw.USERS:
            with self.subTest(user=user):
                result = run(wrapped([program("hostile"), "plain", self.file], ["crashes"]), user)
                self.assertEqual(result.out, b"plain: ENOSYS\n", result)
                self.assertEqual(result.status, 0, result)
                self.assertIn(b"the engine ended by signal 6", result.err)


class ImapdId(Case):
    def test_a_handle_creates_nothing(self):
        """O_PATH makes the kernel forget O_CREAT and O_EXCL: the file was there, so its mode may not be changed."""
        for user in idw.USERS:
            with self.subTest(user=user):
                file = idw.stage.fresh() / "theirs"
                file.write_text("x")
                file.chmod(0o666)
                if user is not None:
                    os.chown(file, idw.ORDINARY_ID, idw.ORDINARY_ID)
                flags = str(os.O_PATH | os.O_CREAT | os.O_EXCL)
                line = ["python3", "-c", "import os,sys; f=sys.argv[1]; os.open(f, int(sys.argv[2])); os.chmod(f, 0o600)",
                        file, flags]
                result = run(wrapped(line, ["imapd_id"]), user)
                self.assertIn(b"PermissionError", result.err, result)
                self.assertEqual(pathlib.Path(file).stat().st_mode & 0o777, 0o666)


if __name__ == "__main__":
    idw.main()
