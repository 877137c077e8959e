#!/usr/bin/env python3
"""What people, their machines and their disks do to the programs: each row was
reported once, of a system of this kind, and is tried on real programs.

usage: run.py BIN [NUMBER | PART OF A TITLE ..]
"""
import importlib
import os
import sys

import harness

AT_ONCE = 4  # rows; they mostly wait


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    here = os.path.dirname(os.path.abspath(__file__))
    for name in sorted(os.listdir(here)):
        if name.endswith(".py") and name not in ("run.py", "harness.py"):
            importlib.import_module(name[:-3])
    rows, passed = harness.run_all(sys.argv[1], sys.argv[2:], AT_ONCE)
    if rows == 0:
        print("no row is called so", file=sys.stderr)
        return 2
    print(f"faults: {rows} rows, {passed} passed")
    return 0 if rows == passed else 1


if __name__ == "__main__":
    sys.exit(main())
