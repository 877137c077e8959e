"""Rows about clocks that are wrong: libfaketime shows a program another time."""
import os

from harness import row, said

OFF = {"2 minutes ahead": "+2m", "2 minutes behind": "-2m",
       "2 hours behind": "-2h", "a year ahead": "+365d",
       "in 1970": "@1970-01-02 00:00:00"}


def library(t):
    """Where libfaketime is; `faketime` itself would fork."""
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
                   "/usr/lib"):
        path = f"{folder}/faketime/libfaketime.so.1"
        if os.path.exists(path):
            return path
    t.check(False, "libfaketime is not installed; .ci/deps faults does that")
    return None


def env_of(t, offset):
    return {"LD_PRELOAD": library(t), "FAKETIME": offset,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def texts_arrive(t, a, b, what):
    for x, y, name in ((a, b, "b"), (b, a, "a")):
        r = x.cmd("send", name, f"hello {name}")
        t.check(r.rc == 0, f"{what}: {r}")
    for k, text in ((a, "b: hello a\n"), (b, "a: hello b\n")):
        r = k.cmd("recv", "--wait", "120", timeout=130)
        t.check(said(r.out) == text, f"{what}: {r}")


def client_with(name, offset):
    def wrong(t):
        net = t.net_shared()
        a, b = t.client("a", net), t.client("b", net, env=env_of(t, offset))
        line = t.wait(lambda: b.cmd("invite", "a").out, 60, "an invitation")
        t.wait(lambda: a.cmd("add", "b", line.strip()).rc == 0, 60, "add")
        texts_arrive(t, a, b, name)
        r = b.cmd("status")
        word = "ahead of" if "+" in offset else "behind"
        t.check("sending" in r.out and "clock: " in r.out and word in r.out and
                "NTP" in r.out, r)
        t.check("clock" not in a.cmd("status").out, "a clock that is right")
        t.wait(lambda: "clock" in b.log() and "NTP" in b.log(), 10,
               "a word in the log: " + b.log())
        t.check(b.log().count("NTP") == 1, b.log())
        r = b.cmd("check")
        t.check(r.rc == 0, r)
    return wrong


for title, off in OFF.items():
    row("R1 N1.20", f"a client's clock is {title}")(client_with(title, off))


@row("R17", "a client's clock jumps while it runs, and comes back")
def jumps(t):
    stamp = f"{t.dir}/ft"

    def clock(offset):
        with open(stamp + ".new", "w") as f:
            f.write(offset)
        os.rename(stamp + ".new", stamp)
    clock("+0")
    net = t.net_shared()
    env = {"LD_PRELOAD": library(t), "FAKETIME_TIMESTAMP_FILE": stamp,
           "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    a, b = t.client("a", net), t.client("b", net, env=env)
    line = t.wait(lambda: b.cmd("invite", "a").out, 60, "an invitation")
    t.wait(lambda: a.cmd("add", "b", line.strip()).rc == 0, 60, "add")
    texts_arrive(t, a, b, "before")
    for offset in ("+9d", "+10y", "-1d"):
        clock(offset)
        r = b.cmd("send", "a", "while it is wrong")
        t.check(r.rc == 0, r)
        r = a.cmd("recv", "--wait", "120", timeout=130)
        t.check(said(r.out) == "b: while it is wrong\n", f"{offset}: {r}")
        r = b.cmd("state", "a")
        t.check("expired" not in r.out, f"{offset}: {r}")
    clock("+0")
    texts_arrive(t, a, b, "after")
