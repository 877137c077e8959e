"""Rows about authorities, relays, test networks and building: what operators and
volunteers do, and what their machines do to them."""
import os
import re
import shutil
import signal
import socket
import threading
import time
import urllib.request

from harness import Failed, row

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SMALL = {"authorities": 1, "gateways": 1, "mixes": 1, "stores": 2}


PORTS = iter(range(21000 + os.getpid() * 37 % 5000, 32700))
PORTS_LOCK = threading.Lock()


def port_free():
    """A port that the system gives nobody by itself, and no other row gets."""
    with PORTS_LOCK:
        for port in PORTS:
            with socket.socket() as s:
                try:
                    s.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    pass
    raise Failed("no port is free")


def authority(t, name="authority", port=None):
    """The folder of an authority alone, and its address."""
    d = t.place(name)
    r = t.run([f"{t.bin}/brusio-directory", "init", "--dir", d])
    t.check(r.rc == 0 and r.out.startswith("identity "), r)
    address = f"127.0.0.1:{port or port_free()}"
    with open(f"{d}/directory.conf", "a") as f:
        f.write(f'listen = "{address}"\n')
    identity = r.out.split()[1]
    with open(f"{d}/network.json", "w") as f:
        f.write('{"authorities": [{"address": "%s", "identity": "%s"}],'
                '"epoch_len_s": 3600, "gateways": [], "genesis_s": %d,'
                '"name": "alone", "geometry": {"delay_unit_us": 1000,'
                '"hops": 5, "packet_len": 2048, "suite": 1}}'
                % (address, identity, int(time.time()) + 3000))
    return d, address


def run_authority(t, d):
    p = t.start([f"{t.bin}/brusio-directory", "run", "--dir", d])
    t.wait(lambda: "serving on" in p.err() or p.poll() is not None, 20,
           "the authority")
    return p


def relay(t, network, role="mix", listen=None, name="relay"):
    d = t.place(name)
    r = t.run([f"{t.bin}/brusio-relay", "init", "--dir", d, "--role", role,
               "--listen", listen or f"127.0.0.1:{port_free()}",
               "--network", network])
    t.check(r.rc == 0, r)
    return d


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


# ---- two processes ----

@row("R20", "two authorities on one folder")
def two_authorities(t):
    d, _ = authority(t)
    p = run_authority(t, d)
    program = f"{t.bin}/brusio-directory"
    with open(f"{t.dir}/certificate", "w") as f:
        f.write("brusio-certificate/1\n")
    for words in (["run"], ["init"], ["renew"],
                  ["install", "--certificate", f"{t.dir}/certificate"]):
        r = t.run([program, words[0], "--dir", d, *words[1:]])
        t.check(r.rc == 1 and d in r.err and "authority runs" in r.err and
                "end " in r.err, f"{words[0]}: {r}")
    t.check(p.poll() is None, "the first one has ended")
    p.stop()
    r = t.run([program, "init", "--dir", d])
    t.check(r.rc == 0, r)


@row("R43", "keys that cannot be read say no file and no way out")
def keys_named(t):
    d, _ = authority(t)
    program = f"{t.bin}/brusio-directory"
    request = f"{t.dir}/request"
    made = t.run([program, "request", "--dir", d])
    with open(request, "w") as f:
        f.write(made.out)
    away = f"{t.dir}/away"
    for words, names in (
            (["request", "--dir", away], ("working-new.key", "--dir")),
            (["certify", "--dir", away, "--request", request],
             ("authority.key", "'certify' runs where")),
            (["certify", "--dir", d, "--request", f"{d}/network.json"],
             ("network.json is no request", "'brusio-directory request'"))):
        r = t.run([program, *words])
        t.check(r.rc == 1 and all(name in r.err for name in names), r)
    os.truncate(f"{d}/working-new.key", 5)
    r = t.run([program, "request", "--dir", d])
    t.check(r.rc == 1 and f"{d}/working-new.key cannot be used" in r.err and
            "may be removed" in r.err, r)
    os.remove(f"{d}/working-new.key")
    t.check(t.run([program, "request", "--dir", d]).rc == 0, "no other request")


@row("R20b", "two relays on one folder")
def two_relays(t):
    d, _ = authority(t)
    x = relay(t, f"{d}/network.json")
    p = t.start([f"{t.bin}/brusio-relay", "run", "--dir", x])
    t.wait(lambda: "accepts links" in p.err(), 20, "the relay")
    r = t.run([f"{t.bin}/brusio-relay", "run", "--dir", x])
    t.check(r.rc == 1 and f"another relay runs in {x}; end" in r.err, r)


@row("N2.28", "a lost identity is replaced in silence, open keys are not said")
def identities(t):
    d, _ = authority(t)
    x = relay(t, f"{d}/network.json")
    program = f"{t.bin}/brusio-relay"
    os.chmod(f"{x}/identity.key", 0o644)
    p = t.start([program, "run", "--dir", x])
    t.wait(lambda: "accepts links" in p.err(), 20, "the relay")
    t.check("identity.key is open to other users (mode 644); chmod 600"
            in p.err(), p.err())
    p.stop()
    os.rename(f"{x}/identity.key", f"{t.dir}/kept")
    for command in ("run", "join", "init"):
        r = t.run([program, command, "--dir", x], timeout=20)
        t.check(r.rc == 1 and "identity.key is gone: restore it" in r.err,
                f"{command}: {r}")
    t.check(not os.path.exists(f"{x}/identity.key"), "there is a new identity")
    os.rename(f"{t.dir}/kept", f"{x}/identity.key")
    t.check(t.run([program, "init", "--dir", x]).rc == 0, "it is not back")
    os.rename(f"{d}/authority.key", f"{t.dir}/kept")
    r = t.run([f"{t.bin}/brusio-directory", "init", "--dir", d])
    t.check(r.rc == 1 and "authority.key is not here" in r.err and
            "another directory" in r.err, r)
    t.check(not os.path.exists(f"{d}/authority.key"), "another authority")


# ---- addresses and ports ----

@row("R22", "0.0.0.0 and private addresses are published")
def nobodys_addresses(t):
    d, _ = authority(t)
    network = f"{d}/network.json"
    program = f"{t.bin}/brusio-relay"
    x = relay(t, network, listen=f"0.0.0.0:{port_free()}")
    run_authority(t, d)
    r = t.run([program, "join", "--dir", x])
    t.check("waits for the operator" in r.out, r)
    t.wait(lambda: " 127.0.0.1:" in t.run([f"{t.bin}/brusio-directory",
                                          "pending", "--dir", d]).out, 20,
           "the address by which it reaches the authority")
    with open(f"{x}/relay.conf", "a") as f:
        f.write('addresses = {"0.0.0.0:7100"}\n')
    for command in ("run", "join", "check"):
        r = t.run([program, command, "--dir", x], timeout=20)
        said = r.err + r.out
        t.check(r.rc == 1 and "0.0.0.0:7100 is no address" in said and
                "set 'addresses' in relay.conf" in said, f"{command}: {r}")
    with open(network) as f:
        text = f.read()
    with open(f"{t.dir}/public.json", "w") as f:
        f.write(re.sub(r"127\.0\.0\.1:\d+", "192.0.2.9:7000", text))
    for own, what in (("127.0.0.1", "of this machine alone"),
                      ("10.1.2.3", "a private address")):
        x = relay(t, f"{t.dir}/public.json")
        with open(f"{x}/relay.conf", "a") as f:
            f.write(f'addresses = {{"{own}:7100"}}\n')
        r = t.run([program, "run", "--dir", x], timeout=20)
        t.check(r.rc == 1 and what in r.err and "'addresses'" in r.err, r)


@row("R16", "only the first published address of a relay is tried")
def all_addresses(t):
    net = t.net(**SMALL)
    t.wait(lambda: healthy(t, f"{net.dir}/mix-1"), 90, "a healthy network")
    x = relay(t, net.network_json)
    with open(f"{x}/relay.conf") as f:
        listen = re.search(r'^listen = "(.*)"', f.read(), re.M).group(1)
    with open(f"{x}/relay.conf", "a") as f:
        f.write(f'addresses = {{"127.0.0.2:9", "{listen}"}}\n'
                "assume_reachable = true\n")
    p = t.start([f"{t.bin}/brusio-relay", "run", "--dir", x])

    def linked():
        r = t.run([f"{t.bin}/brusio-relay", "status", "--dir", x])
        m = re.search(r"links +(\d+) of (\d+) to relays, (\d+) from", r.out)
        return m and " in the one of epoch" in r.out and int(m.group(3)) > 0
    t.wait(linked, 150, "links from relays to the second address")
    t.check(p.poll() is None, p.err())


def healthy(t, d):
    return t.run([f"{t.bin}/brusio-relay", "status", "--dir", d]).rc == 0


@row("N2.5", "a busy port is a 'system call failed'")
def busy_port(t):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        address = "127.0.0.1:%d" % s.getsockname()[1]
        d, _ = authority(t)
        x = relay(t, f"{d}/network.json", listen=address)
        words = f"cannot listen on {address}: Address already in use; choose "
        r = t.run([f"{t.bin}/brusio-relay", "run", "--dir", x])
        t.check(r.rc == 1 and words in r.err, r)
        y, _ = authority(t, port=address.split(":")[1])
        r = t.run([f"{t.bin}/brusio-directory", "run", "--dir", y])
        t.check(r.rc == 1 and words in r.err, r)
        x = relay(t, f"{d}/network.json")
        with open(f"{x}/relay.conf", "a") as f:
            f.write(f'metrics = "{address}"\n')
        r = t.run([f"{t.bin}/brusio-relay", "run", "--dir", x])
        t.check(r.rc == 1 and f"served at {address}: Address already in use"
                in r.err, r)
    p = t.start([f"{t.bin}/brusio-relay", "run", "--dir", x])
    t.wait(lambda: "accepts links" in p.err(), 20, "the relay, when it is free")


@row("N2.4", "init takes any address and any network file")
def init_checks(t):
    d, _ = authority(t)
    network = f"{d}/network.json"
    program = f"{t.bin}/brusio-relay"
    x = t.place("relay")
    for listen in ("foo", "1.2.3.4", "127.0.0.1:99999", "localhost:7100"):
        r = t.run([program, "init", "--dir", x, "--listen", listen])
        t.check(r.rc == 2 and f"not '{listen}'" in r.err and
                "192.0.2.1:7100" in r.err, r)
    for wrong in ("/etc/passwd", "/nope", t.dir):
        r = t.run([program, "init", "--dir", x, "--network", wrong])
        t.check(r.rc == 1 and wrong in r.err, r)
    t.check(not os.path.exists(x), "something was written")
    # a name that is meant from here is kept whole
    os.mkdir(f"{t.dir}/here")
    shutil.copy(network, f"{t.dir}/here/net.json")
    r = t.run([program, "init", "--dir", x, "--network", "net.json"],
              cwd=f"{t.dir}/here")
    t.check(r.rc == 0, r)
    with open(f"{x}/relay.conf") as f:
        t.check(f'network = "{os.path.realpath(t.dir)}/here/net.json"'
                in f.read(), "the path is not whole")


@row("N2.3", "init of a relay that is there ignores what it is told")
def init_twice(t):
    d, _ = authority(t)
    x = relay(t, f"{d}/network.json")
    program = f"{t.bin}/brusio-relay"
    with open(f"{x}/relay.conf") as f:
        before = f.read()
    for words in (["--role", "store"], ["--listen", "127.0.0.1:1"],
                  ["--network", f"{d}/network.json"]):
        r = t.run([program, "init", "--dir", x, *words])
        t.check(r.rc == 1 and "already" in r.err and
                f"edit {x}/relay.conf" in r.err, r)
    with open(f"{x}/relay.conf") as f:
        t.check(f.read() == before, "the configuration has changed")
    r = t.run([program, "init", "--dir", x])
    t.check(r.rc == 0 and r.out.startswith("identity "), r)


# ---- descriptors, signals, stops ----

@row("R19", "out of descriptors a relay spins")
def descriptors(t):
    d, _ = authority(t)
    run_authority(t, d)
    x = relay(t, f"{d}/network.json", role="gateway")
    with open(f"{x}/relay.conf") as f:
        listen = re.search(r'^listen = "(.*):(\d+)"', f.read(), re.M)
    words = [f"{t.bin}/brusio-relay", "run", "--dir", x]
    p = t.start(["prlimit", "--nofile=60:60"] + words)
    t.wait(lambda: "accepts links" in p.err(), 20, "the relay")
    held = []
    for _ in range(120):
        s = socket.create_connection((listen.group(1), int(listen.group(2))))
        held.append(s)
    time.sleep(1)
    before, lines = cpu_s(p.pid), p.err().count("\n")
    time.sleep(4)
    used, more = cpu_s(p.pid) - before, p.err().count("\n") - lines
    t.check(used < 0.4, f"{used} s of processor time in 4 s")
    t.check(more < 5, f"{more} lines in 4 s")
    t.check("no descriptors are left" in p.err() and
            "only 60 files may be open; raise" in p.err(), p.err())
    for s in held:
        s.close()
    t.check(p.poll() is None, "it has ended")


@row("R19b", "out of descriptors an authority spins, and floods its log")
def descriptors_authority(t):
    d, address = authority(t)
    p = t.start(["prlimit", "--nofile=40:40", f"{t.bin}/brusio-directory",
                 "run", "--dir", d])
    t.wait(lambda: "serving on" in p.err(), 20, "the authority")
    host, port = address.split(":")
    held = [socket.create_connection((host, int(port))) for _ in range(60)]
    time.sleep(1)
    before, lines = cpu_s(p.pid), p.err().count("\n")
    time.sleep(4)
    t.check(cpu_s(p.pid) - before < 1.5, "it spins")
    t.check(p.err().count("\n") - lines < 5, p.err()[-500:])
    for s in held:
        s.close()
    with urllib.request.urlopen(f"http://{address}/v1/status", timeout=20) as r:
        t.check(r.status == 200, "it does not answer")


@row("R31", "SIGHUP ends an authority")
def hangup(t):
    d, _ = authority(t)
    p = run_authority(t, d)
    with open(f"{d}/directory.conf", "a") as f:
        f.write('policy = "open"\nboards = 2\n')
    p.send_signal(signal.SIGHUP)
    t.wait(lambda: "in force now: policy" in p.err() or p.poll() is not None,
           10, "the new configuration")
    t.check(p.poll() is None, "it has ended")
    t.check("only after a restart: boards" in p.err(), p.err())
    with open(f"{d}/directory.conf", "a") as f:
        f.write("polcy = 1\n")
    p.send_signal(signal.SIGHUP)
    t.wait(lambda: "the old configuration stays: " in p.err(), 10,
           "a word about the bad one")
    t.check("did you mean 'policy'" in p.err(), p.err())
    t.check(p.stop() == 0, "it does not end well")


@row("N0.7", "Ctrl-C is ignored until a test network is ready")
def stop_early(t):
    for after_s in (0.2, 1.5, 4):
        d = t.place("net")
        p = t.start([f"{t.bin}/brusio-testnet", "run", "--dir", d,
                     "--clients", "1"])
        time.sleep(after_s)
        since = time.monotonic()
        p.stop(signal.SIGINT, 20)
        took = time.monotonic() - since
        t.check(took < 3, f"stopped {took:.1f} s after it was told, "
                f"{after_s} s after its start")
        t.check("ready" not in p.out() and not p.err(), p.out() + p.err())


@row("N1.39", "a stopped test network cannot be started again")
def start_again(t):
    options = [f"--{k}={v}" for k, v in SMALL.items()] + ["--clients=2"]
    d = t.place("net")
    argv = [f"{t.bin}/brusio-testnet", "run", "--dir", d]

    def started(words):
        p = t.start(argv + words)
        t.wait(lambda: "\nready\n" in p.out() or p.poll() is not None, 200,
               "the test network")
        t.check(p.poll() is None, p.err())
        return p

    def client(number, *words, **more):
        return t.run([f"{t.bin}/brusio-client", words[0], "--dir",
                      f"{d}/client-{number}", *words[1:]], **more)
    p = started(options)
    line = client(1, "invite", "b").out.strip()
    t.wait(lambda: client(2, "add", "a", line).rc == 0, 30, "b to add a")
    t.wait(lambda: "confirmed" in client(1, "contacts").out, 90, "a pair")
    r = t.run(argv)
    t.check(r.rc == 1 and "a test network runs in it" in r.err, r)
    p.stop(signal.SIGINT)
    r = t.run(argv + ["--clients", "3"])
    t.check(r.rc == 1 and "--clients 3" in r.err and "has 2" in r.err, r)
    p = started([])
    t.check(client(1, "send", "b", "still here").rc == 0, "it is not sent")
    got = client(2, "recv", "--wait", "60", timeout=90)
    t.check("still here" in got.out, got)
    p.stop(signal.SIGINT)


@row("N1.14", "an unknown profile starts a whole network first")
def unknown_profile(t):
    since = time.monotonic()
    d = t.place("net")
    r = t.run([f"{t.bin}/brusio-testnet", "run", "--dir", d, "--profile",
               "turbo"])
    t.check(r.rc == 2 and "turbo" in r.err and "default, light, fast" in r.err
            and time.monotonic() - since < 2 and not os.path.exists(d), r)


# ---- a network of one's own ----

@row("N2.22", "a network of one's own cannot be made by the README")
def own_network(t):
    program = f"{t.bin}/brusio-directory"
    d, address = authority(t)
    identity = t.run([program, "init", "--dir", d]).out.split()[1]
    argv = [program, "network", "--authority"]
    for wrong, what in ((f"0.0.0.0:7000={identity}", "do not reach"),
                        (f"{address}={identity[1:]}", "ADDRESS=IDENTITY"),
                        ("nothing", "ADDRESS=IDENTITY")):
        r = t.run(argv + [wrong])
        t.check(r.rc == 2 and what in r.err and wrong in r.err and not r.out, r)
    r = t.run(argv + [f"{address}={identity}", "--authority",
                      f"127.0.0.1:1={identity}"])
    t.check(r.rc == 2 and "another one's" in r.err, r)
    r = t.run([program, "network"])
    t.check(r.rc == 2 and "--authority" in r.err, r)
    r = t.run(argv + [f"{address}={identity}"])
    t.check(r.rc == 0 and "no client can begin" in r.err, r)
    with open(f"{d}/network.json", "w") as f:
        f.write(r.out)
    r = t.run([program, "check", "--dir", d])
    t.check(r.rc == 0 and "good: network 'brusio', 1 authorities" in r.out, r)


@row("N2.22b", "the page about a network of one's own, as it is written")
def own_network_page(t):
    with open(f"{ROOT}/doc/NETWORK.md") as f:
        text = f.read()
    script = "\n".join(x[4:] for x in text.split("\n") if x.startswith("    "))
    home = t.place("home")
    os.mkdir(home)
    # what it starts in the background says nothing there, and ends with it
    script = re.sub(r" 2>>(\S+) &", r" >/dev/null 2>>\1 &", script)
    script = ("trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n"
              "trap 'exit 1' TERM\n" +
              script + "\n")
    env = {"HOME": home, "PATH": f"{t.bin}:{os.environ['PATH']}"}
    r = t.run(["timeout", "240", "bash", "-c", script], env=env, timeout=300,
              cwd=home)
    t.check(r.rc == 0 and "alice: hello from my own network" in r.out, r)
    t.check(r.out.count("good: network 'home'") == 4 and
            "waits for the operator" in r.out, r)


@row("N2.23", "approval cannot be tried in a test network")
def manual_policy(t):
    options = dict(SMALL, policy="manual")
    net = t.net(**options)
    x = relay(t, net.network_json)
    a = f"{net.dir}/authority-1"
    program = f"{t.bin}/brusio-directory"
    with open(f"{x}/identity.key") as f:
        t.check(len(f.read()) == 65, "no identity")
    identity = t.run([f"{t.bin}/brusio-relay", "init", "--dir",
                      x]).out.split()[1]
    join = [f"{t.bin}/brusio-relay", "join", "--dir", x]
    r = t.run(join)
    t.check(r.rc == 1 and "waits for the operator" in r.out, r)
    pending = [program, "pending", "--dir", a]
    t.wait(lambda: identity in t.run(pending).out, 20, "it to be pending")
    r = t.run([program, "approve", "--dir", a, identity[:8]])
    t.check(r.rc == 0, r)
    # row 2.24: what is decided waits no more, times are for people
    r = t.run(pending)
    t.check(identity not in r.out and r.rc == 0, r)
    t.wait(lambda: t.run(join).rc == 0, 20, "it to be let in")


@row("N2.24", "pending shows Unix times, and nobody is told that relays wait")
def pending(t):
    d, _ = authority(t)
    p = run_authority(t, d)
    x = relay(t, f"{d}/network.json")
    t.run([f"{t.bin}/brusio-relay", "join", "--dir", x])
    words = [f"{t.bin}/brusio-directory", "pending", "--dir", d]
    t.wait(lambda: re.search(r" mix 127\.0\.0\.1:\d+ since \d{4}-\d\d-\d\d "
                             r"\d\d:\d\d:\d\d UTC$", t.run(words).out, re.M),
           20, "it to be pending, with a date")
    t.wait(lambda: "1 relay waits to be let in; 'brusio-directory pending'"
           in p.err(), 10, "a word in the log")


@row("R34 N2.21", "a relay that waits fills its log")
def waiting_log(t):
    net = t.net(policy="manual", **dict(SMALL, authorities=2))
    x = relay(t, net.network_json)
    p = t.start([f"{t.bin}/brusio-relay", "run", "--dir", x])
    t.wait(lambda: p.err().count("waits for the operator") >= 2, 30,
           "the authorities' answers")
    time.sleep(8)
    t.check(p.err().count("waits for the operator") == 2, p.err())
    t.check("authority 1 of 2 refuses" in p.err() and
            "authority 2 of 2 refuses" in p.err(), p.err())


@row("N2.6", "one authority's answer hides what the others say")
def all_answers(t):
    net = t.net(policy="manual", **dict(SMALL, authorities=4))
    x = relay(t, net.network_json)
    program = f"{t.bin}/brusio-directory"
    identity = t.run([f"{t.bin}/brusio-relay", "init", "--dir",
                      x]).out.split()[1]
    for i in (1, 2, 3):
        r = t.run([program, "ban", "--dir", f"{net.dir}/authority-{i}",
                   "--reason", "spam", identity])
        t.check(r.rc == 0, r)
    t.start([f"{t.bin}/brusio-relay", "run", "--dir", x])
    said = [""]

    def tells():
        said[0] = t.run([f"{t.bin}/brusio-relay", "status", "--dir", x]).out
        return re.search(r"3 of 4: .*banned it: spam; 1 of 4: it waits",
                         said[0])
    try:
        t.wait(tells, 60, "all answers in the status")
    except Failed:
        raise Failed(said[0][-600:]) from None


@row("N2.20", "nobody says that another machine has this identity")
def copied_identity(t):
    net = t.net(**SMALL)
    program = f"{t.bin}/brusio-relay"
    x = relay(t, net.network_json)
    t.start([program, "run", "--dir", x])
    t.wait(lambda: any(n.startswith("consensus-") for n in os.listdir(x)), 60,
           "a consensus")
    y = t.place("copy")
    shutil.copytree(x, y)  # of an earlier day: without the keys of this one
    for name in os.listdir(y):
        if name.startswith(("packet-", "consensus-")) or name == "status.json":
            os.unlink(f"{y}/{name}")
    with open(f"{y}/relay.conf", "a") as f:
        f.write(f'addresses = {{"127.0.0.1:{port_free()}"}}\n'
                "assume_reachable = true\n")
    with open(f"{y}/relay.conf") as f:
        text = re.sub(r'^listen = ".*"', f'listen = "127.0.0.1:{port_free()}"',
                      f.read(), flags=re.M)
    with open(f"{y}/relay.conf", "w") as f:
        f.write(text)
    t.start([program, "run", "--dir", y])
    t.wait(lambda: any("another machine runs with this relay's identity" in
                       t.run([program, "status", "--dir", d]).out
                       for d in (x, y)), 150, "a word about the other one")


@row("N2.30", "nobody says why there is no consensus")
def no_consensus(t):
    net = t.net(**SMALL)
    r = t.run([f"{t.bin}/brusio-relay", "leave", "--dir", f"{net.dir}/mix-1"])
    t.check(r.rc == 0, r)

    def log():
        with open(f"{net.dir}/authority-1/log") as f:
            return f.read()
    t.wait(lambda: "no consensus comes of the votes" in log(), 100, "the reason")
    t.check("a layer of the mixes would be without a relay; see who is let in"
            in log(), log())
    time.sleep(35)
    t.check(log().count("no consensus comes") == 1, log())


@row("N2.25", "leave wants the relay stopped, and then that it had run on")
def leaving(t):
    net = t.net(**dict(SMALL, mixes=2))
    program = f"{t.bin}/brusio-relay"
    d = f"{net.dir}/mix-6"
    t.wait(lambda: healthy(t, d), 90, "a healthy relay")
    r = t.run([program, "leave", "--dir", d])
    t.check(r.rc == 0 and "1 of 1 authorities know" in r.out and
            "end it when 'status'" in r.out, r)
    t.wait(lambda: "it has left: the consensus of epoch" in
           t.run([program, "status", "--dir", d]).out, 150, "it to be out")
    r = t.run([program, "join", "--dir", d])
    t.wait(lambda: healthy(t, d), 150, "it to be in again")
    x = relay(t, net.network_json)
    t.run([program, "leave", "--dir", x])
    p = t.start([program, "run", "--dir", x])
    t.wait(lambda: os.path.exists(f"{x}/status.json"), 20, "it to run")
    p.stop()
    t.run([program, "leave", "--dir", x])
    r = t.run([program, "status", "--dir", x])
    t.check("it has left the network" in r.out.replace("the relay has", "it has")
            and "'brusio-relay join' or 'run' brings it back" in r.out, r)


@row("N2.26", "three defaults for one address, and one that cannot work")
def default_listen(t):
    program = f"{t.bin}/brusio-relay"
    r = t.run([program, "--help"])
    t.check("127.0.0.1:7100, where this machine alone" in r.out and
            "0.0.0.0:7100 is every address" in r.out, r)
    d, _ = authority(t)
    run_authority(t, d)
    # the questions' answers, each the default
    x = t.place("relay")
    r = t.run(["script", "-qec", f"{program} init --dir {x}", "/dev/null"],
              input="\n\n\n\n")
    t.check(r.rc == 0 and "others reach it [found by itself]" in r.out, r)
    shutil.copy(f"{d}/network.json", x)
    r = t.run([program, "check", "--dir", x], timeout=60)
    t.check("published is 127.0.0.1:7100" in r.out and
            "does not say which one" not in r.out, r)


@row("N2.9", "the page prepares an epoch that is there")
def page_epochs(t):
    net = t.net(**SMALL)
    log = f"{net.dir}/authority-1/log"
    with open(f"{net.dir}/authority-1/directory.conf") as f:
        address = re.findall(r'^listen = "(.*)"', f.read(), re.M)[-1]

    def page():
        with urllib.request.urlopen(f"http://{address}/", timeout=10) as r:
            return r.read().decode()
    end = time.monotonic() + 40
    seen = set()
    while time.monotonic() < end:
        text = page()
        newest = int(re.search(r"consensus is of epoch (\d+)", text).group(1))
        said = re.search(r"Epoch (\d+) (is being prepared|comes next)", text)
        t.check(said and int(said.group(1)) > newest,
                f"epoch {newest} is there, and {said and said.group(0)}")
        begun = "It is the present one." in text
        early = "It is about to begin." in text
        t.check(begun != early, "neither begun nor about to")
        seen.add(early)
        time.sleep(0.5)
    t.check(seen == {True, False}, "an epoch that is about to begin is not seen")
    t.check(os.path.exists(log), "no log")


@row("N2.27", "the page breaks identities, and calls every relay bad")
def page_columns(t):
    net = t.net_shared()
    with open(f"{net.dir}/authority-1/directory.conf") as f:
        address = re.findall(r'^listen = "(.*)"', f.read(), re.M)[-1]
    with urllib.request.urlopen(f"http://{address}/", timeout=10) as r:
        text = r.read().decode()
    t.check("td code{white-space:nowrap}" in text, "identities may break")
    t.check("<span>not IPv6</span>" in text, "a lack of IPv6 is red")
    t.check(re.search(r"Votes and signatures are those for epoch \d+\.", text),
            "'not yet' for which epoch?")
    identity = t.run([f"{t.bin}/brusio-relay", "init", "--dir",
                      f"{net.dir}/mix-1"]).out.split()[1]
    t.check(f"<tr id=r{identity}>" in text, "no relay can be linked to")


# ---- building ----

def bare_make(t, *words, path):
    """make in a copy of the build files, with these commands alone."""
    return t.run(["make", "-C", ROOT, f"OUT={t.dir}/out", *words],
                 env={"PATH": path}, timeout=60)


def bare_path(t, without):
    """A folder of the usual commands, but for these."""
    d = t.place("bin")
    os.mkdir(d)
    for folder in ("/usr/bin", "/bin", "/usr/sbin", "/sbin"):
        for name in os.listdir(folder):
            if not any(re.fullmatch(w, name) for w in without) and \
                    not os.path.lexists(f"{d}/{name}"):
                os.symlink(f"{folder}/{name}", f"{d}/{name}")
    return d


@row("N0.1 N0.2", "make on a bare machine says nothing of use")
def bare_machine(t):
    path = bare_path(t, [r"(.*-)?(gcc|cc|c99|c89|clang|pkg-config|pkgconf)"
                         r"(-[\d.]+)?"])
    r = bare_make(t, "all", path=path)
    said = r.out + r.err
    t.check(r.rc == 2 and ("make deps-build" in said or
                           "does not work; see CC" in said), r)
    # row 0.1: before that, nothing that looks like a failure
    t.check("No such file or directory" not in said, r)
    t.check("deps-build" in t.run(["make", "-C", ROOT, "help"]).out, "no help")


@row("N0.3 N0.4", "an installed library is not found")
def installed_library(t):
    with open(f"{ROOT}/README.md") as f:
        text = f.read()
    t.check("ldconfig" in text, "README does not speak of ldconfig")
    # row 0.3: what is used is installed before
    t.check(text.index("make install") < text.index("brusio-testnet run"),
            "programs are used before it is said how they are installed")
    r = t.run(["make", "-C", ROOT, "-n", "install-libs"])
    t.check(r.rc == 0 and "LD_LIBRARY_PATH=" in r.out, r)


# ---- the terminal closes ----

@row("O9", "SIGHUP throws away what a simulation has, and ends what nohup started")
def hangups(t):
    scenario = f"{t.dir}/net.json"
    with open(scenario, "w") as f:
        f.write('{"format": 1, "network": {"layers": 3, "width": 2},'
                '"clients": [{"count": 100, "rate": 4}],'
                '"measure": {"targets": 8}}')

    def simulate(*before):
        p = t.start([*before, f"{t.bin}/brusio-sim", "run", scenario, "--runs",
                     "4000", "--threads", "1", "--json", f"{t.dir}/o.json"])
        t.wait(lambda: re.search(r"[1-9]\d* % of", p.err()), 60, "runs to end")
        return p
    p = simulate()
    p.send_signal(signal.SIGHUP)
    p.send_signal(signal.SIGHUP)  # the shell's, behind the terminal's
    t.check(p.wait(60) == 1 and "interrupted" in p.err(), p.err())
    with open(f"{t.dir}/o.json.part" if os.path.exists(f"{t.dir}/o.json.part")
              else f"{t.dir}/o.json") as f:
        t.check("mean" in f.read(), "nothing of what had ended")
    d = t.place("net")
    options = [x for k, v in SMALL.items() for x in (f"--{k}", str(v))]
    net = t.start(["nohup", f"{t.bin}/brusio-testnet", "run", "--dir", d,
                   "--clients", "0", *options])
    sim = simulate("nohup")
    t.wait(lambda: "\nready\n" in net.out() or net.poll() is not None, 120,
           "the network")
    for p in (net, sim):
        p.send_signal(signal.SIGHUP)
    time.sleep(2)
    t.check(net.poll() is None and sim.poll() is None,
            f"ended: {net.out()[-200:]} {sim.err()[-200:]}")
    for p in (net, sim):
        p.send_signal(signal.SIGINT)
    t.check(sim.wait(60) == 1 and net.wait(60) is not None, "SIGINT")
