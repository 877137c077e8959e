#!/usr/bin/env python3
"""Does any file use one that uses it? By the objects' symbols, not by headers.

Each source below the folders named has an object in the build folder; one
object uses another that defines what it leaves undefined. Objects that use each
other, directly or by way of others, are a circle: none can be read or tested
without all. Calls by pointer count for nothing: that is how a circle is cut.

usage: circles.py BUILD FOLDER...   from where the folders are
"""
import pathlib
import subprocess
import sys


def sources_find(folders):
    """The sources' names without their ending; each folder has some."""
    found = []
    for folder in folders:
        names = [str(path.with_suffix(""))
                 for path in pathlib.Path(folder).rglob("*.c")]
        if not names:
            sys.exit(f"circles: there is no source in {folder}")
        found += names
    return sorted(found)


def symbols_read(build, names):
    """For each name the symbols it defines, and those it leaves undefined."""
    paths = [f"{build}/{name}.o" for name in names]
    for path in paths:
        if not pathlib.Path(path).is_file():
            sys.exit(f"circles: {path} is missing; was all of it built?")
    defined = {name: set() for name in names}
    wanted = {name: set() for name in names}
    for line in subprocess.check_output(["nm", "-g", "-P", "-A", *paths],
                                        text=True).splitlines():
        path, symbol, kind = line.split()[:3]
        name = path[len(build) + 1:-len(".o:")]
        (wanted if kind in "Uvw" else defined)[name].add(symbol)
    return defined, wanted


def uses_find(defined, wanted):
    """For each name whom it uses, and which symbols of it."""
    definers = {}  # a weak symbol has two
    for name, symbols in defined.items():
        for symbol in symbols:
            definers.setdefault(symbol, []).append(name)
    uses = {name: {} for name in wanted}
    for name, symbols in wanted.items():
        for symbol in sorted(symbols):
            for other in definers.get(symbol, []):
                uses[name].setdefault(other, []).append(symbol)
    return uses


def reached_from(uses, start):
    """All that start uses, directly or by way of others."""
    seen, todo = set(), [start]
    while todo:
        for name in uses[todo.pop()]:
            if name not in seen:
                seen.add(name)
                todo.append(name)
    return seen


def circles_find(uses):
    """The sets of names that all reach each other."""
    reached = {name: reached_from(uses, name) for name in uses}
    circles = []
    for name in sorted(uses):
        circle = {other for other in reached[name] if name in reached[other]}
        if circle and circle not in circles:
            circles.append(circle)
    return circles


def circle_print(uses, circle):
    print(f"circles: {len(circle)} files use each other:")
    for name in sorted(circle):
        for other in sorted(circle & uses[name].keys()):
            print(f"    {name} -> {other}: {' '.join(uses[name][other])}")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    names = sources_find(sys.argv[2:])
    uses = uses_find(*symbols_read(sys.argv[1].rstrip("/"), names))
    circles = circles_find(uses)
    for circle in circles:
        circle_print(uses, circle)
    if not circles:
        print(f"circles: {len(names)} files, none uses one that uses it")
    sys.exit(bool(circles))


if __name__ == "__main__":
    main()
