#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is wrong is said in one message, with file and line where there is one, and the program never starts."""

import os
import subprocess

import idw
from idw import Case, run

GOOD = """#include <idw/wdl.h>
wrapper w {
    sys::op{ openat } pre { if ($flags == -1) deny EPERM; }
}
"""
# Its third line is the body.
BODY = "wrapper w {\n    sys::op{ close } pre {\n        %s\n    }\n}\n"
ONE_LINE = rb"\Aidwrun: [^\n]+\n\Z"


class Refused(Case):
    def setUp(self):
        self.folder = idw.stage.fresh()
        self.touched = self.folder / "touched"
        self.built = str(idw.stage.built_idwrun)

    def refuse(self, *options, program=("touch", "touched"), status=125, message=ONE_LINE, user=None, **kw):
        """idwrun OPTIONS -- PROGRAM fails with @status and @message on standard error, and nothing has run."""
        for line in ([self.built, *options, "--", *program], [self.built, "--audit", "/dev/null", *options, *program]):
            result = run(line, user, **kw)
            self.assertEqual(result.status, status, result)
            self.assertEqual(result.out, b"")
            self.assertRegex(result.err, message)
            self.assertFalse(self.touched.exists(), "the program ran")
        return result.err.decode(errors="backslashreplace")

    def wrapper(self, text, name="w.wr"):
        path = self.folder / name
        path.write_text(text)
        return path


class Sources(Refused):
    """A wrapper in WDL that doesn't compile. What the compilers say comes first, then one line of idwrun's."""

    def refuse_source(self, text, line, *words):
        path = self.wrapper(text)
        said = self.refuse("--wrap", path, message=rb"(?s)\n?idwrun: [^\n]+\n\Z")
        where = [text for text in said.splitlines() if f"w.wr:{line}:" in text]
        self.assertTrue(where, f"no message for line {line} in {said}")
        for word in words:
            self.assertIn(word, "\n".join(where))
        self.assertEqual(len([text for text in said.splitlines() if text.startswith("idwrun: ")]), 1, said)
        return said

    def test_good_one(self):
        result = run([self.built, "--wrap", self.wrapper(GOOD), "--", "touch", "touched"])
        self.assertEqual(result, (0, b"", b""))
        self.assertTrue(self.touched.exists(), "these tests would see a program that runs")

    def test_unknown_call(self):
        said = self.refuse_source("wrapper w {\n    sys::op{ opeanat } pre { }\n}\n", 2, "opeanat")
        self.assertIn("openat", said, "it says what may have been meant")

    def test_name_that_the_call_has_not(self):
        self.refuse_source(BODY % "if ($path) deny EPERM;", 3, "path")

    def test_name_that_nothing_has(self):
        self.refuse_source("wrapper w {\n    sys::op{ close } pre { if ($nonsense) deny EPERM; }\n}\n", 2, "nonsense")

    def test_unterminated_body(self):
        self.refuse_source("wrapper w {\n\n    sys::op{ close } pre {\n        if (1) {\n", 3)

    def test_c_error(self):
        self.refuse_source(BODY % "int x = undeclared_thing; (void)x;", 3, "undeclared_thing")

    def test_c_syntax_error(self):
        self.refuse_source(BODY % "int = 5;", 3)

    def test_result_before_the_call(self):
        self.refuse_source(BODY % "if ($ret == 0) deny EPERM;", 3, "ret")

    def test_unknown_event(self):
        self.refuse_source(BODY % "raise nothing(1);", 3, "nothing")

    def test_wrong_number_of_values(self):
        self.refuse_source("wrapper w {\n    event e(int a);\n    sys::op{ close } pre { raise e(1, 2); }\n}\n", 3)

    def test_pointer_in_state(self):
        self.refuse_source("wrapper w {\n    process {\n        char *p;\n    }\n}\n", 3)

    def test_empty_file(self):
        self.refuse("--wrap", self.wrapper(""), message=rb"(?s)w\.wr.*\nidwrun: [^\n]+\n\Z")

    def test_binary_file(self):
        path = self.folder / "w.wr"
        path.write_bytes(bytes(range(256)) * 40)
        self.refuse("--wrap", path, message=rb"(?s)w\.wr.*\nidwrun: [^\n]+\n\Z")

    def test_wrapc_says_the_same(self):
        path = self.wrapper("wrapper w {\n    sys::op{ opeanat } pre { }\n}\n")
        result = run([idw.stage.wrapc, path, "-o", self.folder / "w.so"])
        self.assertNotEqual(result.status, 0)
        self.assertRegex(result.err, rb"w\.wr:2:.*opeanat")
        self.assertFalse((self.folder / "w.so").exists())


class Objects(Refused):
    """A shared object that isn't a wrapper of this idwrun."""

    TEMPLATE = """#include <idw/wrapper.h>
static const struct idw_wrapper w = {{.magic = {magic}, .abi = {abi}, .table = {table}, .name = "w", .source = "w.wr"}};
extern const struct idw_wrapper idw_wrapper __attribute__((alias("w")));
"""

    def build(self, text, name="w.so"):
        source, target = self.wrapper(text, "w.c"), self.folder / name
        include = ["-I", idw.ROOT / "include"]
        subprocess.run(["cc", "-shared", "-fPIC", *include, "-o", target, source], check=True, timeout=60)
        return target

    def test_other_abi(self):
        path = self.build(self.TEMPLATE.format(magic="IDW_MAGIC", abi="IDW_ABI + 1", table=0))
        said = self.refuse("--wrap", path)
        self.assertIn("w.so", said)
        self.assertRegex(said, r"(?i)abi|version")

    def test_other_table_of_calls(self):
        path = self.build(self.TEMPLATE.format(magic="IDW_MAGIC", abi="IDW_ABI", table=12345))
        self.assertRegex(self.refuse("--wrap", path), r"compile")

    def test_other_magic(self):
        path = self.build(self.TEMPLATE.format(magic=7, abi="IDW_ABI", table=0))
        self.assertIn("w.so", self.refuse("--wrap", path))

    def test_no_wrapper(self):
        path = self.build("int nothing;\n")
        self.assertIn("w.so", self.refuse("--wrap", path))

    def test_needs_what_is_not_there(self):
        """Found out when it is loaded, not when the body comes to it."""
        path = self.wrapper("#include <idw/wdl.h>\nint missing(void);\n" + BODY % "if (missing() != 0) deny EPERM;")
        said = self.refuse("--wrap", path)
        self.assertIn("missing", said)
        self.assertNotIn("does not compile", said)

    def test_no_shared_object(self):
        (self.folder / "w.so").write_text("this is text\n")
        self.assertIn("w.so", self.refuse("--wrap", self.folder / "w.so"))

    def test_cut_short(self):
        whole = idw.stage.wrapper("quiet_notify").read_bytes()
        (self.folder / "w.so").write_bytes(whole[: len(whole) // 3])
        # The dynamic linker itself dies of it, and a sanitizer has something to say about that first.
        self.refuse("--wrap", self.folder / "w.so", message=rb"(?s)idwrun: [^\n]+\n\Z")

    def test_one_of_several(self):
        (self.folder / "w.so").write_text("this is text\n")
        self.refuse("--wrap", idw.stage.wrapper("quiet_notify"), "--wrap", self.folder / "w.so")


class CommandLine(Refused):
    def test_wrapper_not_found(self):
        self.assertIn("no_such_wrapper", self.refuse("--wrap", "no_such_wrapper"))
        self.assertIn("missing.wr", self.refuse("--wrap", "./missing.wr"))
        self.assertIn("missing.so", self.refuse("--wrap", "./missing.so"))

    def test_wrapper_is_a_folder(self):
        (self.folder / "d.wr").mkdir()
        self.refuse("--wrap", "./d.wr")

    def test_bad_option(self):
        self.assertIn("--nonsense", self.refuse("--nonsense"))
        self.refuse("-%")

    def test_option_without_its_argument(self):
        result = run([self.built, "--wrap"])
        self.assertEqual((result.status, result.out), (125, b""))
        self.assertRegex(result.err, ONE_LINE)

    def test_no_program(self):
        for line in ([self.built], [self.built, "--"], [self.built, "--wrap", idw.stage.wrapper("quiet_notify")]):
            result = run(line)
            self.assertEqual((result.status, result.out), (125, b""))
            self.assertRegex(result.err, ONE_LINE)

    def test_missing_program(self):
        wrap = ["--wrap", str(idw.stage.wrapper("quiet_trace"))]
        self.assertIn("no-such-program", self.refuse(*wrap, program=["no-such-program"], status=127))
        self.assertIn("/no/such", self.refuse(*wrap, program=["/no/such"], status=127))

    def test_audit_file_that_cannot_be_written(self):
        wrap = ["--wrap", str(idw.stage.wrapper("quiet_trace"))]
        self.assertIn("/no/such/file", self.refuse("--audit", "/no/such/file", *wrap))

    def test_stats_file_that_cannot_be_written(self):
        wrap = ["--wrap", str(idw.stage.wrapper("quiet_trace"))]
        self.assertIn("/no/such/file", self.refuse("--stats", "/no/such/file", *wrap))

    def test_odd_bytes_do_not_reach_the_terminal(self):
        said = self.refuse("--wrap", b"./\x1b[31m\nred.wr")
        self.assertNotIn("\x1b", said)

    def test_the_same_wrapper_twice(self):
        """Two layers, or refused with a message; never one that half works."""
        path = str(idw.stage.wrapper("quiet_notify"))
        result = run([self.built, "--wrap", path, "--wrap", path, "--", "touch", "touched"])
        if result.status != 0:
            self.assertRegex(result.err, ONE_LINE)
        self.assertEqual(self.touched.exists(), result.status == 0)

    def test_help_and_version(self):
        shown = run([self.built, "--help"])
        self.assertEqual((shown.status, shown.err), (0, b""))
        self.assertIn(b"--wrap", shown.out)
        version = run([self.built, "--version"])
        self.assertEqual((version.status, version.err), (0, b""))
        self.assertRegex(version.out, rb"\Aidwrun \d+\.\d+")

    def test_options_of_the_program_are_its_own(self):
        result = run([self.built, "--wrap", idw.stage.wrapper("quiet_notify"), "echo", "--wrap", "x", "--help"])
        self.assertEqual(result, (0, b"--wrap x --help\n", b""))


class OrdinaryUser(Refused):
    def test_wrapper_that_may_not_be_read(self):
        path = self.folder / "secret.so"
        path.write_bytes(idw.stage.wrapper("quiet_notify").read_bytes())
        path.chmod(0)
        if idw.IS_ROOT:
            self.built = str(idw.stage.idwrun)
        self.assertIn("secret.so", self.refuse("--wrap", path, user=idw.ORDINARY))

    def test_compiles_on_the_fly_with_nothing_but_the_build(self):
        """A source, no home, a cache wherever it can be; the build's own wrapc and headers."""
        path = self.wrapper(GOOD)
        path.chmod(0o644)
        env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
        result = run([self.built, "--wrap", path, "--", "touch", "touched"], idw.ORDINARY, env=env)
        self.assertEqual(result, (0, b"", b""))
        self.assertTrue(self.touched.exists())


if __name__ == "__main__":
    idw.main()
