"""What the rows of `make faults` are made of: real programs on loopback, what they
print, and the state they leave.

A row is a function with @row(NUMBERS, TITLE): NUMBERS names the reports that it is
about, TITLE what went wrong there. It gets one object t, and fails by t.check().
What a row starts is stopped when it ends, whatever happened. A row that cannot be
tried fails: none is skipped.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROWS = []  # (numbers, title, function)
AGAIN_MAX = 6  # failed rows; more are no accident


class Failed(Exception):
    """A row's words or state are not what they should be."""


def row(numbers, title):
    def keep(function):
        ROWS.append((numbers, title, function))
        return function
    return keep


def said(out):
    """What recv printed, without the time and the number of each message."""
    return re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[\d+\] ", "", out,
                  flags=re.M)


class Ran:
    """A program that has ended: its status and what it printed."""

    def __init__(self, rc, out, err):
        self.rc, self.raw, self.err = rc, out, err.decode("utf-8", "replace")
        self.out = out.decode("utf-8", "replace")

    def __repr__(self):
        return f"status {self.rc}, printed {self.out!r}, said {self.err!r}"


def parent_gone():
    """In a child: end when the tests do, and have no limits of theirs."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


class Program(subprocess.Popen):
    """A program that runs, with what it prints in files."""

    def __init__(self, argv, place, env=None, **more):
        self.out_path, self.err_path = place + ".out", place + ".err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            super().__init__(argv, stdin=more.pop("stdin", subprocess.DEVNULL),
                             stdout=out, stderr=err, env=environment(env),
                             preexec_fn=parent_gone, **more)

    def out(self):
        with open(self.out_path, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def err(self):
        with open(self.err_path, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def stop(self, number=signal.SIGTERM, seconds=30):
        if self.poll() is None:
            self.send_signal(number)
            try:
                self.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                self.wait()
        return self.returncode


def environment(more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("BRUSIO_")}
    env.update(more or {})
    return env


class Net:
    """A test network in a directory of its own."""

    def __init__(self, t, options):
        self.dir = t.place("net")
        words = [x for k, v in options.items() for x in (f"--{k}", str(v))]
        self.program = t.start([f"{t.bin}/brusio-testnet", "run", "--dir",
                                self.dir] + words)
        self.network_json = f"{self.dir}/network.json"
        t.wait(lambda: self.program.poll() is not None or
               "\nready\n" in self.program.out(), 120, "the test network")
        if self.program.poll() is not None:
            raise Failed("the test network ended: " + self.program.out()[-300:])


class Client:
    """A client of a network, with a directory of its own, that runs."""

    def __init__(self, t, name, net, profile="fast", env=None, copy=None):
        """copy: a folder that it is a copy of."""
        self.t, self.name, self.net, self.env = t, name, net, env
        self.dir = t.place(name)
        self.program = None
        if copy:
            shutil.copytree(copy, self.dir, dirs_exist_ok=True)
            self.start()
            return
        made = self.cmd("init", "--network", net.network_json, "--profile",
                        profile)
        t.check(made.rc == 0, f"init of {name}: {made}")
        self.start()

    def argv(self, *words):
        """Options before the words: what a word is, the row says."""
        return [f"{self.t.bin}/brusio-client", words[0], "--dir", self.dir,
                *words[1:]]

    def cmd(self, *words, **more):
        return self.t.run(self.argv(*words), **more)

    def start(self, **more):
        self.program = self.t.start(self.argv("run"), env=self.env, **more)
        self.t.wait(lambda: os.path.exists(f"{self.dir}/client.sock") or
                    self.program.poll() is not None, 30, f"{self.name} to run")

    def stop(self, number=signal.SIGTERM):
        return self.program.stop(number)

    def log(self):
        return self.program.err()

    def call(self, method, **params):
        """One call over the socket; the whole answer."""
        import socket
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(f"{self.dir}/client.sock")
            line = {"jsonrpc": "2.0", "id": 1, "method": method,
                    "params": params}
            s.sendall(json.dumps(line).encode() + b"\n")
            with s.makefile("rb") as f:
                return json.loads(f.readline())


class Shared:
    """The network of all rows that do not break theirs."""

    def __init__(self):
        self.lock, self.net, self.owner = threading.Lock(), None, None


class Tries:
    """All that one row may use."""

    shared = Shared()

    def __init__(self, binaries):
        self.bin = os.path.abspath(binaries)
        self.dir = tempfile.mkdtemp(prefix="brusio-")
        self.programs, self.count = [], 0

    def place(self, name):
        self.count += 1
        return f"{self.dir}/{name}-{self.count}"

    def check(self, holds, what):
        if not holds:
            raise Failed(str(what))

    def wait(self, fn, seconds, what):
        end = time.monotonic() + seconds
        while True:
            got = fn()
            if got:
                return got
            if time.monotonic() > end:
                raise Failed(f"waited {seconds} s for {what}")
            time.sleep(0.1)

    def run(self, argv, input=None, timeout=30, env=None, cwd=None, **more):
        if isinstance(input, str):
            input = input.encode()
        stdin = {} if input is not None else {"stdin": subprocess.DEVNULL}
        out = {"stdout": subprocess.PIPE} if "stdout" not in more else {}
        try:
            p = subprocess.run(argv, input=input, timeout=timeout,
                               env=environment(env), cwd=cwd or self.dir,
                               stderr=subprocess.PIPE, preexec_fn=parent_gone,
                               **stdin, **out, **more)
        except subprocess.TimeoutExpired:
            raise Failed(f"{' '.join(map(str, argv))[:200]}: no end after "
                         f"{timeout} s") from None
        return Ran(p.returncode, p.stdout or b"", p.stderr)

    def start(self, argv, env=None, **more):
        p = Program(argv, self.place("program"), env, **more)
        self.programs.append(p)
        return p

    def net(self, **options):
        options.setdefault("clients", 0)
        return Net(self, options)

    def net_shared(self):
        s = Tries.shared
        with s.lock:
            if not s.net:
                s.owner = Tries(self.bin)
                s.net = s.owner.net()
            return s.net

    def client(self, name, net, **more):
        return Client(self, name, net, **more)

    def pair(self, net, **more):
        """Two clients, each the other's contact by the names 'a' and 'b'."""
        a = self.client("a", net, **more)
        b = self.client("b", net, **more)

        def invited():
            r = a.cmd("invite", "b")
            return r.out.strip() if r.rc == 0 else None
        line = self.wait(invited, 60, "an invitation")
        self.wait(lambda: b.cmd("add", "a", line).rc == 0, 60, "b to add a")
        self.wait(lambda: all(" confirmed" in k.cmd("contacts").out
                              for k in (a, b)), 120, "a pair")
        return a, b

    def close(self):
        for p in reversed(self.programs):
            p.stop(signal.SIGINT)
        shutil.rmtree(self.dir, ignore_errors=True)


def row_try(binaries, row_of, lock):
    """Run a row, and print what became of it. Returns whether it passed."""
    numbers, title, function = row_of
    since, why = time.monotonic(), None
    t = Tries(binaries)
    try:
        function(t)
    except Failed as e:
        why = str(e)
    except Exception as e:  # a row's own fault is a failure, too
        why = f"{type(e).__name__}: {e}"
    finally:
        t.close()
    with lock:
        print(f"{'FAILED' if why else 'ok':6} {numbers:6} {title}, "
              f"{time.monotonic() - since:.1f} s", flush=True)
        if why:
            print(f"       {why[:1000]}", flush=True)
    return why is None


def run_all(binaries, wanted, at_once):
    """Run the rows of which a word wanted is a number, or part of the title, so
    many at once; those that failed once more, alone, since they wait for real clocks
    and another program may have kept them. Returns how many there were, and how many
    passed."""
    rows = [r for r in ROWS if not wanted or
            any(w in r[0].split() or w in r[1] for w in wanted)]
    lock, failed, left = threading.Lock(), [], list(rows)

    def work():
        while True:
            with lock:
                if not left:
                    return
                mine = left.pop(0)
            if not row_try(binaries, mine, lock):
                failed.append(mine)
    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for th in threads:
        th.start()
    for th in threads:
        th.join()
    if 0 < len(failed) <= AGAIN_MAX:
        print(f"once more, alone: {len(failed)}", flush=True)
        failed = [r for r in failed if not row_try(binaries, r, lock)]
    if Tries.shared.owner:
        Tries.shared.owner.close()
    return len(rows), len(rows) - len(failed)
