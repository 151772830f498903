#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""imapd_id around a real daemon, Debian's dovecot, and around the stand-in with the flaw of 1997."""

import os
import subprocess
import sys

import idw
from idw import Case, program, run, wrapped

SCRIPTS = idw.ROOT / "scripts"
IMAP = "/usr/lib/dovecot/imap"


class Sessions(Case):
    def session(self, who):
        """All the commands of scripts/imap-session, bare and wrapped: the same bytes, the same status, no violation."""
        audit = idw.audit_file("ordinary" if who == "user" and idw.IS_ROOT else None)
        wrap = f"{idw.stage.idwrun} --wrap {idw.stage.wrapper('imapd_id')} --audit {audit}"
        result = subprocess.run([sys.executable, SCRIPTS / "imap-session", "--compare", "--as", who, "--wrap", wrap,
                                 "--audit", audit], capture_output=True, timeout=100, check=False)
        self.assertEqual(result.returncode, 0, result)
        self.assertIn(b"bare and wrapped transcripts are the same", result.stdout + result.stderr)

    def test_as_a_user(self):
        self.session("user")

    if idw.IS_ROOT:
        def test_as_root(self):
            self.session("root")


class ByHand(Case):
    """`imap -c FILE` executes doveconf, which executes imap again: its way to start, and no violation."""

    def setUp(self):
        self.user = idw.ORDINARY
        self.home = idw.stage.fresh() / "home"
        self.home.mkdir()
        self.home.chmod(0o777)
        self.conf = idw.stage.scratch / "d.conf"
        self.conf.write_text(f"mail_location=maildir:~/Maildir\nlog_path=/dev/stderr\nssl=no\nbase_dir={self.home}/b\n"
                             f"state_dir={self.home}/s\n")
        self.conf.chmod(0o644)
        self.env = {"HOME": str(self.home), "USER": "nobody", "LOG_STDERR": "1", "PATH": os.environ["PATH"]}

    def play(self, argv, said, wrap=True):
        audit = idw.audit_file(self.user)
        line = wrapped(argv, ["imapd_id"], audit) if wrap else argv
        return run(line, self.user, stdin=said, env=self.env), idw.records(audit)

    def test_a_session(self):
        said = b"a SELECT INBOX\r\nb LOGOUT\r\n"
        bare, _ = self.play([IMAP, "-c", self.conf], said, wrap=False)
        result, records = self.play([IMAP, "-c", self.conf], said)
        self.assertEqual(records, [])
        self.assertEqual((result.status, bare.status), (0, 0), result)
        self.assertIn(b"b OK Logout", result.out)

    def test_another_configuration_program(self):
        """The twin: that exec is for dovecot's imap alone."""
        result, records = self.play(["env", "/usr/bin/doveconf", "-n"], b"")
        self.assertEqual([r["params"] for r in records], [{"rule": "execve", "object": "/usr/bin/doveconf"}])
        self.assertNotEqual(result.status, 0)

    def test_doveconf_executes_nothing_else(self):
        """doveconf -e executes what it is told to; only imap may be it, and only when imap had begun it."""
        result, records = self.play(["/usr/bin/doveconf", "-c", self.conf, "-e", "/bin/echo", "ran"], b"")
        self.assertEqual([r["params"] for r in records], [{"rule": "execve", "object": "/bin/echo"}])
        self.assertNotIn(b"ran", result.out)


class Attack(Case):
    def test_replay(self):
        """Bare a shell; wrapped EPERM, one record, no shell; the honest session the same both ways."""
        result = subprocess.run([sys.executable, SCRIPTS / "replay/imapd", "--idwrun", idw.stage.built_idwrun,
                                 "--standin", program("imapd_standin")], capture_output=True, timeout=100, check=False)
        self.assertEqual(result.returncode, 0, result)
        self.assertEqual(result.stdout.count(b"as it should be"), 5, result)


if __name__ == "__main__":
    idw.main()
