"""Disks that are full, broken or gone, and what is damaged there."""
import os
import re
import resource
import shutil

from harness import row

ROOM = "no space left on the disk"


def limit(client, size):
    """No file of this client's may become longer than that; None: any."""
    size = resource.RLIM_INFINITY if size is None else size
    resource.prlimit(client.program.pid, resource.RLIMIT_FSIZE,
                     (size, resource.RLIM_INFINITY))


def healed(client):
    return f"{client.dir}/client.db is written again" in client.log()


def texts(client):
    got = []
    while True:
        r = client.cmd("recv")
        if r.rc or not r.out.strip() or "nothing" in r.err:
            return got
        got.append(r.out)


@row("R3", "an older copy of the state swallows what is written")
def older_copy(t):
    a, b = t.pair(t.net_shared())
    old = f"{t.dir}/old"
    t.check(a.cmd("send", "b", "first", "--wait", timeout=300).rc == 0, "first")
    a.stop()
    shutil.copytree(a.dir, old)
    a.start()
    came = b.cmd("recv", "--wait", "100", timeout=120).out
    for i in range(3):
        t.check(a.cmd("send", "b", f"since {i}").rc == 0, "sending")
        came += b.cmd("recv", "--wait", "100", timeout=120).out
    a.stop()
    shutil.rmtree(a.dir)
    shutil.copytree(old, a.dir)
    a.start()
    t.check(a.cmd("send", "b", "anew").rc == 0, "sending")
    t.check(b.cmd("send", "a", "what have you?").rc == 0, "sending")
    t.wait(lambda: "was a copy put back" in a.log(), 400, "the log to say so")
    t.check("old records: 1 " in a.cmd("status").out, a.cmd("status"))
    t.wait(lambda: a.cmd("state", "b").out.startswith("delivered"), 400,
           "delivery")
    came += "".join(texts(b))
    t.check(all(x in came for x in ("first", "since 0", "since 2", "anew")), came)


@row("R3b", "two machines use one identity")
def two_machines(t):
    net = t.net_shared()
    a, b = t.pair(net)
    a.stop()
    twin = t.client("twin", net, copy=a.dir)
    a.start()
    came = ""
    for i in range(3):
        t.check(a.cmd("send", "b", f"one {i}").rc == 0, "sending")
        came += b.cmd("recv", "--wait", "100", timeout=120).out
    t.check(twin.cmd("send", "b", "from the other").rc == 0, "sending")
    t.check(b.cmd("send", "a", "who are you?").rc == 0, "sending")
    t.wait(lambda: "another machine" in twin.log(), 400, "the log to say so")
    t.check("another machine" in twin.cmd("status").out, twin.cmd("status"))
    a.stop()  # as it was told
    t.wait(lambda: twin.cmd("state", "b").out.startswith("delivered"), 400,
           "delivery")
    came += "".join(texts(b))
    t.check("one 2" in came and "from the other" in came, came)


@row("R2 N1.7", "a client's disk is full, and has room again")
def full_and_healed(t):
    a, b = t.pair(t.net_shared())
    t.check(a.cmd("send", "b", "before", "--wait", timeout=300).rc == 0,
            "sending")
    limit(a, 4096)
    for text in ("one", "two", "three"):
        r = a.cmd("send", "b", text, timeout=10)
        t.check(r.rc == 1, f"send on a full disk: {r}")
    t.check(ROOM in r.err, f"the reason: {r}")
    t.wait(lambda: "cannot be written" in a.log(), 15, "the log to say so")
    t.check(f"{a.dir}/client.db" in a.log() and "make room" in a.log(),
            f"file and remedy: {a.log()}")
    t.check(ROOM in a.cmd("status").out, "status")
    t.check(b.cmd("send", "a", "to a full disk").rc == 0, "sending to it")
    limit(a, None)
    t.wait(lambda: healed(a), 50, "the client to go on by itself")
    t.check(a.log().count("cannot be written") == 1, f"once: {a.log()}")
    t.check(a.program.poll() is None, "it runs")
    r = a.cmd("send", "b", "after", "--wait", timeout=300)
    t.check(r.rc == 0, f"sending again: {r}")
    t.wait(lambda: a.call("status")["result"]["inbox"] == 1, 60,
           "what was sent to it")
    came = "".join(texts(b))
    t.check("before" in came and "after" in came, f"what came: {came}")
    t.check(not any(x in came for x in ("one", "two", "three")),
            f"what was refused was sent: {came}")
    t.check(a.call("status")["result"]["queued"] == 0, "nothing is queued")


@row("R2b", "a client's disk heals when somebody asks")
def healed_when_asked(t):
    a, b = t.pair(t.net_shared())
    limit(a, 4096)
    t.wait(lambda: ROOM in a.cmd("send", "b", "no", timeout=10).err, 20,
           "an error")
    limit(a, None)
    t.wait(lambda: a.cmd("send", "b", "yes", timeout=10).rc == 0, 6,
           "room for a call")
    t.wait(lambda: "yes" in b.cmd("recv", "--wait", "30", timeout=40).out, 60,
           "the text")


@row("N1.7", "no invitation is printed that is not kept")
def invitation_not_kept(t):
    a = t.client("a", t.net_shared())
    t.wait(lambda: a.cmd("invite", "first").rc == 0, 60, "a consensus")
    limit(a, 4096)
    for name in ("bob", "carol"):
        r = a.cmd("invite", name, timeout=10)
        t.check(r.rc == 1 and not r.out, f"invite on a full disk: {r}")
        t.check(ROOM in r.err, f"the reason: {r}")
    a.stop()
    a.start()
    names = a.cmd("contacts").out
    t.check("bob" not in names and "carol" not in names, f"contacts: {names}")
    r = a.cmd("invite", "bob")
    t.check(r.rc == 0 and r.out.startswith("brusio1:"), f"then: {r}")


@row("R2c", "a client's file is moved away and comes back")
def moved_and_back(t):
    a, b = t.pair(t.net_shared())
    os.rename(f"{a.dir}/client.db", f"{a.dir}/elsewhere")
    t.wait(lambda: "is gone" in a.cmd("send", "b", "no", timeout=10).err, 20,
           "an error")
    t.check(not os.path.exists(f"{a.dir}/client.db"), "it made another")
    t.wait(lambda: "put it back" in a.log(), 15, "the log to say so")
    os.rename(f"{a.dir}/elsewhere", f"{a.dir}/client.db")
    t.wait(lambda: a.cmd("send", "b", "yes", timeout=10).rc == 0, 45,
           "the client to go on")
    t.wait(lambda: "yes" in b.cmd("recv", "--wait", "30", timeout=40).out, 60,
           "the text")
    a.stop()
    a.start()
    t.check(" confirmed" in a.cmd("contacts").out, "its contact")


def processes(net, kind):
    """The processes of a test network in whose directories' names this stands."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().decode("utf-8", "replace").split("\0")
        except OSError:
            continue
        place = [w for w in words if w.startswith(f"{net.dir}/{kind}")]
        if place:
            found.append((int(pid), place[0]))
    return found


def said(net, word):
    """Which lines of the network's logs have it?"""
    lines = net.program.out() + net.program.err()
    for base, _, names in os.walk(net.dir):
        for name in names:
            if name.endswith("log"):
                with open(f"{base}/{name}", errors="replace") as f:
                    lines += f.read()
    return [line for line in lines.splitlines() if word in line]


@row("R2d", "an authority's and a store's disk are full, and have room again")
def full_network(t):
    net = t.net()
    a, b = t.pair(net)
    stores = processes(net, "store")
    authority = processes(net, "authority-1")
    t.check(stores and authority, "no processes found")

    def limit_all(size):
        for pid, _ in stores + authority[:1]:
            resource.prlimit(pid, resource.RLIMIT_FSIZE,
                             (size, resource.RLIM_INFINITY))
    limit_all(4096)
    t.check(a.cmd("send", "b", "through a full store").rc == 0, "send")
    t.wait(lambda: said(net, "letters cannot be kept"), 60, "a store to say so")
    t.wait(lambda: said(net, "cannot write to"), 90, "an authority to say so")
    t.check(any(ROOM in line for line in said(net, "cannot write to")),
            "the reason")
    limit_all(resource.RLIM_INFINITY)
    t.wait(lambda: a.call("message", to="b")["result"]["state"] == "delivered",
           300, "the text")
    t.wait(lambda: said(net, "are kept in") and said(net, "is written again"),
           120, "the logs to say that it is over")
    t.check(len(said(net, "cannot write to")) < 5, "it says it again and again")
    t.check(net.program.poll() is None, "the network runs")


def read_only(t, directory, argv, **more):
    """Run a program that sees this directory on a disk that cannot be written."""
    return t.run(["unshare", "-rm", "sh", "-c", 'mount --bind "$0" "$0" && '
                  'mount -o remount,bind,ro "$0" && exec "$@"', directory] +
                 argv, **more)


@row("R2e", "a disk that is read-only")
def read_only_disk(t):
    net = t.net(stores=2)
    a = t.client("a", net)
    a.stop()
    net.program.stop()
    why = "read-only"
    for program, kind, commands in (
            ("client", a.dir, ("run", "check")),
            ("relay", f"{net.dir}/store-1", ("run", "check", "join")),
            ("relay", f"{net.dir}/mix-1", ("run",)),
            ("directory", f"{net.dir}/authority-1",
             ("run", "check", "renew"))):
        for command in commands:
            r = read_only(t, kind, [f"{t.bin}/brusio-{program}", command,
                                    "--dir", kind], timeout=60)
            what = (r.out + r.err).lower()
            t.check(r.rc == 1 and why in what and kind in r.out + r.err,
                    f"{program} {command} in {kind}: {r}")


@row("R2f", "directories that are moved away and come back")
def folders_gone(t):
    net = t.net(stores=2)
    a, b = t.pair(net)
    t.check(a.cmd("send", "b", "before").rc == 0, "send")
    t.check("before" in b.cmd("recv", "--wait", "100", timeout=110).out, "text")
    places = [f"{net.dir}/{x}" for x in ("store-1", "store-2", "authority-1")]
    logs = [f"{p}.away/log" for p in places]
    for p in places:
        os.rename(p, p + ".away")
    r = a.cmd("send", "b", "while stores have no place")
    t.check(r.rc == 0, r)

    def told(path):
        with open(path, errors="replace") as f:
            return "gone" in f.read()
    t.wait(lambda: any(map(told, logs[:2])), 120, "a store to say so")
    t.wait(lambda: told(logs[2]), 120, "the authority to say so")
    for p in places:
        os.rename(p + ".away", p)
    t.check("while" in b.cmd("recv", "--wait", "300", timeout=310).out, "text")
    t.check(net.program.poll() is None, "the network runs")


@row("R2g", "one damaged file of a store costs one day")
def damaged_day(t):
    net = t.net(stores=2)
    a, b = t.pair(net)
    t.check(a.cmd("send", "b", "before").rc == 0, "send")
    t.check("before" in b.cmd("recv", "--wait", "100", timeout=110).out, "text")
    a.stop()
    b.stop()
    net.program.stop()
    harmed = 0
    for name in ("store-1", "store-2"):
        folder = f"{net.dir}/{name}/letters"
        days = [x for x in os.listdir(folder)
                if re.fullmatch(r"letters-\d+\.db", x)]
        for day in days if not harmed else []:
            with open(f"{folder}/{day}", "r+b") as f:
                f.write(b"these are no letters\n" * 200)
        harmed = harmed or len(days)
    t.check(harmed > 0, "no file to harm")
    again = t.start([f"{t.bin}/brusio-testnet", "run", "--dir", net.dir])
    t.wait(lambda: "\nready\n" in again.out() or again.poll() is not None, 200,
           "the network")
    t.check(again.poll() is None, again.out())
    t.check(said(net, "damaged"), "no store says so")
    a.start()
    b.start()
    t.check(a.cmd("send", "b", "after").rc == 0, "send")
    t.check("after" in b.cmd("recv", "--wait", "150", timeout=170).out, "text")


@row("N1.38", "a damaged client.db is called that")
def damaged(t):
    a = t.client("a", t.net_shared())
    a.stop()
    path = f"{a.dir}/client.db"
    with open(path, "rb") as f:
        good = f.read()
    with open(path, "r+b") as f:
        f.write(b"these are no records\n" * 20)
    ran = t.run(a.argv("run"), timeout=20)
    t.check(ran.rc == 1 and path in ran.err and "damaged" in ran.err and
            "copy" in ran.err, f"run: {ran}")
    with open(path, "wb") as f:
        f.write(good)
    a.start()
    t.check(a.cmd("status").rc == 0, "it runs again")


@row("N1.11", "errors of files say the system's reason")
def reasons(t):
    net = t.net_shared()
    client = f"{t.bin}/brusio-client"
    os.makedirs(f"{t.dir}/folder")
    tries = [
        ([client, "init", "--dir", f"{t.dir}/n1", "--network",
          f"{t.dir}/folder"], "directory"),
        ([client, "init", "--dir", f"{t.dir}/no/such/place", "--network",
          net.network_json], "No such file"),
        ([client, "init", "--dir", f"{t.dir}/" + "x" * 300, "--network",
          net.network_json], "too long")]
    for argv, word in tries:
        r = t.run(argv)
        t.check(r.rc == 1 and word in r.err, f"{argv[2:]}: {r}")
        t.check("input or output" not in r.err, r.err)
    a = t.client("a", net)
    t.wait(lambda: a.cmd("invite", "b").rc == 0, 60, "a consensus")
    r = a.cmd("send", "b", "--file", f"{t.dir}/folder")
    t.check(r.rc == 1 and "directory" in r.err, f"send: {r}")


@row("R30", "a text that was released is nowhere on the disk")
def released_is_nowhere(t):
    marker = "MARKER-5e1c0ffee"
    a, b = t.pair(t.net_shared())
    t.check(a.cmd("send", "b", marker, "--wait", timeout=300).rc == 0, "send")
    t.wait(lambda: marker in b.cmd("recv", "--wait", "20", timeout=30).out, 60,
           "the text")
    for k in (a, b):
        for name in os.listdir(k.dir):
            if name.startswith("client.db"):
                with open(f"{k.dir}/{name}", "rb") as f:
                    t.check(marker.encode() not in f.read(),
                            f"{name} of {k.name} has it")


def unit(number, title, pattern):
    """A row that needs virtual time: a test of the suites."""
    @row(number, title)
    def run(t):
        r = t.run([f"{t.bin}/run-tests", pattern], timeout=300)
        t.check(r.rc == 0 and "[  PASSED  ]" in r.out + r.err,
                f"{pattern}: {r}"[-800:])


unit("R29", "messages of a dead contact are forgotten",
     "full_disk/what_is_given_up_is_forgotten")
unit("R13", "messages of which parts came and no more are given up",
     "i11_unfinished/i11_unfinished_messages_are_given_up")
unit("R14", "one contact's full inbox is his alone",
     "contacts/i11_a_full_inbox_takes_no_more_unless_it_is_muted")
