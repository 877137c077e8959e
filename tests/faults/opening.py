"""Rows about what lies where a program's own files should be: another's, a part, an
older one, or nothing; and about `check`, which has to find what `run` refuses."""
import os
import shutil
import signal
import sqlite3

from harness import row


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
    names = ("client.db", "client.db-keys")
    good, bad = files_of(a.dir, names), files_of(other.dir, names)
    t.check(set(good) == set(names), "its files")
    db, keys = (f"{a.dir}/{x}" for x in names)
    damaged = ["client.db", "damaged", "copy"]
    anothers = ["client.db", "keys beside it", "not its own", "copy of both"]
    tries = [("records gone", "client.db", None, ["client.db", "put it back"]),
             ("keys gone", "client.db-keys", None,
              ["client.db", "-keys", "is gone", "copy"]),
             ("another program's", "client.db", notes(f"{t.dir}/notes"),
              damaged),
             ("another client's", "client.db", bad["client.db"], anothers),
             ("another client's keys", "client.db-keys", bad["client.db-keys"],
              anothers)]
    for size in (0, 1, 100):
        tries += [(f"{size} bytes", "client.db", good["client.db"][:size],
                   damaged),
                  (f"{size} bytes of keys", "client.db-keys",
                   good["client.db-keys"][:size], anothers)]
    for title, name, data, words in tries:
        path = f"{a.dir}/{name}"
        os.unlink(path)
        if data is not None:
            written(path, data)
        there = files_of(a.dir, names)
        both(t, [f"{t.bin}/brusio-client", a.dir], words, title)
        t.check(files_of(a.dir, names) == there, f"{title}: it was changed")
        written(db, good["client.db"])
        written(keys, good["client.db-keys"])
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
    a.start()
    told = a.cmd("contacts").out
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
