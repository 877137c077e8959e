"""Machines that have no route, no room, no descriptors or little memory."""
import json
import os
import resource
import socket
import ssl
import subprocess
import time

from harness import row
from operators import authority, relay, run_authority

# The authority's address is on `lo` of a machine of its own, and so can be lost. The
# relay or client there asks by itself; "$@" is what runs.
MACHINE = """ip link set lo up
ip addr add 198.51.100.9/24 dev lo
found() { ip addr add 192.0.2.1/32 dev lo; }
lost() { ip addr del 192.0.2.1/32 dev lo; }
lives() { kill -0 $p && echo $1; }
found
"""


class Far:
    """A network of which there is the file alone."""

    def __init__(self, path):
        self.network_json = path


def shell(t, script, *words):
    """Run on a machine of its own, which has no other network."""
    return t.start(["unshare", "-rn", "--kill-child", "sh", "-c",
                    MACHINE + script, "sh", *words])


def replace(path, old, new):
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace(old, new))


def authority_asked(t):
    """An authority whose relays ask for a consensus every second."""
    d, address = authority(t)
    replace(f"{d}/network.json", '"epoch_len_s": 3600', '"epoch_len_s": 60')
    return d, address


def authority_far(t):
    """An authority at 192.0.2.1, and the network file."""
    d, address = authority_asked(t)
    for name in ("network.json", "directory.conf"):
        replace(f"{d}/{name}", address, address.replace("127.0.0.1", "192.0.2.1"))
    return d, f"{d}/network.json"


def status_of(folder):
    try:
        with open(f"{folder}/status.json") as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}


@row("R38", "a relay without a route dies of SIGSEGV")
def relay_no_route(t):
    d, far = authority_far(t)
    x = relay(t, far, listen="198.51.100.9:7100")
    p = shell(t, f"""{t.bin}/brusio-directory run --dir {d} 2>{d}/log & a=$!
until grep -q "serving on" {d}/log; do sleep 0.1; done
lost; "$@" & p=$!; sleep 3; lives before
found; sleep 2; lives with; lost; sleep 2; lives without
found; sleep 2; lives again
kill $p; wait $p; echo status $?; kill $a; wait $a; echo status $?""",
              f"{t.bin}/brusio-relay", "run", "--dir", x)
    t.wait(lambda: p.poll() is not None, 40, "the machine")
    t.check(p.out() == "before\nwith\nwithout\nagain\nstatus 0\nstatus 0\n",
            p.out() + p.err())
    t.check("accepts links" in p.err(), p.err())
    t.check(status_of(x).get("reached") == 1, "the authority is not reached")


def files_max(pid, n):
    """Let a process open no descriptor with this number, or one above."""
    most = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (n, most))


def handshake(address):
    """Is a link made there?"""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(address, timeout=5) as s:
            with context.wrap_socket(s) as link:
                return link.version() == "TLSv1.3"
    except OSError:
        return False


@row("R19 R38", "a gateway full of idle sockets dies of SIGSEGV")
def gateway_full(t):
    d, _ = authority_asked(t)
    run_authority(t, d)
    x = relay(t, f"{d}/network.json", role="gateway")
    p = t.start([f"{t.bin}/brusio-relay", "run", "--dir", x])
    t.wait(lambda: status_of(x).get("reached") == 1, 20, "the gateway to ask")
    host, port = status_of(x)["listen"].rsplit(":", 1)
    gateway = (host, int(port))
    t.check(handshake(gateway), "no link before")
    files_max(p.pid, len(os.listdir(f"/proc/{p.pid}/fd")) + 8)
    held = [socket.create_connection(gateway) for _ in range(60)]
    t.wait(lambda: p.poll() is not None or "no descriptors are left" in p.err(),
           20, "a word")
    files_max(p.pid, 3)  # not one is left when it asks the authority
    time.sleep(3)
    t.check(status_of(x).get("written_s", 0) + 1 < time.time(), "it has some")
    files_max(p.pid, 60)
    t.check(p.poll() is None, f"it has ended: {p.returncode}")
    for s in held:
        s.close()
    t.wait(lambda: handshake(gateway), 20, "a new link")
    t.wait(lambda: status_of(x).get("reached") == 1, 20, "the authority")


@row("R39", "a relay on a full disk dies of SIGBUS")
def replay_full(t):
    d, _ = authority(t)
    x = relay(t, f"{d}/network.json")
    disk = t.place("disk")
    os.mkdir(disk)
    join = f"{t.bin}/brusio-relay join --dir {disk}/r"
    p = t.start(["unshare", "-rm", "sh", "-c", f"""
mount -t tmpfs -o size=4m none {disk} && cp -r {x} {disk}/r || exit
{join}; echo join $?
"$@"; echo run $?; ls {disk}/r
mount -o remount,size=64m {disk}; exec "$@" """, "sh", f"{t.bin}/brusio-relay",
                 "run", "--dir", f"{disk}/r"])
    t.wait(lambda: "accepts links" in p.err() or p.poll() is not None, 30,
           "the relay, when there is room")
    t.check(p.poll() is None, f"{p.out()} {p.err()}")
    t.check(p.out().startswith("join 1\nrun 1\n") and
            "packet-" not in p.out(), p.out())
    words = f"{disk}/r/replay cannot be used: there is no room left on its disk"
    t.check(p.err().count(words) == 2 and "make room" in p.err(), p.err())
    t.check("waits" not in p.err(), p.err())


@row("R40", "a client without a route logs a line at every try")
def client_no_route(t):
    d, far = authority_far(t)
    replace(far, '"gateways": []', '"gateways": [{"address": "192.0.2.1:7100", '
            '"identity": "%s"}]' % ("ab" * 32))
    net = Far(far)
    a = t.client("a", net)
    a.stop()
    end = t.place("end")
    p = shell(t, f"""lost; "$@" & p=$!; sleep 5; lives before
found; until [ -e {end} ]; do sleep 0.2; done
lives with; kill $p; wait $p; echo status $?""", *a.argv("run"))
    t.wait(lambda: "192.0.2.1:7100: closed" in p.err(), 60, "another try")
    os.mkdir(end)
    t.wait(lambda: p.poll() is not None, 40, "the machine")
    t.check(p.out() == "before\nwith\nstatus 0\n", p.out() + p.err())
    said = [x for x in p.err().splitlines() if "gateway" in x]
    t.check(len(said) == 2 and "192.0.2.1:7100: Network is unreachable; it is "
            "tried again" in said[0] and "192.0.2.1:7100: closed" in said[1],
            p.err())


def words_of(t, limit, argv):
    """Run with so few descriptors, for a moment. What it said, and its status."""
    p = t.start(["prlimit", f"--nofile={limit}:{limit}"] + argv)
    try:
        p.wait(0.5)
    except subprocess.TimeoutExpired:
        return p.out() + p.err(), p.stop()
    return p.out() + p.err(), p.returncode


@row("R41", "too few descriptors: no word, or one about the disk")
def few_descriptors(t):
    d, _ = authority_asked(t)
    x = relay(t, f"{d}/network.json")
    replace(f"{d}/network.json", '"gateways": []', '"gateways": [{"address": '
            '"127.0.0.1:9", "identity": "%s"}]' % ("ab" * 32))
    a = t.client("a", Far(f"{d}/network.json"))
    a.stop()
    for argv in ([f"{t.bin}/brusio-relay", "run", "--dir", x], a.argv("run"),
                 [f"{t.bin}/brusio-directory", "run", "--dir", d]):
        ran = 0
        for limit in range(6, 28, 4):
            said, status = words_of(t, limit, argv)
            what = f"{argv[0]} with {limit}: status {status}, {said}"
            t.check("system call failed" not in said and "[err]" not in said and
                    "disk full" not in said and
                    "it was refused" not in said, what)
            t.check(status == 0 or (status == 1 and not ran and
                    "too many open files; raise the limit ('ulimit -n'" in
                    said.lower() and argv[-1] in said), what)
            ran += status == 0
        t.check(ran > 0, f"{argv[0]} never runs")


def resident_mb(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE") >> 20


@row("R42", "callers that take no answers leave a client at 500 MB")
def answers_not_taken(t):
    d, _ = authority(t)
    replace(f"{d}/network.json", '"gateways": []', '"gateways": [{"address": '
            '"127.0.0.1:9", "identity": "%s"}]' % ("ab" * 32))
    a = t.client("a", Far(f"{d}/network.json"))
    t.check(a.call("api").get("result"), "no answer before")
    before = resident_mb(a.program.pid)
    held, call = [], '{"jsonrpc":"2.0","id":1,"method":"api"}'
    batch = f"[{','.join([call] * 64)}]\n".encode()
    for _ in range(60):
        s = socket.socket(socket.AF_UNIX)
        s.connect(f"{a.dir}/client.sock")
        s.setblocking(False)
        try:
            while True:
                s.send(batch)
        except BlockingIOError:
            held.append(s)
    most = 0
    for _ in range(60):
        most = max(most, resident_mb(a.program.pid))
        time.sleep(0.1)
    t.check(a.call("api").get("result"), "who takes his answers gets none")
    t.check(most < before + 80, f"{most} MB, and {before} before")
    for s in held:
        s.close()
    t.wait(lambda: resident_mb(a.program.pid) < before + 20, 10,
           f"memory to be given back; {before} MB before, {most} at most")
    t.check(a.program.poll() is None and a.call("api").get("result"), "then")
