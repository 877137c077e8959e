"""A client's directory that somebody takes, its passphrase, lock and backups."""
import os
import pty
import select
import shutil
import time

from harness import row, said

FILES = ("client.db", "client.db-keys", "client.db-seal")


def phrase(t, text):
    path = t.place("phrase")
    with open(path, "w") as f:
        f.write(text + "\n")
    return path


def copied(t, client, names):
    """A directory as of a thief who took these of the client's files, and what can be
    made by anybody."""
    to = t.place("thief")
    os.mkdir(to, 0o700)
    for name in (*names, "client.conf", "network.json", "profile"):
        shutil.copy(f"{client.dir}/{name}", to)
    return to


def on_terminal(t, argv, lines, seconds=60):
    """Run a program on a terminal of its own, and type a line at each question. Returns
    its status and what stood on the terminal."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    out, left = b"", list(lines)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.1)[0]:
            continue
        try:
            got = os.read(fd, 4096)
        except OSError:
            break
        if not got:
            break
        out += got
        last = out.rsplit(b"\n", 1)[-1]
        if left and b"assphrase" in last and last.endswith(b": "):
            out += b"\n"
            os.write(fd, left.pop(0).encode() + b"\n")
    else:
        os.kill(pid, 9)
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out.decode()


@row("A1", "whoever copies a client's files reads them")
def copied_files(t):
    a, b = t.pair(t.net_shared())
    text = "what nobody else is to read 5551234"
    t.check(b.cmd("send", "a", text, "--wait", timeout=300).rc == 0, "sending")
    t.check(a.cmd("invite", "a-name-of-note").rc == 0, "inviting")
    a.stop()
    # without the master key the others open nothing
    thief = copied(t, a, FILES[:2])
    for command in ("check", "run"):
        r = t.run([f"{t.bin}/brusio-client", command, "--dir", thief])
        t.check(r.rc == 1 and "-seal" in r.err, f"{command}: {r}")
    t.check(not os.path.exists(f"{thief}/client.db-seal"), "it made a key")
    # with all three they open, and the program says so
    r = a.cmd("check")
    t.check(r.rc == 0 and "no passphrase" in r.out and "reads all" in r.out, r)
    # and under a passphrase they do not
    word = phrase(t, "correct horse")
    r = a.cmd("passphrase", "--new-passphrase-file", word)
    t.check(r.rc == 0, r)
    r = a.cmd("check")
    t.check(r.rc == 0 and "sealed under a passphrase" in r.out, r)
    thief = copied(t, a, FILES)
    for name in FILES:
        with open(f"{thief}/{name}", "rb") as f:
            taken = f.read()
        for known in (text, "a-name-of-note", "correct horse"):
            t.check(known.encode() not in taken, f"{known} is in {name}")
    r = t.run([f"{t.bin}/brusio-client", "run", "--dir", thief],
              start_new_session=True)
    t.check(r.rc == 1 and "no terminal" in r.err and
            "--passphrase-file" in r.err, r)
    wrong = phrase(t, "Correct horse")
    for command in ("run", "check"):
        r = t.run([f"{t.bin}/brusio-client", command, "--dir", thief,
                   "--passphrase-file", wrong])
        t.check(r.rc == 1 and "wrong passphrase" in r.err, f"{command}: {r}")
    # its owner goes on, by the file, or as systemd gives it
    shutil.copy(word, f"{t.dir}/passphrase")
    a.env = {"CREDENTIALS_DIRECTORY": t.dir}
    a.start(start_new_session=True)
    t.check(text in a.cmd("recv").out, "the text")
    t.check(" confirmed" in a.cmd("contacts").out, "the contact")


@row("A2", "a passphrase that is asked for is shown, or tried once")
def asked_for(t):
    a = t.client("a", t.net_shared())
    argv = a.argv("passphrase")
    rc, out = on_terminal(t, argv, ["first one", "another"])
    t.check(rc == 1 and "not the same" in out, out)
    rc, out = on_terminal(t, argv, ["first\x7f\x7f\x7f\x7f\x7fhorse", "horse"])
    t.check(rc == 0 and "is set" in out, out)
    t.check("horse" not in out and "first" not in out, f"it is shown: {out}")
    rc, out = on_terminal(t, argv, ["x", "y", "z"])
    t.check(rc == 1 and out.count("wrong passphrase") == 3, out)
    rc, out = on_terminal(t, argv, ["x", "horse", "", ""])
    t.check(rc == 0 and "no passphrase any more" in out, out)
    rc, out = on_terminal(t, argv, ["\x03"])
    t.check(rc == 1 and "given up" in out, out)
    r = a.cmd("passphrase", start_new_session=True)
    t.check(r.rc == 1 and "--new-passphrase-file" in r.err, r)
    # two lines of the standard input, the old one and the new
    word = phrase(t, "a third")
    t.check(a.cmd("passphrase", "--new-passphrase-file", word).rc == 0, "set")
    r = a.cmd("passphrase", "--passphrase-file", "-", "--new-passphrase-file",
              "-", input="a third\na fourth\n")
    t.check(r.rc == 0, r)
    r = a.cmd("passphrase", "--passphrase-file", word,
              "--new-passphrase-file", word)
    t.check(r.rc == 1 and "wrong passphrase" in r.err, r)


@row("A3", "a client that is locked stops, or still answers")
def locked(t):
    a, b = t.pair(t.net_shared())
    word = phrase(t, "horse")
    r = a.cmd("lock")
    t.check(r.rc == 1 and "no passphrase is set" in r.err, r)
    t.check(a.cmd("passphrase", "--new-passphrase-file", word).rc == 0, "set")
    t.check(a.cmd("send", "b", "queued before").rc == 0, "sending")
    t.check(a.cmd("lock").rc == 0, "locking")
    for words in (("contacts",), ("recv",), ("outbox",), ("send", "b", "x"),
                  ("state", "b"), ("invite", "c"), ("remove", "b"),
                  ("backup", f"{t.dir}/no", "--passphrase-file", word)):
        r = a.cmd(*words)
        t.check(r.rc == 1 and "locked" in r.err and not r.out, f"{words}: {r}")
    t.check(not os.path.exists(f"{t.dir}/no"), "a backup")
    r = a.cmd("status")
    t.check(r.rc == 0 and "\npassphrase: set; locked" in r.out and
            "contacts" not in r.out and "queued" not in r.out, r)
    # meanwhile what was queued goes out, and what comes is kept and acknowledged
    r = b.cmd("send", "a", "while locked", "--wait", timeout=300)
    t.check(r.rc == 0, f"not acknowledged: {r}")
    t.wait(lambda: "queued before" in b.cmd("recv", "--wait", "30",
                                            timeout=40).out, 120, "the text")
    sent = a.call("status")["result"]["requests"]
    t.wait(lambda: a.call("status")["result"]["requests"] > sent + 20, 20,
           "it to go on sending")
    r = a.cmd("unlock", "--passphrase-file", phrase(t, "cow"))
    t.check(r.rc == 1 and "wrong passphrase" in r.err, r)
    t.check(a.cmd("contacts").rc == 1, "opened by another")
    t.check(a.call("unlock", passphrase="cow")["error"]["data"]["name"] ==
            "PASSPHRASE", "a call with another")
    t.check(a.cmd("unlock", "--passphrase-file", word).rc == 0, "unlocking")
    t.check("while locked" in a.cmd("recv").out, "what came")


@row("A4", "a backup is incomplete, open to others, or swallows what is written")
def backed_up(t):
    net = t.net_shared()
    a, b = t.pair(net)
    word, wrong = phrase(t, "battery"), phrase(t, "staple")
    t.check(b.cmd("send", "a", "sent before", "--wait", timeout=300).rc == 0,
            "sending")
    path = f"{t.dir}/a.backup"
    r = a.cmd("backup", path, "--passphrase-file", word)
    t.check(r.rc == 0 and path in r.out, r)
    t.check(os.stat(path).st_mode & 0o777 == 0o600, "its mode")
    t.check(not any(n.startswith("client.backup") for n in os.listdir(a.dir)),
            "a part is left")
    r = a.cmd("backup", path, "--passphrase-file", word)
    t.check(r.rc == 1 and "exists already" in r.err, r)
    r = a.cmd("backup", f"{t.dir}/empty", "--passphrase-file",
              phrase(t, ""))
    t.check(r.rc == 1 and not os.path.exists(f"{t.dir}/empty"), r)
    # on a full disk
    r = a.cmd("backup", "/dev/full", "--passphrase-file", word)
    t.check(r.rc == 1, r)
    with open(path, "rb") as f:
        whole = f.read()
    t.check(b"sent before" not in whole, "it is open")
    # what is wrong is refused, and nothing is written
    cut, flipped = f"{t.dir}/cut", f"{t.dir}/flipped"
    to = f"{t.dir}/restored"

    def restore(what, by):
        return t.run([f"{t.bin}/brusio-client", "restore", "--dir", to, what,
                      "--passphrase-file", by], timeout=60)
    cases = [(path, wrong, "wrong passphrase")]
    for n in (0, 5, 100, 122, 4000, len(whole) - 1):
        with open(f"{cut}{n}", "wb") as f:
            f.write(whole[:n])
        cases.append((f"{cut}{n}", word, "too early" if n > 15 else
                      "no backup"))
    for at in (0, 30, 90, 121, 122, 5000, len(whole) - 1):
        with open(f"{flipped}{at}", "wb") as f:
            f.write(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        cases.append((f"{flipped}{at}", word,
                      "changed" if at > 15 else "no backup"))
    for what, by, want in cases:
        r = restore(what, by)
        t.check(r.rc == 1 and want in r.err and not os.path.exists(to),
                f"{what}: {r}")
    r = t.run([f"{t.bin}/brusio-client", "restore", "--dir", a.dir, path,
               "--passphrase-file", word], timeout=60)
    t.check(r.rc == 1 and "not empty" in r.err, r)
    # what is sent since is not in it, and a restored client hears of it
    came = ""
    for i in range(3):
        t.check(a.cmd("send", "b", f"since {i}").rc == 0, "sending")
        came += b.cmd("recv", "--wait", "100", timeout=120).out
    a.stop()
    r = restore(path, word)
    t.check(r.rc == 0 and "older copy" in r.out, r)
    a.dir = to
    a.start()
    t.check("sent before" in a.cmd("recv").out, "what came before")
    t.check(a.cmd("send", "b", "anew").rc == 0, "sending")
    t.check(b.cmd("send", "a", "what have you?").rc == 0, "sending")
    t.wait(lambda: "was a copy put back" in a.log(), 400, "the log to say so")
    t.wait(lambda: a.cmd("state", "b").out.startswith("delivered"), 400,
           "delivery")
    came += b.cmd("recv", "--wait", "30", timeout=40).out
    t.check(all(x in said(came) for x in ("since 0", "since 2", "anew")), came)


@row("A5", "a client that does not run has no backup, or loses its passphrase")
def backed_up_alone(t):
    a = t.client("a", t.net_shared())
    t.wait(lambda: a.cmd("invite", "a-name-of-note").rc == 0, 60, "a consensus")
    mine, its = phrase(t, "horse"), phrase(t, "battery")
    t.check(a.cmd("passphrase", "--new-passphrase-file", mine).rc == 0, "set")
    a.stop()
    path, to = f"{t.dir}/a.backup", f"{t.dir}/restored"
    words = ("backup", path, "--passphrase-file", its,
             "--client-passphrase-file")
    r = a.cmd(*words, its)
    t.check(r.rc == 1 and "wrong passphrase" in r.err, r)
    t.check(not os.path.exists(path), "a part is left")
    r = a.cmd(*words, mine)
    t.check(r.rc == 0, r)
    r = t.run([f"{t.bin}/brusio-client", "restore", "--dir", to, path,
               "--passphrase-file", its], timeout=60)
    t.check(r.rc == 0 and "Its passphrase is that of the backup" in r.out, r)
    a.dir = to
    r = a.cmd("check", "--passphrase-file", mine)
    t.check(r.rc == 1 and "wrong passphrase" in r.err, r)
    r = a.cmd("check", "--passphrase-file", its)
    t.check(r.rc == 0, r)
    a.program = t.start(a.argv("run", "--passphrase-file", its))
    t.wait(lambda: "a-name-of-note" in a.cmd("contacts").out, 30, "its contact")


@row("A6", "a damaged key file is taken for a wrong passphrase")
def damaged_seal(t):
    a = t.client("a", t.net_shared())
    t.wait(lambda: a.cmd("invite", "bob").rc == 0, 60, "a consensus")
    word = phrase(t, "horse")
    t.check(a.cmd("passphrase", "--new-passphrase-file", word).rc == 0, "set")
    a.stop()
    seal = f"{a.dir}/client.db-seal"
    with open(seal, "rb") as f:
        whole = f.read()
    for at in range(0, len(whole), 1 if at_all() else 67):
        with open(seal, "wb") as f:
            f.write(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
        r = a.cmd("check", "--passphrase-file", word)
        t.check(r.rc == 1 and "damaged" in r.err and "-seal" in r.err,
                f"{at}: {r}")
    with open(seal, "wb") as f:
        f.write(whole)
    t.check(a.cmd("check", "--passphrase-file", word).rc == 0, "as it was")


def at_all():
    """Is all to be tried? tests/unit/test_master.c tries each byte always."""
    return os.environ.get("BRUSIO_TEST_PROOF") == "1"
