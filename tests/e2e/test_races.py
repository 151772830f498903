#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a verdict rests on is swapped between check and use: no forbidden call goes through.

Each attack (tests/races/race.h) is run under idwrun with the wrapper race_RULE, and under a supervisor that has the
same rule, but checks and then continues (tests/races/naive.c): there it must win, or it would prove nothing here.

    python3 test_races.py ... --full      100,000 tries or 30 s each; IDW_RACE_TRIES=N: that many, or 30 s
"""

import os
import pathlib
import re
import shutil
import sys
import typing

import idw
from idw import Case, run, wrapped

FULL = "--full" in sys.argv
TRIES = int(os.environ.get("IDW_RACE_TRIES", 100_000 if FULL else 0))
LIMITS = (TRIES, 30) if TRIES else (1000, 1)


class Attack(typing.NamedTuple):
    name: str
    by: str  # tests/races/swap.h
    rule: str

    def __str__(self):
        return f"{self.name} by {self.by}"

    @property
    def is_refused(self):
        """In a Landlock domain of its own a program makes its calls itself; after a look at objects it may not."""
        return self.by == "sandbox" and self.rule == "object"


ATTACKS = [Attack(*line.split()) for line in """
    path thread path
    path vm path
    path process path
    path signals path
    path sandbox path
    path uffd path
    how thread how
    symlink thread object
    symlink sandbox object
    symlink-own thread object
    component thread object
    dirfd thread object
    dirfd sandbox object
    cwd thread object
    procfd thread object
    rename thread path
    write thread buffer
    write uffd buffer
    fchmod thread object
    fchmod sandbox object
    ftruncate thread object
    exec-path thread path
    exec-argument thread strings
    exec-variable process strings
    exec-symlink thread object
    vfork-path thread path
    vfork-argument thread strings
    vfork-variable process strings
    vfork-script thread strings
    connect thread address
    connect sandbox address
    connect-unix thread address
    bind process address
    sendto thread address
    registers thread registers
""".strip().splitlines()]

# A verdict about registers can be followed by CONTINUE. What is allowed costs nothing there: no limit of tries.
SAFE_ANYWHERE = {"registers"}


def users(attack):
    """An ordinary user gets no faults of other processes, nor the kernel's: vm.unprivileged_userfaultfd is 0."""
    return [user for user in idw.USERS if attack.by != "uffd" or (user is None and idw.IS_ROOT)]


PAIRS = [(attack, user) for attack in ATTACKS for user in users(attack)]
KINDS = list({attack.name: attack for attack in ATTACKS}.values())


def bench():
    """Folder of the race programs, on the stage."""
    built = pathlib.Path(sys.argv[3]).resolve().parent / "races"
    for name in ("race", "naive", "stuck"):
        if not (idw.stage.bin / name).exists():
            shutil.copy(built / name, idw.stage.bin)
    return idw.stage.bin


class Races(Case):
    def race(self, before, attack, by, limits, user=None):
        """The counts that the race printed."""
        idw.stage.fresh()
        line = before + [bench() / "race", attack.name, by, *limits]
        result = run(line, user, timeout=90)
        said = re.fullmatch(rb"tries (\d+) wins (\d+) good (\d+) refused (\d+) other (\d+)(?: (\w+))?\n", result.out)
        self.assertTrue(said, result)
        self.assertEqual(result.status, 0, result)
        counts = dict(zip(("tries", "wins", "good", "refused", "other"), map(int, said.groups()[:5])))
        if FULL:
            print(attack.name, "by", by, f"({user or 'as started'}):", said[0].decode().strip(), file=sys.stderr)
        self.assertEqual(counts["other"], 0, result)
        return counts

    def idwrun(self, attack):
        return wrapped([], [f"race_{attack.rule}"])

    def naive(self, attack):
        return [bench() / "naive", attack.rule]

    def test_attacks(self):
        """None wins; the swap was there, since both outcomes were, but where all is refused."""
        for attack, user in PAIRS:
            with self.subTest(attack=str(attack), user=user):
                limits = (0, LIMITS[1]) if attack.name in SAFE_ANYWHERE else LIMITS
                counts = self.race(self.idwrun(attack), attack, attack.by, limits, user)
                self.assertEqual(counts["wins"], 0, counts)
                self.assertGreater(counts["refused"], 0, counts)
                if attack.is_refused:
                    self.assertEqual(counts["good"], 0, counts)
                else:
                    self.assertGreater(counts["good"], 0, counts)

    def test_control(self):
        """The same attacks win where the kernel reads again what was judged."""
        for attack, user in PAIRS:
            if user is None and attack.name not in SAFE_ANYWHERE:
                with self.subTest(attack=str(attack)):
                    counts = self.race(self.naive(attack), attack, attack.by, (0, 20, 5), user)
                    self.assertGreater(counts["wins"], 0, counts)

    def test_without_a_swap(self):
        """The twins: what is harmless succeeds each time, and what is forbidden is refused each time."""
        for attack in KINDS:
            for user in idw.USERS:
                with self.subTest(attack=attack.name, user=user):
                    good = self.race(self.idwrun(attack), attack, "none", (50, 10), user)
                    self.assertEqual(good["good"], good["tries"], good)
                    bad = self.race(self.idwrun(attack), attack, "bad", (50, 10), user)
                    self.assertEqual(bad["refused"], bad["tries"], bad)


class Stuck(Case):
    """Processes whose path lies on a page that never comes: others go on, and the stuck ones can be killed."""

    def stuck(self, *args):
        if not idw.IS_ROOT:
            self.skipTest("needs CAP_SYS_PTRACE for a userfaultfd that the kernel's own faults go to")
        result = run(wrapped([bench() / "stuck", *args], ["race_path"]), timeout=60)
        said = re.fullmatch(rb"opens 200 in (\d+) ms\nended (\d+) in (\d+) ms\n", result.out)
        self.assertTrue(said, result)
        self.assertEqual(int(said[2]), int(args[0]))
        self.assertLess(int(said[1]), 3000, result)
        self.assertLess(int(said[3]), 3000, result)

    def test_one(self):
        self.stuck(1)

    def test_many(self):
        self.stuck(24)

    def test_whose_page_outlives_them(self):
        self.stuck(4, "kept")


if __name__ == "__main__":
    if FULL:
        sys.argv.remove("--full")
    idw.main()
