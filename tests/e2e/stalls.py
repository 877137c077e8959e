#!/usr/bin/env python3
"""I2 with real programs: the gateway of a client is stopped for 25 s and goes
on. What the client has sent by then, that is, what lies in both kernels, is its
window at most; in the second after it sends what its clock says; texts of both
directions, sent meanwhile, arrive.

usage: stalls.py BIN [SECONDS]
"""
import os
import signal
import sys
import time

from soak import Client, Network, pair

FRAME = 2048 + 22  # and a record of TLS around it
WINDOW = 4         # of the profile default: 2 and a quarter of a second's
RATE = 6.5         # frames a second
ESTABLISHED = "01"


def connections():
    """Of this machine: local address, remote one, bytes not acknowledged, bytes
    not read, inode."""
    with open("/proc/net/tcp") as f:
        for line in list(f)[1:]:
            words = line.split()
            if words[3] == ESTABLISHED:
                sent, come = words[4].split(":")
                yield words[1], words[2], int(sent, 16), int(come, 16), words[9]


def inodes(pid):
    """Of a process's sockets."""
    out = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            out.add(target[8:-1])
    return out


def line_of(network, client):
    """The client's connection, and the name of its gateway."""
    own = inodes(network.pid[client])
    for local, remote, _, _, inode in connections():
        if inode not in own:
            continue
        for name in network.pid:
            theirs = inodes(network.pid[name])
            if any(a == remote and b == local and i in theirs
                   for a, b, _, _, i in connections()):
                return local, remote, name
    raise SystemExit(f"{client} has no connection")


def under_way(local, remote):
    """Bytes from local to remote that the program there has not read."""
    out = 0
    for a, b, sent, come, _ in connections():
        if (a, b) == (local, remote):
            out += sent
        if (a, b) == (remote, local):
            out += come
    return out


def arrives(talk, name, text):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        message = talk.surely("recv", **{"from": name})
        if message:
            talk.surely("release", order=message["order"])
            return message["text"] == text
        time.sleep(0.1)
    return False


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 25
    network = Network(sys.argv[1], "default")
    try:
        pair(network, "client-1", "client-2")
        one = Client(os.path.join(network.dir, "client-1"))
        other = Client(os.path.join(network.dir, "client-2"))
        one.surely("send", to="client-2", text="before")
        if not arrives(other, "client-1", "before"):
            raise SystemExit("stalls: nothing arrives even before")
        local, remote, gateway = line_of(network, "client-1")
        before = one.surely("status")
        os.kill(network.pid[gateway], signal.SIGSTOP)
        try:
            one.surely("send", to="client-2", text="from the stalled")
            other.surely("send", to="client-1", text="to the stalled")
            time.sleep(seconds)
            burst = under_way(local, remote)
            after = one.surely("status")
        finally:
            os.kill(network.pid[gateway], signal.SIGCONT)
        time.sleep(1)
        later = one.surely("status")
        skipped = after["skipped"] - before["skipped"]
        sent = later["requests"] - after["requests"]
        print(f"stalls: {seconds:.0f} s: {burst} bytes under way, "
              f"{burst / FRAME:.1f} frames; {skipped} ticks skipped; "
              f"{sent} frames in the second after", flush=True)
        bad = []
        if burst > WINDOW * FRAME:
            bad.append("a burst follows")
        ticks = RATE * seconds
        if skipped < ticks - WINDOW - 5 * ticks ** 0.5 - RATE:
            bad.append("too few ticks were skipped")
        if sent > RATE + 5 * RATE ** 0.5:
            bad.append("ticks were made up for")
        if not arrives(other, "client-1", "from the stalled"):
            bad.append("what the stalled client had to send is lost")
        if not arrives(one, "client-2", "to the stalled"):
            bad.append("what it had to hear is lost")
        for line in bad:
            print(f"stalls: {line}")
        return 1 if bad else 0
    finally:
        network.stop()


if __name__ == "__main__":
    sys.exit(main())
