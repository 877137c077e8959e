"""Rows about commands and first steps: what people type, and what they are told."""
import os
import subprocess

from harness import row


@row("N1.6 N1.31", "init takes any file for a network file")
def init_checks(t):
    net = t.net_shared()
    place = f"{t.dir}/k"
    with open(f"{t.dir}/empty.json", "w") as f:
        f.write("{}")
    with open(net.network_json, "rb") as f:
        whole = f.read()
    with open(f"{t.dir}/cut.json", "wb") as f:
        f.write(whole[:len(whole) // 2])
    for wrong in ("/etc/passwd", f"{t.dir}/empty.json", f"{t.dir}/cut.json",
                  "/nowhere", t.dir):
        r = t.run([f"{t.bin}/brusio-client", "init", "--dir", place,
                   "--network", wrong])
        t.check(r.rc == 1 and wrong in r.err, f"{wrong}: {r}")
        t.check(not os.path.exists(place), f"{wrong}: something was written")
    argv = [f"{t.bin}/brusio-client", "init", "--dir", place, "--network",
            net.network_json]
    r = t.run(argv)
    t.check(r.rc == 0 and f"brusio-client run --dir {place}" in r.out, r)
    r = t.run(argv)
    t.check(r.rc == 1 and "there already" in r.err and "--dir" in r.err, r)


@row("N1.11", "errors of files say neither which nor why")
def file_errors(t):
    net = t.net_shared()
    client = f"{t.bin}/brusio-client"
    r = t.run([client, "init", "--dir", f"{t.dir}/a/b/c", "--network",
               net.network_json])
    t.check(r.rc == 1 and "a/b/c: No such file or directory" in r.err, r)
    k = t.client("k", net)
    for path, why in ((t.dir, "Is a directory"), ("/no/file", "No such file"),
                      ("x" * 300, "File name too long")):
        r = k.cmd("send", "k", "--file", path)
        t.check(r.rc == 1 and why in r.err and path in r.err, r)


@row("N1.13", "an empty HOME makes a directory in /")
def empty_home(t):
    for home in ("", "relative"):
        r = t.run([f"{t.bin}/brusio-client", "status"], env={"HOME": home})
        t.check(r.rc == 2 and "HOME" in r.err and "--dir" in r.err, r)


@row("N1.28", "help, and options before the command")
def help_and_options(t):
    for name, command in (("client", "send"), ("relay", "init"),
                          ("directory", "init"), ("testnet", "run"),
                          ("sim", "run")):
        program = f"{t.bin}/brusio-{name}"
        whole = t.run([program, "--help"])
        t.check(whole.rc == 0 and whole.out.startswith("usage:"), whole)
        for words in (["-h"], ["help"]):
            r = t.run([program] + words)
            t.check(r.rc == 0 and r.out == whole.out, f"{name} {words}: {r}")
        for words in ([command, "--help"], ["help", command], [command, "-h"]):
            r = t.run([program] + words)
            t.check(r.rc == 0 and r.out.startswith("usage:") and
                    command in r.out and len(r.out) < len(whole.out) or
                    name == "testnet", f"{name} {words}: {r}")
        for words in ([], ["nonsense"], ["help", "nonsense"], ["--nonsense"],
                      [command, "--nonsense"]):
            r = t.run([program] + words)
            t.check(r.rc == 2 and r.err, f"{name} {words}: {r}")
    r = t.run([f"{t.bin}/brusio-client", "--dir", f"{t.dir}/none", "status"])
    t.check(r.rc == 1 and "no client answers" in r.err, r)


@row("N1.29", "numbers and words that are not wanted")
def wrong_words(t):
    client = [f"{t.bin}/brusio-client"]
    for words in (["recv", "--wait", "soon"], ["recv", "--count", "0"],
                  ["ping", "b", "--wait", "-1"], ["send", "b", "hi", "5"],
                  ["send", "b", "--file", "a", "--file", "b"],
                  ["invite"], ["invite", "a", "b"], ["status", "x"],
                  ["pings", "b", "maybe"]):
        r = t.run(client + words + ["--dir", t.dir])
        t.check(r.rc == 2 and r.err, f"{words}: {r}")
    with open(f"{t.dir}/status", "w") as f:
        f.write("epoch 1\n")
    for name, words in (("directory", ["status"]), ("relay", ["status"]),
                        ("relay", ["top", "--once"]), ("directory", ["check"])):
        r = t.run([f"{t.bin}/brusio-{name}"] + words + ["x", "--dir", t.dir])
        t.check(r.rc == 2 and "'x'" in r.err, f"{name} {words}: {r}")
    for words in (["help", "send", "x"], ["completion", "bash", "x"]):
        r = t.run(client + words)
        t.check(r.rc == 2 and "'x'" in r.err, f"{words}: {r}")
    r = t.run(client + ["status", "--dir", ""])
    t.check(r.rc == 2 and "--dir" in r.err, r)


@row("N1.33", "a bad invitation: malformed input, of what?")
def bad_invitation(t):
    k = t.client("k", t.net_shared())
    t.wait(lambda: k.cmd("invite", "x").rc == 0, 60, "a consensus")
    for line in ("hello", "brusio1:", "brusio1:abc", "x" * 500):
        r = k.cmd("add", "b", line)
        t.check(r.rc == 1 and "invitation" in r.err, f"{line}: {r}")
        r = k.cmd("add", "b", "-", input=line + "\n")
        t.check(r.rc == 1 and "invitation" in r.err, f"{line} by a pipe: {r}")


@row("N1.37", "check looks at nothing but the configuration")
def client_check(t):
    net = t.net_shared()
    k = t.client("k", net)
    r = k.cmd("check")
    t.check(r.rc == 0 and "good: network" in r.out, r)
    for path in (k.dir, f"{k.dir}/client.db"):
        mode = os.stat(path).st_mode & 0o777
        os.chmod(path, mode | 0o044)
        r = k.cmd("check")
        t.check(r.rc == 1 and path in r.err and "chmod" in r.err, r)
        os.chmod(path, mode)
    os.rename(f"{k.dir}/network.json", f"{k.dir}/away")
    r = k.cmd("check")
    t.check(r.rc == 1 and "network.json" in r.err, r)
    os.rename(f"{k.dir}/away", f"{k.dir}/network.json")
    with open(f"{k.dir}/client.conf", "a") as f:
        f.write("profil = 1\n")
    r = k.cmd("check")
    t.check(r.rc == 1 and "client.conf" in r.err, r)


@row("N1.37b", "a profile changed by hand is taken without a word")
def profile_changed(t):
    k = t.client("k", t.net_shared())
    k.stop()
    conf = f"{k.dir}/client.conf"
    with open(conf) as f:
        text = f.read()
    with open(conf, "w") as f:
        f.write(text.replace('profile = "fast"', 'profile = "light"'))
    for command in ("check", "run"):
        r = k.cmd(command, timeout=20)
        t.check(r.rc == 1 and conf in r.err and "'light'" in r.err and
                f"{k.dir}/profile" in r.err and "chosen once" in r.err, r)
    with open(conf, "w") as f:
        f.write(text)
    t.check(k.cmd("check").rc == 0, "set back")
    os.unlink(f"{k.dir}/profile")  # a directory of before has none
    k.start()
    with open(f"{k.dir}/profile") as f:
        t.check(f.read() == "fast", "the profile is noted")


@row("N1.40", "no completion")
def completion(t):
    """Of each program; bash completes a command, its options, a value."""
    ask = """
    eval "$1"
    COMP_WORDS=("${@:3}") COMP_CWORD=$(($# - 3)) COMPREPLY=()
    $2
    echo "${COMPREPLY[*]}"
    """
    for name in ("client", "relay", "directory", "testnet", "sim"):
        program = f"{t.bin}/brusio-{name}"
        for shell in ("bash", "zsh", "fish"):
            r = t.run([program, "completion", shell])
            t.check(r.rc == 0 and f"brusio-{name}" in r.out, r)
        script = t.run([program, "completion", "bash"]).out
        asked = ["bash", "-c", ask, "bash", script, f"_brusio_{name}",
                 f"brusio-{name}"]
        r = t.run(asked + ["r"])
        t.check(r.rc == 0 and "run" in r.out.split(), f"{name}: {r}")
        r = t.run(asked + ["nothing"])
        t.check(r.out == "\n", r)
    script = t.run([f"{t.bin}/brusio-client", "completion", "bash"]).out
    asked = ["bash", "-c", ask, "bash", script, "_brusio_client",
             "brusio-client", "--dir", "x", "send", "b"]
    r = t.run(asked + ["--f"])
    t.check(r.out == "--file\n", r)
    r = t.run(asked + ["t"])
    t.check(r.out == "\n", r)


@row("R6b", "a program whose outputs are closed prints into its files")
def closed_descriptors(t):
    k = t.client("k", t.net_shared())
    k.stop()
    t.start(["sh", "-c", 'exec "$@" >&- 2>&- <&-', "sh"] + k.argv("run"))
    t.wait(lambda: k.cmd("status").rc == 0, 30, "a client without outputs")
    t.wait(lambda: k.cmd("invite", "x").rc == 0, 60, "an invitation")
    for name in ("client.db", "client.db-keys"):
        with open(f"{k.dir}/{name}", "rb") as f:
            t.check(b"brusio-client" not in f.read(), f"a log in {name}")
    r = t.run(["sh", "-c", '"$@" >&-', "sh"] + k.argv("invite", "y"))
    t.check(r.rc == 1 and "output" in r.err, f"printed nowhere: {r}")


@row("R6d", "output that fails counts as success")
def full_output(t):
    commands = [["brusio-directory", "init", "--dir", f"{t.dir}/d"],
                ["brusio-relay", "init", "--dir", f"{t.dir}/r", "--role", "mix"],
                ["brusio-relay", "check", "--dir", f"{t.dir}/r"],
                ["brusio-sim", "schema"], ["brusio-sim", "metrics"]]
    for name in ("client", "relay", "directory", "sim", "testnet"):
        commands.append([f"brusio-{name}", "--help"])
        commands.append([f"brusio-{name}", "completion", "bash"])
    for command in commands:
        with open("/dev/full", "wb") as full:
            r = t.run([f"{t.bin}/{command[0]}"] + command[1:], stdout=full)
        t.check(r.rc == 1 and "standard output" in r.err and
                "No space left" in r.err, f"{command}: {r}")


@row("R31 N1.31", "a terminal that closes ends the client")
def hangup(t):
    import signal
    k = t.client("k", t.net_shared())
    t.wait(lambda: "connected to the gateway" in k.log(), 30,
           "a word that it is connected: " + k.log())
    k.program.send_signal(signal.SIGHUP)
    t.wait(lambda: k.cmd("status").rc == 0, 5, "it to live on")
    t.check(k.program.poll() is None, "it ended")
    t.check(k.stop() == 0, "SIGTERM ends it well")


@row("R34 N1.21", "one line of a log over and over")
def log_floods(t):
    net = t.net(gateways=1)
    k = t.client("k", net)
    t.wait(lambda: "connected to the gateway" in k.log(), 30, "a link")
    net.program.stop()
    t.wait(lambda: "no link to the gateway 127.0.0.1:" in k.log(), 30, k.log())
    import time
    time.sleep(20)
    t.check(k.log().count("\n") <= 4, k.log())
    r = k.cmd("status")
    t.check("not sending: it waits for a link to a gateway" in r.out, r)


@row("R15 N1.25", "contacts are for ever")
def contacts_go(t):
    a, b = t.pair(t.net_shared())
    for words in (["invite", "bob"], ["invite", "carol"]):
        t.check(a.cmd(*words).rc == 0, words)
    r = a.cmd("invite", "bob")
    t.check(r.rc == 1 and "there is a contact of this name" in r.err, r)
    for words in (["withdraw", "bob"], ["invite", "bob"], ["remove", "bob"],
                  ["rename", "carol", "bob"], ["mute", "b"], ["unmute", "b"],
                  ["remove", "b"], ["invite", "b"]):
        r = a.cmd(*words)
        t.check(r.rc == 0, f"{words}: {r}")
    names = [x.split()[0] for x in a.cmd("contacts").out.splitlines()]
    t.check(sorted(names) == ["b", "bob"], names)
    del b


@row("R30", "what was read stays on the disk")
def erased(t):
    a, b = t.pair(t.net_shared())
    marker = "MARKER-7261-of-a-text"
    t.check(a.cmd("send", "b", marker, "--wait", timeout=300).rc == 0, "sent")
    r = b.cmd("recv", "--wait", "60", timeout=70)
    t.check(marker in r.out, r)
    for k in (a, b):
        t.check(k.stop() == 0, "a clean end")
        for name in os.listdir(k.dir):
            with open(f"{k.dir}/{name}", "rb") as f:
                t.check(marker.encode() not in f.read(), f"{name} has it")


@row("R37", "a network file with a mark of its byte order")
def byte_order(t):
    net = t.net_shared()
    with open(net.network_json, "rb") as f:
        text = f.read()
    init = [f"{t.bin}/brusio-client", "init", "--dir"]
    for name, more in (("bom", b"\xef\xbb\xbf" + text),
                       ("utf16", text.decode().encode("utf-16"))):
        with open(f"{t.dir}/{name}.json", "wb") as f:
            f.write(more)
    r = t.run(init + [f"{t.dir}/bom", "--network", f"{t.dir}/bom.json"])
    t.check(r.rc == 0, r)
    r = t.run([f"{t.bin}/brusio-client", "check", "--dir", f"{t.dir}/bom"])
    t.check(r.rc == 0, r)
    r = t.run(init + [f"{t.dir}/x", "--network", f"{t.dir}/utf16.json"])
    t.check(r.rc == 1 and "utf16.json" in r.err and "UTF-8" in r.err, r)


@row("N1.21", "the network file is another's")
def other_network(t):
    net = t.net_shared()
    with open(net.network_json) as f:
        import json
        root = json.load(f)
    for a in root["authorities"]:
        a["identity"] = a["identity"][::-1]
    path = f"{t.dir}/network.json"
    with open(path, "w") as f:
        json.dump(root, f)

    class Other:
        network_json = path
    k = t.client("k", Other)
    t.wait(lambda: "is that the right file" in k.cmd("status").out or
           "is network.json the right file" in k.cmd("status").out, 60,
           "a word of status")
    t.wait(lambda: "is it the right file" in k.log(), 100, "a word of the log")
