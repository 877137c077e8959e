"""Rows about first steps: what a newcomer reads, types, and is told."""
import os
import re

from harness import row
from operators import ROOT

LARGEST = (16 << 20) - 256  # bytes of a file: its name goes in the same message


def explained(path, section):
    """What a section of a man page has entries for, as one text."""
    with open(f"{ROOT}/{path}") as f:
        text = f.read()
    found = re.search(rf"\n\.Sh {section}\n(.*?)(?=\n\.Sh |\Z)", text, re.S)
    return "\n".join(re.findall(r"^\.It (.*)", found.group(1), re.M))


@row("N1.32", "the figures of a client's status are explained nowhere")
def figures(t):
    k = t.client("k", t.net_shared())
    t.wait(lambda: "\nlast answer: none" not in k.cmd("status").out, 60,
           "an answer")
    entries = explained("client/daemon/brusio-client.1", "STATUS")
    lines = k.cmd("status").out.splitlines()
    t.check(len(lines) > 12, lines)
    for line in lines:
        word = re.match(r"a day|last answer|\w+", line).group(0)
        t.check(word in entries, f"'{line}' is not explained")
    for word in ("storage", "old records", "clock", "waits for", "dropped"):
        t.check(word in entries, f"'{word}' is not explained")


@row("N2.29", "an authority's status is explained nowhere, and has no unit")
def authority_figures(t):
    r = t.run([f"{t.bin}/brusio-directory", "status", "--dir",
               f"{t.net_shared().dir}/authority-1"])
    t.check(r.rc == 0 and r.out.startswith("epoch "), r)
    entries = explained("directory/daemon/brusio-directory.8", "COMMANDS")
    for line in r.out.splitlines():
        word = line.split()[0]
        t.check(word in entries, f"'{line}' is not explained")
    for name in ("relay", "directory", "client"):
        path = f"{ROOT}/contrib/systemd/brusio-{name}.service.in"
        t.check(os.path.exists(path), f"no unit of brusio-{name}")


@row("N1.34", "names that look like a path or an option, or have a blank")
def names(t):
    k = t.client("k", t.net_shared())
    t.wait(lambda: k.cmd("invite", "first").rc == 0, 60, "a consensus")
    for name in ("../x", "a/b", "-x", "--dir", "\U0001f600", "x" * 32):
        r = k.cmd("invite", "--", name)
        t.check(r.rc == 0 and r.out.startswith("brusio1:"), f"{name}: {r}")
        r = k.cmd("contacts")
        t.check(name in r.out, r)
        t.check(k.cmd("send", "--", name, "text").rc == 0, f"{name}: send")
        t.check(k.cmd("remove", "--", name).rc == 0, f"{name}: remove")
    for name in ("", "a b", "x" * 33, "a\nb", "\x7f", "caf\udce9"):
        r = k.cmd("invite", "--", name)
        t.check(r.rc in (1, 2) and "name" in r.err and not r.out,
                f"{name!r}: {r}")


@row("N1.35", "a file of the largest size is refused")
def largest(t):
    a, b = t.pair(t.net_shared())
    del b
    path = f"{t.dir}/f"
    for size, taken in ((LARGEST, True), (LARGEST + 1, False)):
        with open(path, "wb") as f:
            f.truncate(size)
        r = a.cmd("send", "b", "--file", path)
        if taken:
            t.check(r.rc == 0 and "about" in r.err, f"{size}: {r}")
            t.check(a.cmd("cancel", "b", r.out.split()[1]).rc == 0, "cancel")
        else:
            t.check(r.rc == 1 and path in r.err and "16 MB" in r.err,
                    f"{size}: {r}")


@row("N0.5", "nobody says how long make check takes, nor how far it is")
def checking(t):
    with open(f"{ROOT}/README.md") as f:
        text = f.read()
    said = re.search(r"make check\n(.*?)\n\n", text, re.S)
    t.check(said and "minutes" in said.group(1) or
            re.search(r"runs all tests[^.]*minutes", text), "no time")
    fake = f"{t.dir}/bin"
    os.mkdir(fake)
    with open(f"{fake}/run-tests", "w") as f:
        f.write("#!/bin/sh\necho '[  PASSED  ] 1 test(s).'\n")
    os.chmod(f"{fake}/run-tests", 0o755)
    r = t.run(["tests/run.sh", fake], cwd=ROOT, timeout=120)
    t.check(r.rc == 0 and re.search(r"^(\d+) of \1 suites", r.err, re.M), r)
