#!/usr/bin/env python3
"""A local network under churn: every 20 s a random process of it is killed with
-9 and started again a second later, while two pairs of clients send each other
texts. At the end no text is lost and none came twice, no process has grown by
more than a tenth since its first minute, and none holds more descriptors.

usage: soak.py BIN [SECONDS [SEED]]
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
import threading
import time

EVERY_S = 20       # between two kills
DOWN_S = 1         # until the killed one is started again
SETTLE_S = 60      # a process's first minute
TEXT_EVERY_S = 4   # of each client, on average
LAST_S = 180       # for what is under way when the churn ends
GROWTH = 0.10
GROWTH_KIB = 256   # what an allocator may add at any time
DESCRIPTORS = 4    # links that are being made or ended


class Gone(Exception):
    """The client died before it answered."""


class Client:
    """Calls over a client's socket, which its death breaks."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "client.sock")
        self.file = None
        self.socket = None

    def connect(self):
        for _ in range(600):
            try:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(self.path)
                self.socket.settimeout(60)
                self.file = self.socket.makefile("rw")
                return
            except OSError:
                self.socket.close()
                time.sleep(0.1)
        raise SystemExit(f"{self.path}: nobody answers for a minute")

    def call(self, method, **params):
        if not self.file:
            self.connect()
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            self.file.write(json.dumps(call) + "\n")
            self.file.flush()
            line = self.file.readline()
        except OSError:
            line = ""
        if not line:
            self.file = None
            self.socket.close()
            raise Gone
        answer = json.loads(line)
        if "error" in answer:
            raise SystemExit(f"{method}: {answer['error']}")
        return answer["result"]

    def surely(self, method, **params):
        """For calls that may be made twice."""
        while True:
            try:
                return self.call(method, **params)
            except Gone:
                time.sleep(0.1)


class Network:
    def __init__(self, binaries, profile="fast"):
        self.binaries = binaries
        self.dir = tempfile.mkdtemp(prefix="brusio-")
        self.pid, self.born, self.children = {}, {}, {}
        self.testnet = subprocess.Popen(
            [os.path.join(binaries, "brusio-testnet"), "run", "--dir",
             self.dir, "--profile", profile],
            stdout=subprocess.PIPE, text=True)
        for line in self.testnet.stdout:
            words = line.split()
            if len(words) == 4 and words[2] == "pid":
                self.pid[words[0]] = int(words[3])
                self.born[words[0]] = time.monotonic()
            if line.strip() == "ready":
                return
        raise SystemExit("the test network did not start")

    def program(self, name):
        kind = name.split("-")[0]
        return {"authority": "brusio-directory",
                "client": "brusio-client"}.get(kind, "brusio-relay")

    def kill_and_start(self, name):
        os.kill(self.pid[name], signal.SIGKILL)
        if name in self.children:
            self.children.pop(name).wait()
        time.sleep(DOWN_S)
        with open(os.path.join(self.dir, name, "log"), "a") as log:
            child = subprocess.Popen(
                [os.path.join(self.binaries, self.program(name)), "run",
                 "--dir", os.path.join(self.dir, name),
                 "--parent", str(os.getpid())], stdout=log, stderr=log)
        self.children[name] = child
        self.pid[name] = child.pid
        self.born[name] = time.monotonic()

    def stop(self):
        for child in self.children.values():
            child.terminate()
        for child in self.children.values():
            child.wait()
        self.testnet.send_signal(signal.SIGINT)
        self.testnet.wait()
        shutil.rmtree(self.dir)

    def size(self, name):
        """Anonymous memory in KiB and open descriptors; None when dead."""
        try:
            with open(f"/proc/{self.pid[name]}/status") as f:
                kib = next(int(line.split()[1]) for line in f
                           if line.startswith("RssAnon"))
            return kib, len(os.listdir(f"/proc/{self.pid[name]}/fd"))
        except (OSError, StopIteration):
            return None


class Conversation:
    """One direction: what was surely sent, what may have been, what came."""

    def __init__(self, network, sender, receiver, name):
        self.send = Client(os.path.join(network.dir, sender))
        self.receive = Client(os.path.join(network.dir, receiver))
        self.to, self.from_ = receiver, sender
        self.name = name
        self.lock = threading.Lock()
        self.sure, self.maybe = set(), set()
        self.came, self.unreleased, self.twice = set(), set(), 0
        self.stop_sending = threading.Event()
        self.stop_receiving = threading.Event()
        self.threads = [threading.Thread(target=self.sending, daemon=True),
                        threading.Thread(target=self.receiving, daemon=True)]

    def sending(self):
        number = 0
        while not self.stop_sending.wait(
                random.expovariate(1 / TEXT_EVERY_S)):
            text = f"{self.name} {number}"
            number += 1
            try:
                order = self.send.call("send", to=self.to, text=text)["order"]
                # until then a kill may have been before it
                while not self.send.call("message", to=self.to,
                                         order=order)["durable"]:
                    time.sleep(0.05)
                self.sure.add(text)
            except Gone:
                self.maybe.add(text)

    def receiving(self):
        while not self.stop_receiving.wait(0.05):
            try:
                message = self.receive.call("recv", **{"from": self.from_})
            except Gone:
                continue
            if not message:
                continue
            text = message["text"]
            with self.lock:
                if text in self.came and text not in self.unreleased:
                    self.twice += 1
                self.came.add(text)
            try:
                self.receive.call("release", order=message["order"])
                self.unreleased.discard(text)
            except Gone:  # it may come again, as if it had not been read
                self.unreleased.add(text)

    def lost(self):
        return self.sure - self.came


def pair(network, a, b):
    one = Client(os.path.join(network.dir, a))
    other = Client(os.path.join(network.dir, b))
    other.surely("add", name=a,
                 invitation=one.surely("invite", name=b)["invitation"])


def churn(network, seconds, first):
    """Kill, start, measure. first: name -> (when born, KiB, descriptors)."""
    end = time.monotonic() + seconds
    next_kill = time.monotonic() + EVERY_S
    kills = 0
    while time.monotonic() < end:
        if time.monotonic() >= next_kill:
            victim = random.choice(sorted(network.pid))
            network.kill_and_start(victim)
            kills += 1
            next_kill += EVERY_S
        for name in network.pid:
            age = time.monotonic() - network.born[name]
            known = first.get(name)
            if age >= SETTLE_S and (not known or
                                    known[0] != network.born[name]):
                size = network.size(name)
                if size:
                    first[name] = (network.born[name],) + size
        time.sleep(0.5)
    return kills


def grown(network, first):
    """Complaints about processes that are larger than after a minute."""
    out = []
    for name, (born, kib, descriptors) in sorted(first.items()):
        now = network.size(name)
        if born != network.born[name]:
            continue
        if not now:
            out.append(f"{name} is dead")
            continue
        if now[0] > kib * (1 + GROWTH) + GROWTH_KIB:
            out.append(f"{name} has grown from {kib} to {now[0]} KiB")
        if now[1] > descriptors + DESCRIPTORS:
            out.append(f"{name} has {now[1]} descriptors, had {descriptors}")
    return out


def main():
    if len(sys.argv) not in (2, 3, 4):
        raise SystemExit(__doc__)
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 600
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else int(time.time())
    random.seed(seed)
    print(f"soak: {seconds} s, seed {seed}", flush=True)
    network = Network(sys.argv[1])
    try:
        pair(network, "client-1", "client-2")
        pair(network, "client-3", "client-4")
        talks = [Conversation(network, *names) for names in (
            ("client-1", "client-2", "a"), ("client-2", "client-1", "b"),
            ("client-3", "client-4", "c"), ("client-4", "client-3", "d"))]
        for talk in talks:
            for thread in talk.threads:
                thread.start()
        first = {}
        kills = churn(network, seconds, first)
        for talk in talks:
            talk.stop_sending.set()
        until = time.monotonic() + LAST_S
        while time.monotonic() < until and any(t.lost() for t in talks):
            time.sleep(0.5)
        complaints = grown(network, first)
        for talk in talks:
            talk.stop_receiving.set()
        lost = sum(len(t.lost()) for t in talks)
        twice = sum(t.twice for t in talks)
        print(f"soak: {kills} kills, {sum(len(t.sure) for t in talks)} texts "
              f"sent, lost {lost}, twice {twice}; "
              f"{len(first)} processes measured over more than a minute")
        for talk in talks:
            for text in sorted(talk.lost()):
                print(f"soak: lost: {text}, {talk.from_} to {talk.to}")
        for line in complaints:
            print(f"soak: {line}")
        bad = lost or twice or complaints
        if bad and os.environ.get("SOAK_KEEP"):
            shutil.copytree(network.dir, os.environ["SOAK_KEEP"],
                            ignore=shutil.ignore_patterns("*.sock"),
                            dirs_exist_ok=True)
        return 1 if bad else 0
    finally:
        network.stop()


if __name__ == "__main__":
    sys.exit(main())
