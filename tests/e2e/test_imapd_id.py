#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""wrappers/imapd_id.wr: what it takes for a violation, each beside its benign twin."""

import os
import pathlib

import idw
from idw import Case, program, run_audited

EPERM_LINE = " = EPERM"


class Imapd(Case):
    def play(self, *ops, user=None):
        """fsplay's operations under imapd_id: what it said, and the violations as (rule, object)."""
        result = run_audited([program("fsplay"), *ops], ["imapd_id"], user)
        self.assertEqual(result.err, b"")
        for record in result.records:
            self.assertEqual((record["wrapper"], record["event"]), ("imapd_id", "violation"))
        violations = [(r["params"]["rule"], r["params"]["object"]) for r in result.records]
        return result.out.decode().splitlines(), violations, result

    def benign(self, *ops, user=None):
        said, violations, result = self.play(*ops, user=user)
        self.assertEqual(violations, [])
        self.assertEqual(result.status, 0, said)
        return said

    def violation(self, rule, obj, *ops, user=None, refused=True):
        """The last operation is the violation, the only one; it is refused, or it has happened."""
        said, violations, _ = self.play(*ops, user=user)
        self.assertEqual(violations, [(rule, obj)])
        if refused is not None:
            self.assertEqual(said[-1].endswith(EPERM_LINE), refused, said)

    def setUp(self):
        self.scratch = idw.stage.fresh()
        self.mine = self.scratch / "mine"
        self.mine.write_text("x\n")
        self.mine.chmod(0o644)
        if idw.IS_ROOT:
            os.chown(self.mine, idw.ORDINARY_ID, idw.ORDINARY_ID)


class Chmod(Imapd):
    user = idw.ORDINARY

    def test_of_a_file_not_created_here(self):
        self.violation("chmod", "mine", "chmod", "mine", "600", user=self.user)
        self.assertEqual(self.mine.stat().st_mode & 0o777, 0o644, "it was refused")

    def test_of_a_created_file(self):
        said = self.benign("creat", "new", "chmod", "new", "600", "mode", "new", user=self.user)
        self.assertIn("mode new 600", said)

    def test_by_the_other_names_of_the_call(self):
        self.violation("chmod", "mine", "fchmodat", str(self.scratch), "mine", "600", user=self.user)
        self.benign("creat", "new", "fchmodat", str(self.scratch), "new", "600", user=self.user)

    def test_by_other_names_of_the_file(self):
        self.benign("creat", "new", "link", "new", "other", "rename", "new", "newer", "chmod", "other", "600",
                    "symlink", "newer", "way", "chmod", "way", "640", "mkdir", "d", "chdir", "d",
                    "chmod", "../newer", "600", "chmod", f"{self.scratch}/newer", "600", user=self.user)

    def test_of_what_a_symbolic_link_of_ours_leads_to(self):
        self.violation("chmod", "way", "symlink", str(self.mine), "way", "chmod", "way", "600", user=self.user)

    def test_of_a_file_put_in_the_place_of_a_created_one(self):
        self.violation("chmod", "new", "creat", "new", "rename", "mine", "new", "chmod", "new", "600", user=self.user)

    def test_every_way_to_create(self):
        for create in (["creat", "new"], ["creat-call", "new"], ["creat-excl", "new"], ["mkdir", "new"]):
            with self.subTest(create=create):
                idw.stage.fresh()
                self.benign(*create, "chmod", "new", "700", user=self.user)

    def test_opening_an_existing_file_is_no_creation(self):
        self.violation("chmod", "mine", "creat", "mine", "chmod", "mine", "600", user=self.user)

    def test_failed_creation_is_no_creation(self):
        said, violations, _ = self.play("creat-excl", "mine", "chmod", "mine", "600", user=self.user)
        self.assertEqual(said, ["creat-excl mine = EEXIST", "chmod mine 600 = EPERM"])
        self.assertEqual(violations, [("chmod", "mine")])

    def test_of_nothing(self):
        said, violations, _ = self.play("chmod", "nothing", "600", "chmod", "mine/below", "600", user=self.user)
        self.assertEqual(violations, [])
        self.assertEqual(said, ["chmod nothing 600 = ENOENT", "chmod mine/below 600 = ENOTDIR"])

    def test_after_the_file_was_removed(self):
        said, violations, _ = self.play("creat", "new", "unlink", "new", "chmod", "new", "600", user=self.user)
        self.assertEqual((said[-1], violations), ("chmod new 600 = ENOENT", []))


class Fchmod(Imapd):
    user = idw.ORDINARY

    def test_of_a_file_not_created_here(self):
        said, violations, _ = self.play("open-wo", "mine", "fchmod", "600", user=self.user)
        self.assertEqual([rule for rule, _ in violations], ["fchmod"])
        self.assertEqual(said[-1], "fchmod 600 = EPERM")

    def test_of_a_created_file(self):
        self.benign("creat", "new", "fchmod", "600", user=self.user)

    def test_of_a_created_file_opened_again(self):
        self.benign("creat", "new", "open-ro", "new", "fchmod", "600", user=self.user)

    def test_of_a_removed_file(self):
        self.benign("creat", "new", "unlink", "new", "fchmod", "600", user=self.user)

    def test_of_no_descriptor(self):
        said, violations, _ = self.play("fchmod", "600", user=self.user)
        self.assertEqual((said, violations), (["fchmod 600 = EBADF"], []))


class Executions(Imapd):
    """What one process of an execution created, its children know; what a child creates is its own."""

    user = idw.ORDINARY

    def test_created_before_a_fork(self):
        self.benign("creat", "new", "fork", "chmod", "new", "600", user=self.user)

    def test_created_before_two_forks(self):
        self.benign("creat", "new", "fork", "creat", "more", "fork", "chmod", "new", "600", "chmod", "more", "600",
                    user=self.user)

    def test_not_created_also_after_a_fork(self):
        self.violation("chmod", "mine", "creat", "new", "fork", "chmod", "mine", "600", user=self.user, refused=None)

    def test_created_by_a_thread(self):
        self.benign("thread", "creat", "new", "thread", "chmod", "new", "600", user=self.user)

    def test_created_by_the_child_after_the_fork(self):
        self.violation("chmod", "new", "child", "creat", "new", "end", "chmod", "new", "600", user=self.user)

    def test_in_parent_and_child(self):
        self.benign("creat", "a", "child", "chmod", "a", "600", "creat", "b", "chmod", "b", "600", "end",
                    "chmod", "a", "640", user=self.user)

    def test_created_by_another_run(self):
        self.benign("creat", "new", user=self.user)
        self.violation("chmod", "new", "chmod", "new", "600", user=self.user)


class Open(Imapd):
    def test_files_for_everybody(self):
        for user in idw.USERS:
            said = self.benign("open-ro", "/etc/passwd", "read", "open-old", "/etc/passwd", "openat2-ro", "/etc/passwd",
                               "open-ro", "/etc", "open-ro", "/dev/null", "open-ro", "/proc/self/status", user=user)
            self.assertRegex(said[1], r"\Adata root:")

    def test_own_private_files(self):
        self.mine.chmod(0o600)
        self.benign("open-ro", "mine", user=idw.ORDINARY)

    def test_created_private_files(self):
        self.benign("creat-excl", "new", "open-ro", "new", user=idw.ORDINARY)

    def test_not_opened(self):
        said, violations, _ = self.play("open-ro", "nothing", "open-ro", "/etc/shadow", user=idw.ORDINARY)
        self.assertEqual(said, ["open-ro nothing = ENOENT", "open-ro /etc/shadow = EACCES"])
        self.assertEqual(violations, [], "a file that could not be opened was not read")


class Execve(Imapd):
    def test_refused(self):
        for user in idw.USERS:
            with self.subTest(user=user):
                self.violation("execve", "/bin/true", "execve", "/bin/true", user=user)

    def test_of_nothing(self):
        self.violation("execve", "/no/such/program", "execve", "/no/such/program")

    def test_in_a_child(self):
        said, violations, result = self.play("say", "start", "child", "execve", "/bin/true", "end", "say", "end")
        self.assertEqual(violations, [("execve", "/bin/true")])
        pids = {record["subject"]["pid"] for record in result.records}
        self.assertEqual(len(pids), 1)

    def test_what_the_record_says(self):
        result = run_audited([program("fsplay"), "execve", "/bin/sh"], ["imapd_id"])
        (record,) = result.records
        self.assertEqual(record["verdict"], "deny EPERM")
        self.assertEqual(record["call"]["name"], "execve")
        self.assertEqual(record["call"]["args"]["path"], "/bin/sh")
        self.assertEqual(record["subject"]["program"], "fsplay")
        self.assertEqual(record["subject"]["exe"], program("fsplay"))
        self.assertEqual(record["subject"]["uid"], os.geteuid())
        self.assertRegex(record["time"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")
        self.assertEqual(record["host"], os.uname().nodename)


if idw.IS_ROOT:
    class OpenAsRoot(Imapd):
        """root may read everything, so that only the wrapper notices."""

        def setUp(self):
            super().setUp()
            self.private = self.scratch / "private"
            self.private.write_text("secret\n")
            self.private.chmod(0o600)
            os.chown(self.private, 12345, 12345)

        def test_another_users_private_file(self):
            for op in ("open-ro", "open-old", "openat2-ro"):
                with self.subTest(op=op):
                    self.violation("open-read", "private", op, "private", refused=False)

        def test_another_users_file_for_everybody(self):
            self.private.chmod(0o644)
            self.benign("open-ro", "private")

        def test_another_users_private_folder(self):
            folder = self.scratch / "folder"
            folder.mkdir(mode=0o700)
            os.chown(folder, 12345, 12345)
            self.violation("open-read", "folder", "open-ro", "folder", refused=False)

        def test_of_root_itself(self):
            (self.scratch / "own").write_text("x")
            (self.scratch / "own").chmod(0o600)
            self.benign("open-ro", "own")

        def test_through_another_name(self):
            (self.scratch / "way").symlink_to("private")
            self.violation("open-read", "way", "open-ro", "way", refused=False)

        def test_opened_for_reading_and_writing_is_not_looked_at(self):
            self.benign("open-rw", "private")

        def test_after_setuid_the_users_own_file(self):
            os.chown(self.mine, idw.ORDINARY_ID, idw.ORDINARY_ID)
            self.mine.chmod(0o600)
            self.benign("setuid", str(idw.ORDINARY_ID), "open-ro", "mine")

        def test_chmod_of_anothers_file(self):
            self.violation("chmod", "private", "chmod", "private", "644")
            self.assertEqual(self.private.stat().st_mode & 0o777, 0o600)

        def test_in_a_chroot(self):
            """The path means what it means to the subject."""
            jail = self.scratch / "jail"
            (jail / "etc").mkdir(parents=True)
            (jail / "etc/passwd").write_text("inside\n")
            os.chown(jail / "etc/passwd", 12345, 12345)
            (jail / "etc/passwd").chmod(0o600)
            script = (f"import os; os.chroot({str(jail)!r}); os.chdir('/')\n"
                      "os.open('/etc/passwd', os.O_RDONLY)\n"
                      "try: os.chmod('/etc/passwd', 0o644)\n"
                      "except OSError as e: print(e.errno)\n")
            result = run_audited(["python3", "-S", "-c", script], ["imapd_id"])
            said = [(r["params"]["rule"], r["params"]["object"]) for r in result.records]
            self.assertEqual(said, [("open-read", "/etc/passwd"), ("chmod", "/etc/passwd")])
            self.assertEqual(result.out, b"1\n")
            self.assertEqual(pathlib.Path(jail, "etc/passwd").stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    idw.main()
