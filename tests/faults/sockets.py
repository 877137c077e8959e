"""The socket of calls: who is served and when, and what JSON-RPC 2.0 says."""
import json
import os
import socket
import time

from harness import row

LINE_MAX = 24 << 20


def alone(t):
    """A client that runs and is connected to nobody yet, so that rows about its
    socket wait for no network."""
    return t.client("a", t.net_shared())


def connected(client):
    """A socket that is connected to the client's, when there is room at the
    door."""
    end = time.monotonic() + 60
    while True:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(60)
        try:
            s.connect(f"{client.dir}/client.sock")
            return s
        except BlockingIOError:
            s.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


class Talk:
    """A connection to a client's socket."""

    def __init__(self, client):
        self.socket = connected(client)
        self.file = self.socket.makefile("rb")

    def say(self, text):
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def hear(self):
        """The next line, or None at the end."""
        line = self.file.readline()
        return json.loads(line) if line else None

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)


def line(method, params=None, number=1):
    call = {"jsonrpc": "2.0", "id": number, "method": method}
    if params is not None:
        call["params"] = params
    return json.dumps(call) + "\n"


def error_of(answer):
    return ((answer or {}).get("error") or {}).get("data", {}).get("name")


def cpu_s(program):
    """The processor time of a program so far."""
    with open(f"/proc/{program.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@row("R5", "who closes his sending half gets his answers")
def half_closed(t):
    a = alone(t)
    for method in ("status", "contacts"):
        k = Talk(a)
        k.say(line(method))
        k.end()
        t.check((k.hear() or {}).get("id") == 1, f"no answer to {method}")
        t.check(k.hear() is None, "the connection stays")
    k = Talk(a)
    k.say(line("contacts") + line("status", number=2).rstrip("\n"))
    k.end()
    heard = [(k.hear() or {}).get("id") for _ in range(2)]
    t.check(heard == [1, 2], f"answers {heard} of two calls sent ahead")


@row("R28", "calls sent ahead are served, large ones too")
def ahead(t):
    a = alone(t)
    k = Talk(a)
    blanks = b" " * (13 << 20)
    for number in range(3):
        k.say(blanks + line("contacts", number=number).encode())
    heard = [(k.hear() or {}).get("id") for _ in range(3)]
    t.check(heard == [0, 1, 2], f"answers {heard} of three large calls")
    k.say(b" " * (LINE_MAX + 1) + b"\n" + line("contacts").encode())
    answer = k.hear()
    t.check(error_of(answer) == "LONG" and "24 MiB" in
            answer["error"]["message"], f"a line too long: {answer}")
    t.check((k.hear() or {}).get("id") == 1, "the next call is lost with it")


@row("R19", "more programs than places: the idle one gives way")
def idle(t):
    a = alone(t)
    talks = [Talk(a) for _ in range(64)]
    for k in talks:
        k.say(line("contacts"))
        t.check(k.hear(), "one of 64 is not served")
    shown = a.cmd("contacts")
    t.check(shown.rc == 0, f"the 65th is not served: {shown}")
    t.check(talks[0].hear() is None, "another one had to go")
    talks[1].say(line("contacts"))
    t.check(talks[1].hear(), "more than one had to go")


@row("R19", "a client without descriptors: no turning in circles")
def descriptors(t):
    a = alone(t)
    a.stop()
    p = t.start(["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"] + a.argv("run"))
    t.wait(lambda: os.path.exists(f"{a.dir}/client.sock") or
           p.poll() is not None, 30, "the client to run")
    talks = [connected(a) for _ in range(30)]
    time.sleep(1)
    before = cpu_s(p)
    time.sleep(3)
    used = cpu_s(p) - before
    t.check(used < 1, f"{used:.1f} s of processor time in 3 s")
    t.check(len(p.err()) < 10000, "it floods the log")
    shown = a.cmd("status")
    t.check(shown.rc == 0, f"the 31st is not served: {shown}")
    for k in talks:
        k.close()
    t.wait(lambda: a.cmd("status").out.startswith("connected"), 60,
           "the link, with few descriptors")
    used = len(os.listdir(f"/proc/{p.pid}/fd"))
    t.run(["prlimit", "--pid", str(p.pid), f"--nofile={used + 2}:{used + 2}"])
    talks = [connected(a) for _ in range(8)]
    t.wait(lambda: "no descriptors are left for callers" in p.err() and
           "ulimit -n" in p.err(), 20, "a word in the log")
    for k in talks:
        k.close()
    t.check(a.cmd("status").rc == 0, "it is not served again")
    t.check(p.err().count("no descriptors") == 1, p.err())


def disk_fills(t, a):
    """The client's files grow no more."""
    a.stop()
    a.start(restore_signals=False)  # a limit of files is an error, no signal
    t.wait(lambda: a.cmd("status").out.startswith("connected, sending"), 60,
           "the client to connect")
    done = t.run(["prlimit", "--pid", str(a.program.pid), "--fsize=4096"])
    t.check(done.rc == 0, f"prlimit: {done}")


@row("N1.7", "on a full disk no line is printed that is stored nowhere")
def full_disk_invite(t):
    a = alone(t)
    t.wait(lambda: a.cmd("status").out.startswith("connected, sending"), 60,
           "the client to connect")
    made = t.wait(lambda: a.cmd("invite", "before").out, 60, "an invitation")
    t.check(made.startswith("brusio1:"), made)
    disk_fills(t, a)
    for name in ("one", "two"):
        made = a.cmd("invite", name)
        t.check(made.rc == 1 and not made.out,
                f"invite on a full disk: {made}")
        t.check("disk" in made.err, f"the disk is not named: {made}")
    for words in (("rename", "before", "after"), ("mute", "before"),
                  ("pings", "before", "on"), ("send", "before", "hi")):
        done = a.cmd(*words, timeout=20)
        t.check(done.rc == 1 and not done.out, f"{words}: {done}")
    a.stop()
    a.start()
    shown = a.cmd("contacts").out
    t.check("before" in shown and "one" not in shown and "muted" not in shown,
            f"what is on disk: {shown}")
    t.check(t.wait(lambda: a.cmd("invite", "one").out, 60, "room again")
            .startswith("brusio1:"), "invite when there is room")


def unit(t, name):
    """A test of the project's own runner, for what no real contact sends."""
    done = t.run([f"{t.bin}/run-tests", name], timeout=120)
    t.check(done.rc == 0 and "PASSED" in done.out + done.err, done)


@row("R9", "a text that is none can be read and released by any reader")
def text_of_nothing(t):
    unit(t, "client_calls/any_text_can_be_read_and_released")
    unit(t, "client_calls/any_file_can_be_read_and_released")


@row("R9", "the answer with the largest text has a place in a line")
def text_too_long(t):
    unit(t, "client_calls/the_largest_text_can_be_read")


@row("N4.4", "a call that tells what there is")
def api(t):
    a = alone(t)
    told = a.call("api").get("result", {})
    t.check(told.get("api") == 1 and told.get("version") and
            told.get("line_max") == LINE_MAX, f"api: {told}")
    names = {m["name"] for m in told["methods"]}
    t.check({"send", "recv", "release", "status"} <= names, names)
    for m in told["methods"]:
        t.check(error_of(a.call(m["name"], nonsense=1)) == "UNKNOWN",
                f"{m['name']} takes any parameter")
        if "also" in m:
            t.check(error_of(a.call(m["also"], nonsense=1)) == "UNKNOWN",
                    f"{m['also']} is no method")


@row("N4.4", "release of what is not there is an error")
def release(t):
    a = alone(t)
    answer = a.call("release", order=12345)
    t.check(error_of(answer) == "NOT_FOUND", f"release: {answer}")


@row("N4.4", "a call without id gets no answer")
def notification(t):
    a = alone(t)
    k = Talk(a)
    for text in ('{"jsonrpc":"2.0","method":"contacts"}\n',
                 '{"jsonrpc":"2.0","method":"nothing"}\n',
                 '[{"jsonrpc":"2.0","method":"contacts"}]\n'):
        k.say(text)
    k.say(line("contacts", number=9))
    answer = k.hear()
    t.check(answer and answer.get("id") == 9, f"a notification: {answer}")


@row("N4.4", "parameters by position, ids, batches, as JSON-RPC 2.0 says")
def json_rpc(t):
    a = alone(t)
    k = Talk(a)

    def says(text):
        k.say(text if text.endswith("\n") else text + "\n")
        return k.hear()

    def code(answer):
        return (answer or {}).get("error", {}).get("code")

    answer = says(line("open", ["b"]))
    t.check(code(answer) == -32602 and "name" in answer["error"]["message"],
            f"by position: {answer}")
    answer = says("{")
    t.check(code(answer) == -32700 and "id" in answer and
            answer["id"] is None, f"no JSON: {answer}")
    for bad in ("[1]", "{}", "true"):
        answer = says('{"jsonrpc":"2.0","method":"contacts","id":%s}' % bad)
        t.check(code(answer) == -32600 and answer.get("id", 0) is None,
                f"id {bad}: {answer}")
    for good in ('"x"', "1", "-7.5", "null"):
        answer = says('{"jsonrpc":"2.0","method":"contacts","id":%s}' % good)
        t.check(answer.get("result") == [] and
                answer["id"] == json.loads(good), f"id {good}: {answer}")
    answer = says("[" + line("contacts", number=1).strip() + "," +
                  line("nothing", number=2).strip() + ",0]")
    t.check(isinstance(answer, list) and len(answer) == 3,
            f"a batch: {answer}")
    by_id = {x["id"]: x for x in answer}
    t.check(by_id[1].get("result") == [] and code(by_id[2]) == -32601 and
            code(by_id[None]) == -32600, f"a batch: {answer}")
    answer = says("[]")
    t.check(code(answer) == -32600 and answer["id"] is None,
            f"an empty batch: {answer}")
