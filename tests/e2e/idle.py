#!/usr/bin/env python3
"""A stranger with sockets: opens so many to each address, says half a request
on each and then a byte every second, and opens new ones for those that were
shut. 0: as many as its descriptors allow. Prints a line a second.
usage: idle.py COUNT ADDRESS.."""
import resource
import socket
import sys
import time

HALF = b"GET /v1/status HTTP/1.1\r\nHost: x\r\nX-A: "


def connect(address):
    host, port = address.rsplit(":", 1)
    s = socket.socket()
    try:
        s.settimeout(1)
        s.connect((host, int(port)))
        s.send(HALF)
        s.setblocking(False)
        return s
    except OSError:
        s.close()
        raise


def is_let(s):
    try:
        s.send(b"a")
        return s.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def fill(sockets, address, count):
    """Back to as many as there were to be."""
    while len(sockets) < count:
        try:
            sockets.append(connect(address))
        except OSError:
            return


def main():
    count, addresses = int(sys.argv[1]), sys.argv[2:]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if count == 0:
        count = (min(most, 20000) - 20) // len(addresses)
    held = {a: [] for a in addresses}
    while True:
        for a, sockets in held.items():
            fill(sockets, a, count)
        print("held", *(len(s) for s in held.values()), flush=True)
        time.sleep(1)
        for a, sockets in held.items():
            kept = [s for s in sockets if is_let(s)]
            for s in set(sockets) - set(kept):
                s.close()
            held[a] = kept


main()
