#!/usr/bin/env python3
"""How long texts take over a local network of real programs, one at a time, none
lost, none twice. What is measured is kept in a file in JSON, each kind beside the
other.

  texts TEXTS           between two default clients that write in turn. With 200 texts or
                        more the simulator is asked what it expects of the same
                        network.
  first CONTACTS FIRST  to a client with so many contacts, the first text of each
                        of FIRST of them. Nobody has talked with those; with
                        TALKERS others the user has, since, and the client is
                        connected for a minute.

usage: latency.py BIN JSON texts TEXTS | first CONTACTS FIRST
"""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SCENARIO = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../../sim/scenarios/testnet.json")
GAP_S = 0.5  # between texts, on average; the scenario says the same
TEXTS_TO_COMPARE = 200
TALKERS = 4  # the places that a client asks for more often than for others
CONNECTED_S = 60
PAIRED_S = 900  # until all contacts are confirmed, at most
FIRST_GAP_S = 5
LOST_S = 600  # a first text that takes longer is lost
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Client:
    """Calls over a client's socket."""

    def __init__(self, directory):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.path.join(directory, "client.sock"))
        self.file = self.socket.makefile("rw")

    def call(self, method, **params):
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.file.write(json.dumps(call) + "\n")
        self.file.flush()
        answer = json.loads(self.file.readline())
        if "error" in answer:
            raise SystemExit(f"{method}: {answer['error']}")
        return answer["result"]


def receive(client, seconds):
    """The next message, or None when the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        message = client.call("recv")
        if message:
            client.call("release", order=message["order"])
            return message
        time.sleep(0.01)
    return None


def measure(a, b, texts):
    took, lost, twice = [], 0, 0
    seen = set()
    for i in range(texts):
        # in turn: a conversation is fast for who writes in it himself
        writer, name, reader = (b, "a", a) if i % 2 else (a, "b", b)
        start = time.monotonic()
        writer.call("send", to=name, text=f"text {i}")
        while True:
            message = receive(reader, 60)
            if not message:
                lost += 1
                break
            twice += message["text"] in seen
            seen.add(message["text"])
            if message["text"] == f"text {i}":
                took.append(time.monotonic() - start)
                break
        time.sleep(random.expovariate(1 / GAP_S))
    return sorted(took), lost, twice


def quantile(took, p):
    return took[min(len(took) - 1, int(len(took) * p))]


def predict(bin_dir):
    """What the simulator says of the same network: a dict of p50, p90, p99, or
    None."""
    run = subprocess.run(
        [os.path.join(bin_dir, "brusio-sim"), "run", SCENARIO, "--json", "-"],
        stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode != 0:
        return None
    metrics = json.loads(run.stdout)["cases"][0]["metrics"]
    return {p: metrics["text.latency." + p]["value"] for p in QUANTILES}


def compare(took, predicted):
    for name, p in QUANTILES.items():
        print(f"{name}: measured {quantile(took, p):.2f} s, "
              f"predicted {predicted[name]:.2f} s")
    ratio = quantile(took, 0.5) / predicted["p50"]
    print(f"measured median / predicted median: {ratio:.3f}")


def summary(took, lost, twice):
    def ms(seconds):
        return round(1000 * seconds)
    return {"n": len(took), "median_ms": ms(quantile(took, 0.5)),
            "p90_ms": ms(quantile(took, 0.9)),
            "p99_ms": ms(quantile(took, 0.99)), "longest_ms": ms(took[-1]),
            "lost": lost, "twice": twice}


def keep(path, kind, figures):
    """Put the figures of one kind beside those of the other."""
    kept = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
    kept[kind] = {"at_s": int(time.time()), **figures}
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(kept, file, indent=2)
        file.write("\n")
    os.replace(path + ".new", path)


class Testnet:
    """A network of its own in a directory of its own."""

    def __init__(self, bin_dir, clients):
        self.dir = tempfile.mkdtemp(prefix="brusio-")
        self.pid = {}
        self.run = subprocess.Popen(
            [os.path.join(bin_dir, "brusio-testnet"), "run", "--dir", self.dir,
             "--clients", str(clients), "--profile", "default"],
            stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        for line in self.run.stdout:
            words = line.split()
            if words == ["ready"]:
                return self
            if len(words) == 4 and words[2] == "pid":
                self.pid[words[0]] = int(words[3])
        self.__exit__()
        raise SystemExit("the test network did not start")

    def __exit__(self, *_):
        self.run.send_signal(signal.SIGINT)
        self.run.wait()
        shutil.rmtree(self.dir)

    def client(self, number):
        return Client(os.path.join(self.dir, f"client-{number}"))

    def stop(self, number):
        """A client goes, to come back no more."""
        os.kill(self.pid[f"client-{number}"], signal.SIGTERM)


def texts_main(bin_dir, path, texts):
    with Testnet(bin_dir, 2) as net:
        a, b = net.client(1), net.client(2)
        b.call("add", name="a",
               invitation=a.call("invite", name="b")["invitation"])
        time.sleep(10)
        took, lost, twice = measure(a, b, texts)
    if took:
        print(f"texts {len(took)}: median {quantile(took, 0.5):.2f} s, "
              f"p99 {quantile(took, 0.99):.2f} s, "
              f"longest {took[-1]:.2f} s, lost {lost}, twice {twice}")
        keep(path, "text", summary(took, lost, twice))
    if len(took) >= TEXTS_TO_COMPARE:
        predicted = predict(bin_dir)
        if not predicted:
            print("the simulator predicts nothing")
            return 1
        compare(took, predicted)
    return 1 if lost or twice or not took else 0


def pair_all(user, contacts):
    """Make each client the user's contact, and wait until all have answered."""
    for number, contact in contacts.items():
        invitation = user.call("invite", name=f"c{number}")["invitation"]
        contact.call("add", name="user", invitation=invitation)
    until = time.monotonic() + PAIRED_S
    while not all(c["confirmed"] for c in user.call("contacts")):
        if time.monotonic() > until:
            raise SystemExit("not all contacts were confirmed")
        time.sleep(0.5)


def wait_for(user, sender, text, seconds):
    """Whether the text came from him, and how many others did before."""
    others, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        message = receive(user, until - time.monotonic())
        if message and (message["from"], message["text"]) == (sender, text):
            return True, others
        others += message is not None
    return False, others


def first_main(bin_dir, path, n_contacts, first):
    if n_contacts < first + TALKERS:
        raise SystemExit(f"{first} who write and {TALKERS} who talk are more "
                         f"than {n_contacts} contacts")
    writers = range(2 + TALKERS, 2 + TALKERS + first)
    took, lost, twice = [], 0, 0
    with Testnet(bin_dir, 1 + n_contacts) as net:
        user = net.client(1)
        contacts = {i: net.client(i) for i in range(2, 2 + n_contacts)}
        pair_all(user, contacts)
        for i in range(2 + TALKERS + first, 2 + n_contacts):
            net.stop(i)
        for i in range(2, 2 + TALKERS):
            contacts[i].call("send", to="user", text="talk")
            if not wait_for(user, f"c{i}", "talk", LOST_S)[0]:
                raise SystemExit("a talk did not begin")
            user.call("send", to=f"c{i}", text="talk")
        time.sleep(CONNECTED_S)
        for i in writers:
            start = time.monotonic()
            contacts[i].call("send", to="user", text=f"first {i}")
            came, others = wait_for(user, f"c{i}", f"first {i}", LOST_S)
            twice += others
            lost += not came
            if came:
                took.append(time.monotonic() - start)
            time.sleep(FIRST_GAP_S + random.expovariate(1 / FIRST_GAP_S))
    if took:
        took.sort()
        print(f"first texts {len(took)} of {n_contacts} contacts: "
              f"median {quantile(took, 0.5):.1f} s, "
              f"p90 {quantile(took, 0.9):.1f} s, longest {took[-1]:.1f} s, "
              f"lost {lost}, twice {twice}")
        keep(path, "first",
             {"contacts": n_contacts, **summary(took, lost, twice)})
    return 1 if lost or twice or not took else 0


def main():
    kinds = {"texts": (texts_main, 1), "first": (first_main, 2)}
    if len(sys.argv) < 4 or sys.argv[3] not in kinds:
        raise SystemExit(__doc__)
    run, n = kinds[sys.argv[3]]
    numbers = sys.argv[4:]
    if len(numbers) != n or not all(x.isdigit() and int(x) for x in numbers):
        raise SystemExit(__doc__)
    return run(sys.argv[1], sys.argv[2], *map(int, numbers))


if __name__ == "__main__":
    sys.exit(main())
