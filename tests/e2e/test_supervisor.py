#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""idwrun itself: before its program runs, when its engine is gone, when descriptors are few, when it has been moved."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import idw
from idw import Case, program, run, wrapped

SOURCE = "#include <idw/wdl.h>\nwrapper w {\n sys::op{ open && $path ~ \"*.secret\" } pre { deny EACCES; }\n}\n"


def engine_of(pid):
    """The guardian's child that has threads."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if len(os.listdir(f"/proc/{child}/task")) > 1:
                return int(child)
    return None


class BeforeTheLaunch(Case):
    def test_a_signal_ends_it_while_a_wrapper_compiles(self):
        folder = idw.stage.fresh()
        compiler = folder / "slow-cc"
        compiler.write_text("#!/bin/sh\necho started >&2\nsleep 30\n")
        compiler.chmod(0o755)
        (folder / "w.wr").write_text(SOURCE)
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                env = {**os.environ, "CC": str(compiler), "XDG_CACHE_HOME": str(folder / "cache")}
                process = idw.start([idw.stage.built_idwrun, "--wrap", folder / "w.wr", "--", "touch", folder / "ran"],
                                    env=env)
                try:
                    self.assertIn(b"started", process.stderr.readline())
                    process.send_signal(number)
                    self.assertEqual(process.wait(5), -number)
                finally:
                    idw.stop(process)
                self.assertFalse((folder / "ran").exists())


class WithoutItsEngine(Case):
    def start_and_kill_engine(self, argv):
        process = idw.start(wrapped(argv, ["no_secret"]))
        self.assertTrue(idw.wait_until(lambda: engine_of(process.pid)), "an engine")
        time.sleep(0.3)
        os.kill(engine_of(process.pid), signal.SIGKILL)
        return process

    def test_the_status_is_passed_on(self):
        process = self.start_and_kill_engine(["sh", "-c", "sleep 1; exit 9"])
        _, err = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 9)
        self.assertIn(b"the engine ended by signal 9", err)

    def test_signals_are_passed_on(self):
        process = self.start_and_kill_engine(["sleep", "60"])
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(10), -signal.SIGTERM)
        idw.stop(process)

    def test_what_was_forbidden_stays_so(self):
        file = idw.stage.fresh() / "a.secret"
        file.write_text("secret\n")
        process = self.start_and_kill_engine(["sh", "-c", f"sleep 1; {program('hostile')} openat2 {file}"])
        out, _ = process.communicate(timeout=10)
        self.assertNotIn(b"opened", out)


class FewDescriptors(Case):
    def test_more_processes_than_descriptors(self):
        line = ["sh", "-c", "for i in $(seq 90); do sleep 1 & done; wait; echo over"]
        for user in idw.USERS:
            with self.subTest(user=user):
                limited = ["prlimit", "--nofile=64:64", *wrapped(line, ["no_secret"])]
                result = run(limited, user, timeout=60)
                self.assertEqual((result.status, result.out), (0, b"over\n"), result)


class Moved(Case):
    def test_an_installed_tree_works_elsewhere(self):
        build = idw.stage.built_idwrun.parent
        top = idw.stage.fresh() / "tree"
        subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", top], check=True,
                       timeout=120, stdout=subprocess.DEVNULL)
        installed = next(top.rglob("bin/idwrun"))
        moved = idw.stage.scratch / "elsewhere"
        shutil.move(installed.parents[1], moved)
        moved.chmod(0o755)
        source = idw.stage.scratch / "w.wr"
        source.write_text(SOURCE)
        no_cache = idw.stage.scratch / "file"
        no_cache.write_text("")
        for user in idw.USERS:
            for name in ("imapd_id", source):
                with self.subTest(user=user, wrapper=name):
                    env = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(no_cache), "TMPDIR": str(idw.stage.scratch)}
                    result = run([moved / "bin/idwrun", "--wrap", name, "--", "echo", "ran"], user, env=env)
                    self.assertEqual((result.status, result.out), (0, b"ran\n"), result)


if __name__ == "__main__":
    idw.main()
