"""Rows about texts and files: what a contact sends, and where it goes."""
import json
import os
import re
import subprocess

from harness import row, said


def send(k, *words, **more):
    r = k.cmd("send", *words, **more)
    k.t.check(r.rc == 0 and r.out.startswith("queued"), f"send {words}: {r}")


def recv(k, *words, **more):
    return k.cmd("recv", "--wait", "150", *words, timeout=170, **more)


@row("N1.2 N1.23", "messages come in another order than sent, without number or time")
def in_order(t):
    import json
    import time
    a, b = t.pair(t.net_shared())
    numbers = []
    for i in range(10):
        r = a.cmd("send", "b", f"msg {i}")
        numbers.append(int(r.out.split()[1]))
    t.check(numbers == list(range(numbers[0], numbers[0] + 10)), numbers)
    r = recv(b, "--count", "10")
    t.check(said(r.out) == "".join(f"a: msg {i}\n" for i in range(10)), r)
    t.check([int(n) for n in re.findall(r"\[(\d+)\] a: ", r.out)] == numbers, r)
    with open(f"{t.dir}/long.bin", "wb") as f:
        f.write(bytes(80000))
    before = time.time()
    send(a, "b", "--file", f"{t.dir}/long.bin")
    send(a, "b", "overtakes it")
    r = recv(b, "--json")
    m = json.loads(r.out)
    t.check(m.get("text") == "overtakes it" and m["number"] == numbers[-1] + 2 and
            m["late_after"] == 0 and abs(m["sent_s"] - before) < 60, m)
    r = recv(b, cwd=t.dir)
    t.check(f"[{m['number'] - 1}] a (written before [{m['number']}], which came "
            "first): file ./long" in r.out, r)


@row("R6 N1.3", "output that fails loses the message")
def output_full(t):
    a, b = t.pair(t.net_shared())
    send(a, "b", "kept")
    with open("/dev/full", "wb") as full:
        r = recv(b, stdout=full)
    t.check(r.rc == 1, f"a full output: {r}")
    t.check("No space left" in r.err and "message stays" in r.err, r)
    t.check("a: kept" in recv(b).out, "the message is gone")
    send(a, "b", "kept by a pipe")
    argv = b.argv("recv", "--wait", "150")
    p = t.run(["sh", "-c", '"$@" >&-', "sh"] + argv, timeout=170)
    t.check(p.rc == 1 and "message stays" in p.err, f"a closed output: {p}")
    t.check("kept by a pipe" in recv(b).out, "the message is gone")


@row("R7 N1.27", "several messages and one --out")
def one_out(t):
    a, b = t.pair(t.net_shared())
    for text in ("one", "two", "three"):
        send(a, "b", text)
    t.wait(lambda: b.call("status")["result"]["inbox"] == 3, 120, "three texts")
    out = f"{t.dir}/f"
    r = recv(b, "--count", "3", "--out", out)
    t.check(r.rc == 2 and "directory" in r.err, r)
    t.check(not os.path.exists(out), "something was written")
    r = recv(b, "--out", out)
    t.check(r.rc == 0 and said(r.out) == f"a: text to {out}, 3 bytes\n", r)
    with open(out) as f:
        t.check(f.read() == "one", "another text")
    r = recv(b, "--out", out)
    t.check(r.rc == 1 and "already" in r.err and out in r.err, r)
    r = recv(b, "--out", f"{t.dir}/no/such")
    t.check(r.rc == 1 and "No such file or directory" in r.err and
            "no/such" in r.err, r)
    os.mkdir(f"{t.dir}/d")
    r = recv(b, "--count", "2", "--out", f"{t.dir}/d")
    t.check(r.rc == 0 and sorted(os.listdir(f"{t.dir}/d")) ==
            ["text", "text (2)"], r)


@row("R8", "a text that looks like an option")
def like_options(t):
    a, b = t.pair(t.net_shared())
    texts = ["--help", "--version", "-h", "--file=/etc/hostname",
             "--- cut ---", "--x", "--wait=3"]
    for text in texts:
        r = a.cmd("send", "b", text)
        t.check(r.rc == 0 and r.out.startswith("queued"), f"{text}: {r}")
    r = a.cmd("send", "b", "--", "--wait")
    t.check(r.rc == 0, r)
    got = [said(recv(b, "a").out) for _ in range(len(texts) + 1)]
    t.check(sorted(got) == sorted(f"a: {x}\n" for x in texts + ["--wait"]), got)
    for words in (["b"], ["b", "--wait"], [], ["b", "two", "words"]):
        r = a.cmd("send", *words)
        t.check(r.rc == 2 and r.err, f"send {words}: {r}")


@row("R9", "a NUL in a text or a name blocks the queue")
def nul(t):
    a, b = t.pair(t.net_shared())
    # no program of ours sends one: a hostile contact's client does, and what it
    # does to the reader is shown in client_calls/*; here what the socket refuses
    r = a.call("send", to="b", text="a\0b")
    t.check("error" in r, r)
    r = a.call("send", to="b", file_name="a\0b", data="aGk")
    t.check("error" in r, r)
    send(a, "b", "after")
    t.check("a: after" in recv(b).out, "what came behind it")


@row("R10 N1.22", "the second file of a name blocks what is behind it")
def same_name(t):
    a, b = t.pair(t.net_shared())
    place = f"{t.dir}/came"
    os.mkdir(place)
    for i in range(3):
        with open(f"{t.dir}/IMG_1.jpg", "w") as f:
            f.write(f"picture {i}")
        send(a, "b", "--file", f"{t.dir}/IMG_1.jpg")
    send(a, "b", "behind")
    r = recv(b, "--count", "4", cwd=place)
    t.check(r.rc == 0 and "a: behind" in r.out, r)
    t.check(sorted(os.listdir(place)) ==
            ["IMG_1 (2).jpg", "IMG_1 (3).jpg", "IMG_1.jpg"],
            os.listdir(place))
    t.check(sorted(open(f"{place}/{n}").read() for n in os.listdir(place)) ==
            [f"picture {i}" for i in range(3)], "not all three")


@row("R12 N1.36", "a file's name that is no UTF-8, long, hidden")
def odd_names(t):
    a, b = t.pair(t.net_shared())
    place = f"{t.dir}/came"
    os.mkdir(place)
    odd = os.fsencode(t.dir) + b"/caf\xe9.txt"
    long_name = "\u00e9" * 120 + "x.tar.gz"
    for path in (odd, os.fsencode(f"{t.dir}/.hidden"),
                 os.fsencode(f"{t.dir}/{long_name}")):
        with open(path, "w") as f:
            f.write("x")
        send(a, "b", "--file", path)
    r = recv(b, "--count", "3", cwd=place)
    t.check(r.rc == 0, r)
    t.check(sorted(os.listdir(place)) == sorted(["caf_.txt", "file", long_name]),
            os.listdir(place))
    t.check("1 byte\n" in r.out, r)


@row("R23 N1.9 N1.10", "a text forges another's line, or steers the terminal")
def forged(t):
    a, b = t.pair(t.net_shared())
    send(a, "b", "hi\ncarol: send me the key")
    r = recv(b)
    t.check(said(r.out) == "a: hi\n    carol: send me the key\n", r)
    send(a, "b", "\u009b2J\u202ex\u2069\x7f\x1b[0m\u200f")
    r = recv(b)
    t.check(said(r.out) == "a: ?2J?x???[0m?\n", r)
    with open(f"{t.dir}/x\u202egpj.exe", "w") as f:
        f.write("x")
    send(a, "b", "--file", f"{t.dir}/x\u202egpj.exe")
    r = recv(b)
    t.check(r.rc == 0 and os.path.exists(f"{t.dir}/x_gpj.exe"), r)
    t.check("\u202e" not in r.out, r)


@row("R24 N1.30", "nothing can be sent from a pipe")
def from_pipe(t):
    a, b = t.pair(t.net_shared())
    long_text = "0123456789" * 15000
    send(a, "b", "-", input=long_text + "\n")
    t.check(said(recv(b, "a").out) == f"a: {long_text}\n", "a long text")
    send(a, "b", "--file", "-", "--name", "date.txt", input=b"\0bytes\xff")
    r = recv(b)
    t.check(said(r.out) == "a: file ./date.txt, 7 bytes\n", r)
    with open(f"{t.dir}/date.txt", "rb") as f:
        t.check(f.read() == b"\0bytes\xff", "other bytes")
    os.mkfifo(f"{t.dir}/fifo")
    writer = subprocess.Popen(["sh", "-c", f"echo hi >{t.dir}/fifo"])
    send(a, "b", "--file", f"{t.dir}/fifo")
    writer.wait()
    r = recv(b, "--out", "-")
    t.check(r.out == "hi\n" and "a: file" in r.err, r)


@row("N1.4", "a file beside the received one is emptied")
def beside(t):
    a, b = t.pair(t.net_shared())
    with open(f"{t.dir}/notes", "w") as f:
        f.write("his")
    send(a, "b", "--file", f"{t.dir}/notes")
    place = f"{t.dir}/came"
    os.mkdir(place)
    with open(f"{place}/notes.new", "w") as f:
        f.write("MY PRECIOUS")
    os.symlink("/nowhere", f"{place}/notes")
    r = recv(b, cwd=place)
    t.check(r.rc == 0, r)
    t.check(open(f"{place}/notes.new").read() == "MY PRECIOUS", "it is gone")
    t.check(os.readlink(f"{place}/notes") == "/nowhere", "a link was replaced")
    t.check(open(f"{place}/notes (2)").read() == "his", os.listdir(place))


@row("N1.5", "--out replaces what is no file")
def out_devices(t):
    a, b = t.pair(t.net_shared())
    link = f"{t.dir}/stdout"  # as /dev/stdout is one
    os.symlink("/proc/self/fd/1", link)
    for out, lands in ((link, True), ("-", True), ("/dev/null", False)):
        send(a, "b", "contents")
        r = recv(b, "--out", out)
        t.check(r.rc == 0 and ("contents" in r.out) == lands, f"{out}: {r}")
    t.check(os.path.islink(link), "the link was replaced")
    t.check(not os.path.exists(f"{t.dir}/-"), "a file called -")


@row("N1.8", "recv from a name that nobody has")
def mistyped(t):
    a, b = t.pair(t.net_shared())
    del b
    for words in (["recv", "bob"], ["recv", "bob", "--wait", "5"],
                  ["send", "bob", "hi"], ["ping", "bob"], ["state", "bob"],
                  ["mute", "bob"], ["open", "bob"], ["remove", "bob"],
                  ["rename", "bob", "x"], ["withdraw", "bob"],
                  ["pings", "bob", "on"]):
        r = a.cmd(*words)
        t.check(r.rc == 1 and "no such contact" in r.err, f"{words}: {r}")


@row("N1.26 N4.3", "--json, --follow, --skip")
def readers(t):
    import json
    a, b = t.pair(t.net_shared())
    texts = ["one", "two\nlines", "three \u202e"]
    p = t.start(b.argv("recv", "--follow", "--json"))
    for text in texts:
        send(a, "b", text)
    t.wait(lambda: p.out().count("\n") >= 3, 120, "three objects")
    p.stop()
    rows = [json.loads(line) for line in p.out().splitlines()]
    t.check(sorted(r["text"] for r in rows) == sorted(texts), rows)
    t.check(all(r["from"] == "a" and r["order"] and r["from_id"]
                for r in rows), rows)
    t.check("\u202e" not in p.out(), "a raw control")
    send(a, "b", "unseen")
    r = recv(b, "--skip")
    t.check(r.rc == 0 and not r.out, r)
    r = b.cmd("recv")
    t.check(r.rc == 0 and not r.out, r)
    for command in ("contacts", "status"):
        r = a.cmd(command, "--json")
        t.check(r.rc == 0 and isinstance(json.loads(r.out), dict), r)
    r = a.cmd("send", "b", "hi", "--json")
    t.check(json.loads(r.out)["state"] in ("queued", "sent"), r)
    t.check(json.loads(a.cmd("state", "b", "--json").out)["letters"] == 1,
            "state")


@row("N1.24 N4.3", "nothing tells how long a file takes, nor gives it up")
def outbox(t):
    import json
    a, b = t.pair(t.net_shared(), profile="default")
    big = f"{t.dir}/big"
    with open(big, "wb") as f:
        f.write(os.urandom(4000000))
    r = a.cmd("estimate", "b", big)
    t.check(r.rc == 0 and "letters" in r.out and "hours" in r.out or
            "min" in r.out, r)
    r = a.cmd("send", "b", "--file", big)
    t.check(r.rc == 0 and "about" in r.err and "cancel" in r.err, r)
    order = r.out.split()[1]
    r = a.cmd("outbox")
    t.check(f"b {order}: file of 40000" in r.out and "queued" in r.out, r)
    rows = [json.loads(x) for x in
            a.cmd("outbox", "b", "--json").out.splitlines()]
    t.check(len(rows) == 1 and rows[0]["estimate_s"] > 1000, rows)
    t.check(a.cmd("outbox", "nobody").rc == 1, "a name that nobody has")
    t.check(a.cmd("cancel", "b", "x").rc == 2, "no number")
    t.check(a.cmd("cancel", "b", order).rc == 0, "cancel")
    r = a.cmd("cancel", "b", order)
    t.check(r.rc == 1, r)
    t.check(a.cmd("outbox").out == "", "it is still there")
    send(a, "b", "after it")
    t.check(said(recv(b).out) == "a: after it\n", "what came behind it")


def held(t, k, n):
    t.wait(lambda: k.call("status")["result"]["inbox"] >= n, 120,
           f"{n} messages")


@row("O7", "each try of recv whose output fails leaves one more copy of a file")
def file_not_told(t):
    a, b = t.pair(t.net_shared())
    path, folder = f"{t.dir}/one.bin", f"{t.dir}/into"
    os.mkdir(folder)
    with open(path, "wb") as f:
        f.write(b"all of it")
    t.check(a.cmd("send", "b", "--file", path).rc == 0, "send")
    held(t, b, 1)
    for more in ([], ["--json"], ["--out", folder]):
        for _ in range(2):
            with open("/dev/full", "wb") as full:
                r = b.cmd("recv", *more, stdout=full, cwd=folder)
            t.check(r.rc == 1 and "No space" in r.err and "stays" in r.err, r)
            t.check(os.listdir(folder) == [], os.listdir(folder))
    r = b.cmd("recv", cwd=folder)
    t.check(r.rc == 0 and os.listdir(folder) == ["one.bin"], r)


@row("O8", "recv --json --out - mixes a text with its object")
def json_beside(t):
    a, b = t.pair(t.net_shared())
    t.check(a.cmd("send", "b", "hello").rc == 0, "send")
    held(t, b, 1)
    r = b.cmd("recv", "--json", "--out", "-")
    t.check(r.rc == 0 and r.out == "hello", r)
    o = json.loads(r.err)
    t.check(o["from"] == "a" and o["len"] == 5 and o["file"] == "-", r)
    t.check(a.cmd("send", "b", "again").rc == 0, "send")
    held(t, b, 1)
    out = os.fsencode(t.dir) + b"/caf\xe9"
    r = b.cmd("recv", "--json", "--out", out)
    t.check(r.rc == 0 and json.loads(r.out)["file"] == f"{t.dir}/caf_", r)
    with open(out, "rb") as f:
        t.check(f.read() == b"again", "the file has something else")
