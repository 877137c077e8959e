"""Rows about what lies where a program's own files should be: another's, a part, an
older one, or nothing; and about `check`, which has to find what `run` refuses."""
import os
import shutil
import signal
import socket
import sqlite3

from harness import row
from operators import authority, relay, run_authority


def both(t, argv, words, title):
    """`check` and `run` both refuse what is there, and say all these words."""
    for command in ("check", "run"):
        r = t.run([argv[0], command, "--dir", *argv[1:]], timeout=20)
        t.check(r.rc == 1, f"{title}: {command} takes it: {r}")
        for word in words:
            t.check(word in r.out + r.err, f"{title}: {command} does not say "
                    f"'{word}': {r}")


def files_of(folder, names):
    got = {}
    for name in names:
        if os.path.isfile(f"{folder}/{name}"):
            with open(f"{folder}/{name}", "rb") as f:
                got[name] = f.read()
    return got


def written(path, data):
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, 0o600)


def notes(path):
    """A database of another program."""
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE notes(a)")
    db.close()
    with open(path, "rb") as f:
        data = f.read()
    os.unlink(path)
    return data


@row("O1", "what is not a client's records wipes the keys of its records")
def others_records(t):
    net = t.net_shared()
    a = t.client("a", net)
    t.wait(lambda: a.cmd("invite", "first").rc == 0, 60, "a consensus")
    other = t.client("other", net)
    t.wait(lambda: other.cmd("invite", "x").rc == 0, 60, "a consensus")
    a.stop()
    other.stop()
    names = ("client.db", "client.db-keys", "client.db-seal")
    good, bad = files_of(a.dir, names), files_of(other.dir, names)
    t.check(set(good) == set(names), "its files")
    damaged = ["client.db", "damaged", "copy"]
    anothers = ["client.db", "keys beside it", "not its own", "put a copy of"]
    tries = [("records gone", "client.db", None, ["client.db", "put it back"]),
             ("keys gone", "client.db-keys", None,
              ["client.db", "-keys", "is gone", "copy"]),
             ("another program's", "client.db", notes(f"{t.dir}/notes"),
              damaged),
             ("another client's", "client.db", bad["client.db"], anothers),
             ("another client's keys", "client.db-keys", bad["client.db-keys"],
              anothers),
             ("master key gone", "client.db-seal", None,
              ["client.db", "-seal", "is gone", "copy"]),
             ("another client's master key", "client.db-seal",
              bad["client.db-seal"], anothers),
             ("half a master key", "client.db-seal",
              good["client.db-seal"][:2048], ["client.db-seal", *damaged])]
    # The last key is at the end, behind it are zeros: cut within that key.
    last = len(good["client.db-keys"].rstrip(b"\0")) - 1
    for size in (0, 1, 100):
        tries.append((f"{size} bytes", "client.db", good["client.db"][:size],
                      damaged))
    for size in (0, 1, last):
        tries.append((f"{size} bytes of keys", "client.db-keys",
                      good["client.db-keys"][:size], anothers))
    for title, name, data, words in tries:
        path = f"{a.dir}/{name}"
        os.unlink(path)
        if data is not None:
            written(path, data)
        there = files_of(a.dir, names)
        both(t, [f"{t.bin}/brusio-client", a.dir], words, title)
        t.check(files_of(a.dir, names) == there, f"{title}: it was changed")
        for each in names:
            written(f"{a.dir}/{each}", good[each])
    r = a.cmd("check")
    t.check(r.rc == 0 and "good" in r.out, f"with the right ones: {r}")
    t.check(files_of(a.dir, names) == good, "check has changed something")
    a.start()
    t.check("first" in a.cmd("contacts").out, "its contact is gone")


@row("O2", "a copy is put back over what a killed client left")
def over_a_journal(t):
    a = t.client("a", t.net_shared())
    t.wait(lambda: a.cmd("invite", "first").rc == 0, 60, "a consensus")
    a.stop()
    copy = f"{t.dir}/copy"
    shutil.copytree(a.dir, copy)
    a.start()
    for i in range(5):
        t.wait(lambda: a.cmd("invite", f"later-{i}").rc == 0, 60, "invite")
    a.stop(signal.SIGKILL)
    journal = f"{a.dir}/client.db-wal"
    t.check(os.path.getsize(journal) > 0, "no journal was left")
    killed = f"{t.dir}/killed"
    shutil.copytree(a.dir, killed, ignore=shutil.ignore_patterns("*.sock"))
    for _ in range(2):
        shutil.copytree(copy, a.dir, dirs_exist_ok=True)
        both(t, [f"{t.bin}/brusio-client", a.dir],
             ["client.db", "-wal", "move", "start again"], "the journal")
        for name in ("client.db", "client.db-keys"):
            t.check(files_of(a.dir, [name]) == files_of(copy, [name]),
                    f"{name} of the copy was changed")
    os.rename(journal, f"{t.dir}/journal")
    t.check(a.cmd("check").rc == 0, a.cmd("check"))
    a.start()  # the socket that the killed one left is no sign that it runs
    told = t.wait(lambda: a.cmd("contacts").out, 30, "an answer")
    t.check("first" in told and "later" not in told, told)
    a.stop()
    shutil.rmtree(a.dir)
    shutil.copytree(killed, a.dir)
    t.check(a.cmd("check").rc == 0, f"its own journal: {a.cmd('check')}")
    a.start()
    t.check("later-4" in a.cmd("contacts").out, "what the journal had")


@row("O3", "init takes a path that is too long for run's socket")
def long_path(t):
    net = t.net_shared()
    deep = f"{t.dir}/{'d' * 100}"
    client = f"{t.bin}/brusio-client"
    argv = ["--dir", deep, "--network", net.network_json]
    r = t.run([client, "init", *argv])
    t.check(r.rc == 1 and "too long for a socket" in r.err and
            "shorter" in r.err, r)
    t.check(not os.path.exists(deep), "it was made all the same")
    short = f"{t.dir}/k"
    r = t.run([client, "init", "--dir", short, "--network", net.network_json])
    t.check(r.rc == 0, r)
    os.rename(short, deep)
    both(t, [client, deep], ["client.sock", "too long for a socket",
                             "shorter"], "a path that became long")
    os.rename(deep, short)
    r = t.run([client, "check", "--dir", short])
    t.check(r.rc == 0 and "good" in r.out, r)


@row("O4", "an editor's newline makes another profile")
def profile_newline(t):
    net = t.net_shared()
    client, k = f"{t.bin}/brusio-client", f"{t.dir}/k"
    r = t.run([client, "init", "--dir", k, "--network", net.network_json])
    t.check(r.rc == 0, r)
    with open(f"{k}/profile", "a") as f:
        f.write("\n")
    r = t.run([client, "check", "--dir", k])
    t.check(r.rc == 0, f"with a newline: {r}")
    with open(f"{k}/profile", "w") as f:
        f.write("fast\n")
    both(t, [client, k], ["profile", "chosen once"], "another profile")


def replaced(path, data):
    """Put this in the place of a file, None: nothing. Returns how to put it back."""
    kept = path + ".kept"
    if os.path.lexists(path):
        os.rename(path, kept)
    if data is not None:
        written(path, data)

    def back():
        if os.path.isdir(path):
            os.rmdir(path)
        elif os.path.lexists(path):
            os.unlink(path)
        if os.path.lexists(kept):
            os.rename(kept, path)
    return back


@row("O5", "an authority's check does not find what its run refuses")
def authority_check(t):
    d, _ = authority(t)
    program = [f"{t.bin}/brusio-directory", d]
    r = t.run([program[0], "check", "--dir", d])
    t.check(r.rc == 0, f"before it has run: {r}")
    t.check(not os.path.exists(f"{d}/working.key"), "check has made a key")
    p = run_authority(t, d)
    r = t.run([program[0], "check", "--dir", d])
    t.check(r.rc == 0, f"while it runs: {r}")
    p.stop()
    conf = f"{d}/directory.conf"
    with open(conf, "rb") as f:
        text = f.read()
    text = text[:text.rindex(b"listen")]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = "127.0.0.1:%d" % taken.getsockname()[1]
        other, _ = authority(t, "other")
        with open(f"{other}/network.json", "rb") as f:
            network = f.read()
        # file, what is there instead, and what is said of it
        for name, data, words in (
                ("working.key", b"x", ["working.key", "too early", "copy",
                                       "move it away"]),
                ("authority.key", b"x" * 64 + b"\n",
                 ["authority.key", "malformed", "copy", "request"]),
                ("network.json", network, ["does not list", "init"]),
                ("directory.conf", text + b'listen = "nonsense"\n',
                 ["nonsense", "192.0.2.1:7100"]),
                ("directory.conf", text + f'listen = "{busy}"\n'.encode(),
                 [busy, "in use", "another port"]),
                ("votes", b"", [d, "votes", "copy"])):
            back = replaced(f"{d}/{name}", data)
            both(t, program, words, f"{name} is {data[-24:]!r}")
            back()
    back = replaced(f"{d}/certificate", None)
    os.mkdir(f"{d}/certificate")
    both(t, program, ["certificate", "directory", "move it away"], "a folder")
    back()
    key, kept = f"{d}/authority.key", f"{t.dir}/elsewhere"
    os.rename(key, kept)
    t.check(t.run([program[0], "check", "--dir", d]).rc == 0, "key elsewhere")
    back = replaced(f"{d}/working.key", None)
    for command in ("check", "run"):
        r = t.run([program[0], command, "--dir", d], timeout=20)
        t.check(r.rc == 1 and "request" in r.err, f"{command}: {r}")
    back()
    os.rename(kept, key)
    os.chmod(d, 0o777)
    r = t.run([program[0], "check", "--dir", d])
    t.check(r.rc == 1 and f"{d} is open to other users" in r.err and
            "chmod 700" in r.err, r)
    os.chmod(d, 0o700)
    r = t.run([program[0], "check", "--dir", d])
    t.check(r.rc == 0, f"in the end: {r}")
    run_authority(t, d).stop()


@row("O6", "a relay's check does not find what its run refuses")
def relay_check(t):
    net = t.net_shared()
    x = relay(t, net.network_json)
    program = [f"{t.bin}/brusio-relay", x]
    for name, data, words in (
            ("identity.key", b"x", ["identity.key", "too early", "copy"]),
            ("identity.key", b"", ["identity.key", "copy"]),
            ("identity.key", b"x" * 64, ["identity.key", "malformed"]),
            ("replay", None, [f"{x}/replay", "directory", "move it away"])):
        back = replaced(f"{x}/{name}", data)
        if data is None:
            os.mkdir(f"{x}/{name}")
        both(t, program, words, f"{name} is {data!r}")
        back()
    r = t.run([program[0], "check", "--dir", x])
    t.check(r.rc == 0 and not os.path.exists(f"{x}/replay"), r)
    p = t.start([program[0], "run", "--dir", x])
    t.wait(lambda: "accepts links" in p.err(), 20, "the relay")
    r = t.run([program[0], "check", "--dir", x])
    t.check(r.rc == 0, f"while it runs: {r}")
