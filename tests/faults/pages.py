"""Rows about man pages: their examples, run as they stand there."""
import os
import re

from harness import row
from operators import ROOT

# before some block of a page, what its words say has happened meanwhile
CONNECTED = """
until brusio-client status | grep '^connected, sending'; do sleep 0.3; done
until brusio-client status --dir ~/bob | grep '^connected, sending'; do
    sleep 0.3
done
"""
HEALTHY = "until brusio-relay status --dir ~/mix; do sleep 1; done\n"
WAITS_FOR_APPROVAL = """
brusio-relay init --dir ~/asks --listen 127.0.0.1:17198 \\
    --network /tmp/net/network.json
brusio-relay join --dir ~/asks || :
until brusio-directory pending --dir /tmp/net/authority-1 | grep ' mix '; do
    sleep 0.3
done
"""


def examples(path):
    """The blocks of a page's EXAMPLES, as a shell reads them."""
    with open(path) as f:
        text = f.read()
    found = re.search(r"\n\.Sh EXAMPLES\n(.*?)(?=\n\.Sh |\Z)", text, re.S)
    blocks = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed", found.group(1),
                        re.S | re.M)
    return [b.replace("\\e", "\\") for b in blocks]


def run_all(t, path, net=None, before=None, blocks=slice(None)):
    """Run a page's blocks, one after the other in one shell, which ends with
    the first command that fails."""
    home = t.place("home")
    os.mkdir(home)
    os.symlink(f"{ROOT}/tests", f"{home}/tests")
    taken = examples(f"{ROOT}/{path}")[blocks]
    t.check(taken, f"{path} has no examples")
    text = "set -ex -o pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n"
    for i, block in enumerate(taken):
        text += (before or {}).get(i, "") + block
    if net:
        text = text.replace("/tmp/net", net.dir)
    env = {"HOME": home, "PATH": f"{t.bin}:{os.environ['PATH']}"}
    r = t.run(["bash"], input=text, env=env, cwd=home, timeout=400)
    t.check(r.rc == 0, f"{path}: {r.err[-800:]}\n{r.out[-300:]}")
    return r


NUMBERS, TITLE = "N0.6", "examples of the man page do not work as written: "


@row(NUMBERS, TITLE + "brusio-client(1)")
def client(t):
    r = run_all(t, "client/daemon/brusio-client.1", t.net_shared(),
                {2: CONNECTED})
    for words in ("How are you?", "Well, thank you.", "from-alice.txt, 13893 bytes",
                  " confirmed"):
        t.check(words in r.out, f"'{words}' is not in {r.out}")


@row(NUMBERS, TITLE + "brusio-testnet(1)")
def testnet(t):
    wait = CONNECTED.replace("~/bob", "/tmp/net/client-2").replace(
        "status |", "status --dir /tmp/net/client-1 |")
    r = run_all(t, "testnet/brusio-testnet.1", t.net(clients=2), {0: wait},
                slice(1, 3))
    t.check("Is it raining?" in r.out, r)


@row(NUMBERS, TITLE + "brusio-relay(8)")
def relay(t):
    r = run_all(t, "relay/operator/brusio-relay.8", t.net(policy="manual"),
                {2: HEALTHY})
    t.check("healthy" in r.out and 'family = "' in r.out, r)


@row(NUMBERS, TITLE + "brusio-directory(8)")
def directory(t):
    run_all(t, "directory/daemon/brusio-directory.8", t.net(policy="manual"),
            {1: WAITS_FOR_APPROVAL})


@row(NUMBERS, TITLE + "brusio-sim(1), brusio-sphinx(1)")
def without_network(t):
    run_all(t, "sim/command/brusio-sim.1")
    run_all(t, "sphinx/tool/brusio-sphinx.1")


@row(NUMBERS, TITLE + "section 5")
def files(t):
    """Each file that a page shows is one that its program takes."""
    network = f"{t.dir}/network.json"
    with open(network, "w") as f:
        f.write(examples(f"{ROOT}/network/os/network.json.5")[0])
    for name, folder in (("client", "client/daemon"), ("relay", "relay/daemon"),
                         ("directory", "directory/daemon")):
        program, place = f"{t.bin}/brusio-{name}", t.place(name)
        page = f"{ROOT}/{folder}/brusio-{name}.conf.5.in"
        words = [] if name == "directory" else ["--network", network]
        r = t.run([program, "init", "--dir", place] + words)
        t.check(r.rc == 0, r)
        os.path.exists(f"{place}/network.json") or os.symlink(
            network, f"{place}/network.json")
        with open(f"{place}/{name}.conf", "w") as f:
            f.write(examples(page)[0])
        r = t.run([program, "check", "--dir", place])
        # the page's network has other machines than these
        missed = {"client": "names no gateway", "relay": "",
                  "directory": "does not list this authority"}[name]
        t.check(r.rc == 0 or name != "relay" and missed in r.err or
                "\nok: configuration: " in "\n" + r.out, f"{name}: {r}")
