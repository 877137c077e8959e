#!/usr/bin/env python3
"""Texts between the two default clients of a local network, one at a time:
how long each takes, none lost, none twice. With 200 texts or more the simulator
is asked what it expects of the same network.

usage: latency.py BIN [TEXTS]
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
        start = time.monotonic()
        a.call("send", to="b", text=f"text {i}")
        while True:
            message = receive(b, 60)
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


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    texts = int(sys.argv[2]) if len(sys.argv) == 3 else 100
    net = tempfile.mkdtemp(prefix="brusio-")
    testnet = subprocess.Popen(
        [os.path.join(sys.argv[1], "brusio-testnet"), "run", "--dir", net,
         "--clients", "2", "--profile", "default"],
        stdout=subprocess.PIPE, text=True)
    try:
        for line in testnet.stdout:
            if line.strip() == "ready":
                break
        else:
            raise SystemExit("the test network did not start")
        a = Client(os.path.join(net, "client-1"))
        b = Client(os.path.join(net, "client-2"))
        b.call("add", name="a",
               invitation=a.call("invite", name="b")["invitation"])
        time.sleep(10)
        took, lost, twice = measure(a, b, texts)
        if took:
            print(f"texts {len(took)}: median {quantile(took, 0.5):.2f} s, "
                  f"p99 {quantile(took, 0.99):.2f} s, "
                  f"longest {took[-1]:.2f} s, lost {lost}, twice {twice}")
        if len(took) >= TEXTS_TO_COMPARE:
            predicted = predict(sys.argv[1])
            if predicted:
                compare(took, predicted)
            else:
                print("the simulator predicts nothing")
                return 1
        return 1 if lost or twice else 0
    finally:
        testnet.send_signal(signal.SIGINT)
        testnet.wait()
        shutil.rmtree(net)


if __name__ == "__main__":
    sys.exit(main())
