#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""On a terminal: job control from outside and inside, keys, window size, hangup: the same as bare."""

import shlex
import signal
import time

import idw
from idw import Case, Terminal, program

PROMPT = rb"\$ $"
BASH = ["bash", "--norc", "--noprofile", "-i"]
C_C, C_D, C_Z, C_BACKSLASH = b"\x03", b"\x04", b"\x1a", b"\x1c"


class UnderAShell(Case):
    """idwrun as a job of an interactive shell. A script is what is typed and what must come then."""

    def play(self, argv, script, users=(None,)):
        for user in users:
            for way in self.ways(argv, user):
                with way as line:
                    with Terminal(BASH, user) as terminal:
                        terminal.expect(PROMPT)
                        for typed, expected in script:
                            if isinstance(typed, (int, float)):
                                time.sleep(typed)
                                continue
                            terminal.send(typed.replace(b"CMD", shlex.join(line).encode()))
                            terminal.expect(expected)
                        terminal.send(b"exit 42\n")
                        self.assertIn(terminal.wait(), (42, 1))

    def test_interrupt(self):
        self.play(["sleep", "60"], [
            (b"echo start; CMD\n", rb"\nstart\r\n"), (0.6, b""), (C_C, PROMPT),
            (b"echo status=$?\n", rb"status=130\r\n(.|\n)*\$ $")], idw.USERS)

    def test_quit(self):
        self.play(["sleep", "60"], [
            (b"ulimit -c 0; echo start; CMD\n", rb"\nstart\r\n"), (0.6, b""), (C_BACKSLASH, PROMPT),
            (b"echo status=$?\n", rb"status=131\r\n(.|\n)*\$ $")])

    def test_stop_and_foreground(self):
        self.play(["sleep", "60"], [
            (b"echo start; CMD\n", rb"\nstart\r\n"), (0.6, b""), (C_Z, rb"Stopped(.|\n)*\$ $"),
            (b"jobs\n", rb"Stopped(.|\n)*\$ $"), (b"fg\n", rb"sleep"), (0.4, b""),
            (C_Z, rb"Stopped(.|\n)*\$ $"), (b"fg\n", rb"sleep"), (0.4, b""), (C_C, PROMPT),
            (b"echo status=$?\n", rb"status=130\r\n(.|\n)*\$ $")], idw.USERS)

    def test_stop_and_background(self):
        self.play(["sleep", "60"], [
            (b"echo start; CMD\n", rb"\nstart\r\n"), (0.6, b""), (C_Z, rb"Stopped(.|\n)*\$ $"),
            (b"bg\n", rb"sleep(.|\n)*\$ $"), (b"sleep 0.3; jobs\n", rb"Running(.|\n)*\$ $"),
            (b"kill %1; wait %1; echo status=$?\n", rb"status=143\r\n(.|\n)*\$ $")])

    def test_kill_stop(self):
        self.play(["sleep", "60"], [
            (b"CMD &\n", PROMPT), (b"sleep 0.5; kill -STOP %1; sleep 0.3; jobs\n", rb"Stopped(.|\n)*\$ $"),
            (b"kill -CONT %1; sleep 0.3; jobs\n", rb"Running(.|\n)*\$ $"),
            (b"kill -TSTP %1; sleep 0.3; jobs\n", rb"Stopped(.|\n)*\$ $"),
            (b"fg\n", rb"sleep"), (0.4, b""), (C_C, PROMPT),
            (b"echo status=$?\n", rb"status=130\r\n(.|\n)*\$ $")])

    def test_output_of_the_background_with_tostop(self):
        self.play(["sh", "-c", "sleep 0.3; echo from-behind"], [
            (b"stty tostop\n", PROMPT), (b"CMD &\n", PROMPT), (b"sleep 1; jobs\n", rb"Stopped(.|\n)*\$ $"),
            (b"fg\n", rb"\r\nfrom-behind\r\n(.|\n)*\$ $")])

    def test_input_of_the_background(self):
        self.play(["cat"], [
            (b"CMD &\n", PROMPT), (b"sleep 0.6; jobs\n", rb"Stopped(.|\n)*\$ $"),
            (b"fg\n", rb"cat"), (0.4, b""), (b"line\n", rb"line\r\nline\r\n"), (C_D, PROMPT),
            (b"echo status=$?\n", rb"status=0\r\n(.|\n)*\$ $")])

    def test_program_that_ignores_tstp(self):
        self.play([program("sigplay"), "ignore-tstp"], [
            (b"CMD\n", rb"\nready\r\n"), (C_Z, rb"\^Z"), (0.5, b""), (b"x\n", rb"\nline\r\n(.|\n)*\$ $"),
            (b"echo status=$?\n", rb"status=0\r\n(.|\n)*\$ $")])

    def test_program_that_catches_tstp(self):
        """It tidies up, then stops itself; its shell must see that."""
        self.play([program("sigplay"), "catch-tstp"], [
            (b"CMD\n", rb"\nready\r\n"), (C_Z, rb"tidy\r\n(.|\n)*Stopped(.|\n)*\$ $"), (b"fg\n", rb"\nback\r\n"),
            (C_Z, rb"tidy\r\n(.|\n)*Stopped(.|\n)*\$ $"), (b"fg\n", rb"\nback\r\n"), (C_C, PROMPT),
            (b"echo status=$?\n", rb"status=130\r\n(.|\n)*\$ $")])

    def test_in_a_pipeline(self):
        self.play(["cat"], [
            (b"echo start; CMD | cat\n", rb"\nstart\r\n"), (0.6, b""), (b"one\n", rb"one\r\none\r\n"),
            (C_Z, rb"Stopped(.|\n)*\$ $"), (b"fg\n", rb"cat"), (0.3, b""), (b"two\n", rb"two\r\ntwo\r\n"),
            (C_D, PROMPT), (b"echo ${PIPESTATUS[@]}\n", rb"0(.|\n)*\$ $")])

    def test_interrupt_ends_the_shells_loop(self):
        """Because idwrun dies of SIGINT itself, not with status 130."""
        self.play(["sleep", "60"], [
            (b"for i in 1 2 3; do echo round $i; CMD; done\n", rb"\nround 1\r\n"), (0.6, b""), (C_C, PROMPT),
            (b"echo status=$?\n", rb"status=130\r\n(.|\n)*\$ $")])

    def test_what_it_inherits(self):
        self.play([program("showself")], [(b"CMD\n", rb"foreground: 1\r\n(.|\n)*\$ $")], idw.USERS)

    def test_echo_off(self):
        self.play(["sh", "-c", "stty -echo; echo ready; read x; stty echo; echo \"got $x\""], [
            (b"CMD\n", rb"\nready\r\n"), (b"secret\n", rb"\Agot secret\r\n(.|\n)*\$ $")])

    def test_job_control_shell_inside(self):
        self.play(BASH, [
            (b"PS1='in> '; export PS1; CMD\n", rb"in> $"), (b"sleep 60\n", rb"sleep 60\r\n"), (0.4, b""),
            (C_Z, rb"Stopped(.|\n)*in> $"), (b"bg\n", rb"in> $"), (b"jobs\n", rb"Running(.|\n)*in> $"),
            (b"fg\n", rb"sleep 60\r\n"), (0.3, b""), (C_C, rb"in> $"),
            (b"echo status=$?\n", rb"status=130\r\n(.|\n)*in> $"),
            (b"cat &\n", rb"in> $"), (b"sleep 0.3; jobs\n", rb"Stopped(.|\n)*in> $"),
            (b"kill %1; kill -CONT %1; wait; exit 5\n", rb"in> $"),
            (b"echo status=$?; PS1='$ '\n", rb"status=5\r\n(.|\n)*\$ $")], idw.USERS)

    def test_suspended_shell_inside(self):
        """`suspend` in an inner shell gives the terminal back to the outer one."""
        self.play(BASH, [
            (b"export DEEP=1; CMD\n", PROMPT), (b"suspend\n", rb"Stopped(.|\n)*\$ $"),
            (b"jobs; echo outer $$\n", rb"outer(.|\n)*\$ $"), (b"fg\n", PROMPT), (b"exit 6\n", rb"exit(.|\n)*\$ $"),
            (b"echo status=$?\n", rb"status=6\r\n(.|\n)*\$ $")])

    def test_set_m_without_a_terminal_of_its_own(self):
        inner = "set -m; sleep 60 & sleep 0.2; kill -STOP %1; sleep 0.3; jobs; kill %1; kill -CONT %1; wait; echo over"
        self.play(["bash", "-c", inner], [(b"CMD\n", rb"Stopped(.|\n)*over\r\n(.|\n)*\$ $")])


class Alone(Case):
    """idwrun as the leader of the terminal's session."""

    def test_keys_arrive_once(self):
        for way in self.ways([program("sigplay"), "count"]):
            with way as line:
                with Terminal(line) as terminal:
                    terminal.expect(rb"ready\r\n")
                    for key, signum in ((C_C, 2), (C_BACKSLASH, 3), (C_C, 2)):
                        terminal.send(key)
                        seen = terminal.expect(b"got %02d\r\n" % signum) + terminal.rest(0.3)
                        self.assertEqual(seen.count(b"got"), 1, seen)
                    terminal.send(C_D)
                    terminal.expect(rb"end\r\n")
                    self.assertEqual(terminal.wait(), 0)

    def test_window_size(self):
        loop = "echo ready; while :; do sleep 0.1; done"
        for user in idw.USERS:
            for way in self.ways(["bash", "-c", f"trap 'stty size' WINCH; {loop}"], user):
                with way as line:
                    with Terminal(line, user) as terminal:
                        terminal.expect(rb"ready\r\n")
                        terminal.resize(33, 77)
                        seen = terminal.expect(rb"33 77\r\n") + terminal.rest(0.5)
                        self.assertEqual(seen.count(b"33 77"), 1, seen)

    def test_hangup(self):
        for way in self.ways(["sleep", "60"]):
            with way as line:
                with Terminal(line) as terminal:
                    terminal.rest(0.5)
                    terminal.hang_up()
                    self.assertEqual(terminal.wait(), -signal.SIGHUP)
                    self.assertTrue(idw.wait_until(lambda: not idw.session(terminal.pid), 5), "all of it has gone")

    def test_hangup_while_it_reads(self):
        """
        Only the session's leader gets SIGHUP from the kernel, so that the end of the terminal's input may come before
        the signal that idwrun forwards. It ends, one way or the other.
        """
        for way in self.ways(["cat"]):
            with way as line:
                with Terminal(line) as terminal:
                    terminal.send(b"line\n")
                    terminal.expect(rb"line\r\nline\r\n")
                    terminal.hang_up()
                    self.assertIn(terminal.wait(), (-signal.SIGHUP, 0, 1))
                    self.assertTrue(idw.wait_until(lambda: not idw.session(terminal.pid), 5), "all of it has gone")

    def test_interactive_shell_as_session_leader(self):
        for user in idw.USERS:
            for way in self.ways(BASH, user):
                with way as line:
                    with Terminal(line, user) as terminal:
                        seen = terminal.expect(PROMPT)
                        self.assertNotIn(b"job control", seen)
                        terminal.send(b"sleep 60\n")
                        terminal.expect(rb"sleep 60\r\n")
                        time.sleep(0.4)
                        terminal.send(C_Z)
                        terminal.expect(rb"Stopped(.|\n)*\$ $")
                        terminal.send(b"fg\n")
                        terminal.expect(rb"sleep 60\r\n")
                        time.sleep(0.3)
                        terminal.send(C_C)
                        terminal.expect(PROMPT)
                        terminal.send(b"exit 9\n")
                        self.assertEqual(terminal.wait(), 9)

    def test_terminal_settings_are_left_as_the_program_left_them(self):
        outer = 'a=$("$@"); [ "$a" = "$(stty -g)" ] && echo same; stty sane'
        for way in self.ways(["sh", "-c", "stty -echo -icanon min 3; stty -g"]):
            with way as line:
                with Terminal(["sh", "-c", outer, "sh", *line]) as terminal:
                    terminal.expect(rb"same\r\n")
                    self.assertEqual(terminal.wait(), 0)


if __name__ == "__main__":
    idw.main()
