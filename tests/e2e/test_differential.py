#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Thousands of generated calls, bare and wrapped: the same results, errors, outputs, files and descriptors.

tests/differ/ makes the calls, each family of them IDW_DIFFER_CALLS times (a multiple of 540 goes through every
situation that root can be in), from the seed IDW_DIFFER_SEED. One round by itself: differ FOLDER SEED CALLS ROUND.
"""

import os
import re
import subprocess

import idw
from idw import Case, program, run, wrapped

CALLS = int(os.environ.get("IDW_DIFFER_CALLS", "540"))
SEED = int(os.environ.get("IDW_DIFFER_SEED", "1"))
TIMEOUT = 300 + CALLS // 4

# What may differ, and why; docs/SECURITY.md quotes the reasons. (call, bare result, wrapped result, reason)
ACCEPTED = [
    (r".*", r"E[A-Z0-9]+( signals 0x\w+)?", r"EFAULT|ENAMETOOLONG",
     "a call that fails either way fails with EFAULT, or ENAMETOOLONG, when a clause has looked at an argument that can't be"
     " read, or is too long to be, even if the kernel would have found another fault first"),
    (r"utimensat\(.*", r"0", r"EFAULT",
     "utimensat with nothing to do (both times UTIME_OMIT) does not read its path; a clause that does makes it fail"),
    (r"linkat\(.*, 0x1[04]00\^?\)", r"E[A-Z0-9]+", r"E[A-Z0-9]+",
     "linkat with AT_EMPTY_PATH and without CAP_DAC_READ_SEARCH goes by who has opened the descriptor, and that may have"
     " been the supervisor"),
]

# Besides, where clauses have looked at objects.
ACCEPTED_LOOKED_AT = [
    (r".*(/proc/|/dev/fd|magic|<tight[,)]).*", r"E[A-Z0-9]+( signals 0x\w+)?", r"E[A-Z0-9]+",
     "a call that leads through a procfs to what a clause has looked at, and fails either way, may fail with another error;"
     " so may one whose path is what an earlier call has left there"),
    (r"f?truncate\(.*", r"EFBIG signals 0x\w+|E[A-Z0-9]+|0", r"EPERM",
     "a call beyond RLIMIT_FSIZE is refused when a clause has looked at its object: who makes it gets the signal"),
    (r"linkat\(.*, 0x1[04]00\^?\)", r".*", r"EPERM", "the same, when a clause has looked: refused"),
    (r"f?access(at2?)?\(.*(/dev/fd|/proc/).*", r"0", r"EACCES",
     "that a process may write to the folder of its own descriptors nobody else is told"),
    (r"(open|openat2?|creat)\(.*", r"ENXIO|ENODEV|\d+ flags=.* mode=[26]0.* rdev=.*", r"EPERM",
     "a device outside of /dev, but for null and its like, is refused when a clause has looked at it: it is for the process to"
     " open, and might be another by then"),
    (r"(open|openat2?|creat)\(.*/comm.*", r"\d+ flags=.*", r"EACCES",
     "a process may write its own comm, whoever owns it; nobody else may"),
    (r"(connect|bind|sendto)\(.*", r".*", r"EPERM",
     "a call on a socket that a clause has looked at, which only the process itself can make (not of the internet, or a"
     " stream given an address to send to), is refused"),
    (r"(connect|bind|sendto)\(.*", r"E[A-Z0-9]+( signals 0x\w+)?", r"\d+.*", "without such a call the socket is in another state"),
]

# Where nobody can do anything exactly for the process, all that clauses have looked at is refused.
REFUSING = "landlock|user namespace|its chroot|its mounts"
REFUSAL = re.compile(rb"idwrun: warning: process \d+: \w+: clauses have looked at .*: refused\n")


def is_accepted(bare, other, accepted):
    """Do the lines differ in the result alone, and in a way that is accepted?"""
    (call, _, result), (other_call, _, other_result) = bare.rpartition(" = "), other.rpartition(" = ")
    name = call.partition(" ")[2]
    return call == other_call and any(
        re.fullmatch(kind, name) and re.fullmatch(mine, result) and re.fullmatch(theirs, other_result)
        for kind, mine, theirs, _ in accepted)


def leads_elsewhere(bare, other):
    """Has only one of them got a descriptor? Then what follows in a round can't be compared: other calls are made."""
    return " flags=" in bare and re.search(r" (open|openat2?|creat)\(.* = E", other)


def rounds(output, without=None):
    """The lines of each round, but of those in situations called @without."""
    found = re.split(r"(?m)^(?=round \d+: )", output.decode("ascii"))[1:]
    return [text for text in found if not without or not re.match(rf"round \d+: ({without})\n", text)]


def differences(bare, other, accepting=ACCEPTED, without=None):
    """The lines that differ, as texts, and how many were accepted. Of a round's, the first few: each leads to others."""
    found, accepted = [], 0
    for mine, theirs in zip(rounds(bare, without), rounds(other, without)):
        lines, others = mine.splitlines(), theirs.splitlines()
        here = [(a, b) for a, b in zip(lines, others) if a != b]
        end = next((n for n, pair in enumerate(here) if leads_elsewhere(*pair) and is_accepted(*pair, accepting)), None)
        here = here[:end if end is None else end + 1]
        unlike = [(a, b) for a, b in here if not is_accepted(a, b, accepting)]
        if end is None and len(lines) != len(others):
            found.append(f"{lines[0]}: {len(lines)} lines bare, {len(others)} wrapped")
        accepted += len(here) - len(unlike)
        found += [f"{lines[0]}\n   bare: {a}\nwrapped: {b}" for a, b in unlike[:3]]
    if len(rounds(bare)) != len(rounds(other)):
        found.append(f"{len(rounds(bare))} rounds bare, {len(rounds(other))} wrapped")
    return found, accepted


def made(output):
    """How many calls the output is of."""
    return len(re.findall(rb"(?m)^\d+\.\d+ ", output))


class Differential(Case):
    def generate(self, user, seed, wrap=lambda argv: argv, calls=CALLS):
        # What a run has made immutable and could not remove, since it was ended, is root's to remove.
        if idw.IS_ROOT:
            subprocess.run(["chattr", "-R", "-f", "-i", "-a", idw.stage.scratch], check=False, stderr=subprocess.DEVNULL)
        argv = wrap([program("differ"), idw.stage.fresh(), seed, calls])
        result = run(argv, user, stdin=None, timeout=TIMEOUT)
        self.assertEqual((result.status, REFUSAL.sub(b"", result.err)), (0, b""))
        return result.out

    def test_the_generator_is_a_control_for_itself(self):
        for user in idw.USERS:
            with self.subTest(user=user):
                one, two = self.generate(user, SEED), self.generate(user, SEED)
                self.assertEqual(differences(one, two), ([], 0))
                self.assertGreater(made(one), 20 * CALLS)
                # Most of what is tried must not fail for the same reason, or nothing is tried.
                self.assertGreater(len(re.findall(rb" = (?:\d+|some)", one)) / made(one), 0.15)

    def test_a_difference_is_seen(self):
        bare = self.generate(None, SEED, calls=20)
        other = self.generate(None, SEED, lambda argv: wrapped(argv, ["differs"]), calls=20)
        self.assertNotEqual(differences(bare, other)[0], [])

    def wrapped_as_bare(self, *wrappers, accepting=ACCEPTED, without=None):
        for number, user in enumerate(idw.USERS):
            with self.subTest(user=user, wrappers=wrappers):
                seed = SEED + 100 * number + len(wrappers[0])
                bare = self.generate(user, seed)
                other = self.generate(user, seed, lambda argv: wrapped(argv, wrappers))
                found, accepted = differences(bare, other, accepting, without)
                self.assertEqual(found, [], f"{len(found)} differences, the first of each round")
                self.assertLess(accepted, made(bare) // 30)

    def test_clauses_that_look_at_arguments_and_results(self):
        self.wrapped_as_bare("match_all")

    def test_clauses_that_look_at_objects(self):
        self.wrapped_as_bare("match_objects", accepting=ACCEPTED + ACCEPTED_LOOKED_AT, without=REFUSING)

    def test_clauses_that_look_at_results_alone(self):
        self.wrapped_as_bare("match_results")


if __name__ == "__main__":
    idw.main()
