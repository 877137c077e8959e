"""Bodies and signatures of documents (PROTOCOL.md 9.1, 9.2, 9.5, 9.6)."""
import copy
import json

import documents
import schema
import worlds
from primitives import Refused, blake, ed25519_public


def body_draw(t, kind):
    """Draw a body of this kind."""
    draws = {"consensus": lambda: worlds.consensus_draw(t, schema),
             "descriptor": lambda: worlds.descriptor_draw(t),
             "vote": lambda: worlds.vote_draw(t, schema)}
    return draws.get(kind, lambda: worlds.value_draw(t, schema.BODIES[kind]))()


def body_judge(t, what, kind, body):
    """Have both sides judge a body; say whether it is one."""
    def here():
        documents.brackets_check(body)
        schema.body_check(kind, documents.body_read(body))
        return {"body": body}

    said = t.ask("body_again", kind=kind, body=body, public_len=32)
    return t.alike(f"{kind}, {what}", here, said)


def places_of(value, field, path=()):
    """Find every place of a value with its type: (path, type)."""
    yield path, field
    if isinstance(field, schema.Object):
        for key, inner in field.fields.items():
            yield from places_of(value[key], inner, path + (key,))
    if isinstance(field, schema.List) and value:
        yield from places_of(value[0], field.item, path + (0,))


def replaced(value, path, new):
    """Copy value with another one at path."""
    value = copy.deepcopy(value)
    at = value
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = new
    return value


def test_bodies(t):
    """Bodies of every kind are read and written alike."""
    for kind in schema.BODIES:
        for _ in range(12):
            body = documents.canonical(body_draw(t, kind))
            t.same(f"{kind} is good: {body[:900]}", True, body_judge(t, "drawn", kind, body))


def full_draw(t, kind):
    """Draw a body in which no list is empty."""
    while True:
        value = body_draw(t, kind)
        found = [field for path, field in places_of(value, schema.BODIES[kind])
                 if isinstance(field, schema.List) and not at_path(value, path)]
        if not found:
            return value


def at_path(value, path):
    """Give what stands at path."""
    for step in path:
        value = value[step]
    return value


def test_ranges(t):
    """Every field of every body: its ends, and what is none of its values."""
    hybrid = t.ask("suite_works", suite=2)["works"]
    for kind in schema.BODIES:
        value = full_draw(t, kind)
        for path, field in list(places_of(value, schema.BODIES[kind])):
            for new in (field.wrong() + field.ends()) if path else []:
                if path[-1] != "suite" or new != 2 or hybrid:
                    body = documents.canonical(replaced(value, path, new))
                    body_judge(t, f"{path} is {str(new)[:80]}", kind, body)


def test_lists(t):
    """Lists that are too short or too long, in no order, or have an item twice."""
    for kind in schema.BODIES:
        value = full_draw(t, kind)
        for path, field in list(places_of(value, schema.BODIES[kind])):
            if not isinstance(field, schema.List):
                continue
            items = at_path(value, path)
            tries = [items + items[-1:], items[::-1], [], items[:1]]
            if field.most <= 32:
                for n in (field.most, field.most + 1):
                    more = [worlds.value_draw(t, field.item) for _ in range(n)]
                    tries.append(sorted(more, key=field.by) if field.by else more)
            for new in tries:
                body = documents.canonical(replaced(value, path, new))
                body_judge(t, f"{path} with {len(new)} items", kind, body)


def relations(value, kind):
    """Give paths and values that are right alone and may be wrong together."""
    if kind in ("consensus", "vote"):
        p, c = ("params",), ("params", "conversations")
        low = value["params"]["conversations"]["hold_min_s"]
        for path, new in ((c + ("hold_max_s",), low), (c + ("hold_max_s",), max(1, low - 1)),
                          (c + ("fronts",), 1), (c + ("fronts",), 2), (c + ("sweep",), 62),
                          (p + ("boards",), 0), (p + ("boards",), 4),
                          (p + ("list_entries",), 384), (p + ("list_entries",), 383)):
            yield path, new
        for hops in range(1, 9):
            yield p + ("geometry", "hops"), hops
        for layers in range(1, 7):
            yield p + ("layers",), layers
        for length in list(range(100, 2400, 61)) + [341, 342, 396, 397]:
            yield p + ("geometry", "packet_len"), length
    if kind in ("consensus", "descriptor"):
        place = ("relays", 0) if kind == "consensus" else ("relay",)
        for layer in range(8):
            yield place + ("layer",), layer
        for role in range(1, 4):
            yield place + ("role",), role
        for new in (1, 65535):
            yield place + ("protocol_max",), new
        for name in ("counts", "since"):
            yield place + (name,), 1
        yield place + ("placement",), "11" * 32
        yield place + ("family",), "00" * 32
    if kind == "descriptor":
        for new in (0, value["links"][0]["sent"], min(65535, value["links"][0]["sent"] + 1)):
            yield ("links", 0, "lost"), new
    if kind == "consensus":
        last = len(value["relays"]) - 1
        for new in ([0, 0], [1, 0], [0, last], [0, last + 1], [0], [0, 1, 0, 1]):
            yield ("cut",), new
        for a in range(min(6, last)):
            yield ("cut",), [a, a + 1]
        yield ("left_out",), [{"cut_permille": 1, "identity": "11" * 32}]


def test_relations(t):
    """Fields that have to go together."""
    for kind in ("consensus", "descriptor", "vote"):
        for _ in range(2):
            value = full_draw(t, kind)
            for path, new in relations(value, kind):
                body = documents.canonical(replaced(value, path, new))
                body_judge(t, f"{path} is {new}", kind, body)


def test_keys(t):
    """Keys that are missing, unknown or repeated, at any depth."""
    for kind in schema.BODIES:
        value = body_draw(t, kind)
        for path, field in list(places_of(value, schema.BODIES[kind])):
            if not isinstance(field, schema.Object):
                continue
            at = value
            for step in path:
                at = at[step]
            for key in at:
                less = {k: v for k, v in at.items() if k != key}
                new = replaced(value, path, less) if path else less
                body_judge(t, f"{path} without {key}", kind, documents.canonical(new))
                other = {**less, key + "x": at[key]}
                new = replaced(value, path, other) if path else other
                body_judge(t, f"{path} with {key}x", kind, documents.canonical(new))
            more = {**at, "zz": 1}
            new = replaced(value, path, more) if path else more
            body_judge(t, f"{path} with more", kind, documents.canonical(new))


def test_writing(t):
    """One way of writing alone: no white space, keys in order, no other numbers."""
    for kind in schema.BODIES:
        body = documents.canonical(body_draw(t, kind))
        wrong = [body + b"\n", b" " + body, body.replace(b":", b": ", 1), body[:-1],
                 body.replace(b",", b", ", 1), body + b"\0", b"", b"null", b"[]", b"{}",
                 body.replace(b'"network"', b'"\\u006eetwork"'),
                 json.dumps(json.loads(body), separators=(",", ":"))[::1].encode()]
        wrong.append(json.dumps(dict(reversed(json.loads(body).items())),
                                separators=(",", ":")).encode())
        for at in (b'"epoch":',):
            for prefix in (b"0", b"+", b"-", b" "):
                wrong.append(body.replace(at, at + prefix, 1))
            wrong.append(body.replace(at, at + b'1,"epoch":', 1))
        wrong.append(body.replace(b",", b".0,", 1))
        wrong.append(body.replace(b",", b"e0,", 1))
        for i, data in enumerate(wrong):
            body_judge(t, f"written wrongly, {i}", kind, data)
        for _ in range(20):
            body_judge(t, "changed", kind, t.changed(body))


def test_crowds(t):
    """Bodies with many brackets or commas."""
    hello = {"epoch": 1, "network": "n"}
    for commas in (32768, 40000):
        text = documents.canonical({**hello, "epoch": [1] * commas})
        body_judge(t, f"{commas} commas", "hello", text)
    for depth in (1000, 1024, 1100, 3000):
        text = b'{"epoch":' + b"[" * depth + b"]" * depth + b',"network":"n"}'
        said = t.ask("body_again", kind="hello", body=text)
        t.same(f"{depth} brackets", True, "err" in said)


def signer_draw(t, certified):
    """Draw a signer: what signs here, and what C is told."""
    seed = t.bytes(32)
    identity = ed25519_public(seed)
    if not certified:
        return {"seed": seed, "identity": identity, "certificate": None}
    key_seed = t.bytes(32)
    low, high = sorted((t.edge(2**48), t.edge(2**48)))
    certificate = documents.Certificate(ed25519_public(key_seed), t.bytes(32), low, high)
    return {"seed": key_seed, "identity": identity, "certificate": certificate.sign(seed)}


def certificate_words(c):
    """Say a certificate to C."""
    return {"key": c.key, "share_key": c.share_key, "from_s": c.from_s, "until_s": c.until_s,
            "signature": c.signature}


def signer_words(s):
    """Say a signer to C."""
    words = {"seed": s["seed"], "identity": s["identity"]}
    if s["certificate"]:
        words["certificate"] = certificate_words(s["certificate"])
    return words


def document_make(kind, body, signers):
    """Sign a body."""
    lines = [documents.document_sign(kind, body, s["seed"], s["identity"], s["certificate"])
             for s in signers]
    return documents.document_write(kind, body, lines)


def document_judge(t, what, kind, data, allowed, need, newest=None, at_s=None):
    """Have both sides judge a document."""
    def here():
        body = documents.document_open(kind, data, allowed, need, newest, at_s)
        return {"body": body, "digest": blake(256, body)}

    words = {} if at_s is None else {"at_s": at_s, "newest": [
        {"identity": k, **certificate_words(c)} for k, c in (newest or {}).items()]}
    said = t.ask("document_judge", kind=kind, document=data, need=need,
                 allowed=[{"identity": a} for a in allowed], **words)
    return t.alike(f"{kind}, {what}", here, said)


def test_signatures(t):
    """Documents, signed and opened both ways; changed ones are refused."""
    for kind in documents.KINDS:
        body = t.bytes(t.below(300)) if t.below(4) else b""
        signers = [signer_draw(t, t.below(2)) for _ in range(1 + t.below(5))]
        data = document_make(kind, body, signers)
        t.found(kind, {"document": data},
                t.ask("document_make", kind=kind, body=body,
                      keys=[signer_words(s) for s in signers]))
        allowed, n = [s["identity"] for s in signers], len(signers)
        t.same("good", True, document_judge(t, "good", kind, data, allowed, n))
        document_judge(t, "too few", kind, data, allowed, n + 1)
        document_judge(t, "others allowed", kind, data, allowed[1:], n)
        if n > 1:
            document_judge(t, "fewer allowed", kind, data, allowed[1:], n - 1)
        other = "hello" if kind != "hello" else "claim"
        document_judge(t, "another kind", other, data, allowed, n)
        for _ in range(30):
            document_judge(t, "changed", kind, t.changed(data), allowed, n)
        for i, wrong in enumerate(lines_wrong(data)):
            document_judge(t, f"wrong lines {i}", kind, wrong, allowed, n)


def lines_wrong(data):
    """Write a document's lines in ways that are none."""
    head, rest = data.split(b"\n", 1)
    tail = rest[rest.rindex(b"\nsig ") + 1 :] if b"\nsig " in rest else rest
    yield data + tail
    yield data[:-1]
    yield data + b"\n"
    yield data + b"sig\n"
    yield head.replace(b" ", b" 0") + b"\n" + rest
    yield head.replace(b" ", b"  ") + b"\n" + rest
    yield head.replace(b"/1", b"/2") + b"\n" + rest
    yield head + b" \n" + rest
    yield data.replace(b"sig ", b"Sig ", 1)
    yield data[: -len(tail)] + tail.upper().replace(b"SIG", b"sig")


def test_signers_many(t):
    """Thirty-two signers, and one more."""
    for n in (32, 33):
        signers = [signer_draw(t, False) for _ in range(n)]
        data = document_make("hello", b"x", signers)
        allowed = [s["identity"] for s in signers[:32]]
        document_judge(t, f"{n} signers", "hello", data, allowed, 32)


def test_revoked(t):
    """Certificates that cover a time, and newer ones that revoke them."""
    for _ in range(40):
        signers = [signer_draw(t, True) for _ in range(3)]
        data = document_make("consensus", b"{}", signers)
        newest, allowed = {}, [s["identity"] for s in signers]
        for s in signers:
            c = s["certificate"]
            if t.below(2):
                from_s = t.random.choice((c.from_s, c.from_s + 1, t.edge(2**48)))
                key = t.random.choice((c.key, t.bytes(32)))
                newest[s["identity"]] = documents.Certificate(
                    key, t.bytes(32), from_s, 2**48, t.bytes(64))
        c = t.random.choice(signers)["certificate"]
        at_s = t.random.choice((c.from_s, c.until_s, c.until_s + 1, c.from_s + 1))
        for need in range(4):
            document_judge(t, f"revoked, {need}", "consensus", data, allowed, need, newest,
                           at_s)


def test_certificates(t):
    """Certificates and families, both ways."""
    for _ in range(20):
        seed, identity = t.bytes(32), t.bytes(32)
        low, high = t.edge(2**48), t.edge(2**48)
        c = documents.Certificate(t.bytes(32), t.bytes(32), low, high).sign(seed)
        t.found("certificate", {"signature": c.signature},
                t.ask("certify", **certificate_words(c), seed=seed))
        good, at_s = ed25519_public(seed), t.random.choice((low, high, high + 1))
        for who in (good, t.changed(good)):
            def judge():
                c.check(who)
                return {"covers": c.covers(at_s)}
            t.alike("certificate", judge, t.ask("certificate_judge", **certificate_words(c),
                                                identity=who, at_s=at_s))
        signature, family = documents.family_sign(seed, identity), ed25519_public(seed)
        t.found("family", {"family": family, "signature": signature},
                t.ask("family_make", seed=seed, identity=identity))
        cases = [(family, signature), (t.changed(family), signature), (bytes(32), bytes(64)),
                 (family, t.changed(signature)), (bytes(32), signature), (family, bytes(64))]
        for name, told in cases:
            def check():
                documents.family_check(name, identity, told)
                return {}
            t.alike("family", check, t.ask("family_judge", family=name, identity=identity,
                                           signature=told))


def test_descriptors(t):
    """Signed descriptors."""
    for change in range(24):
        seed = t.bytes(32)
        d = worlds.descriptor_draw(t, seed)
        signed_by = seed if change % 6 else t.bytes(32)
        if change % 6 == 2:
            d["sphinx_keys"][-1] = "00" * 32
        if change % 6 == 3:
            d["sphinx_keys"][-1] = (2**255 - 20).to_bytes(32, "little").hex()
        family_sign = t.bytes(32)
        d["relay"]["family"] = ed25519_public(family_sign).hex()
        told = documents.family_sign(family_sign, bytes.fromhex(d["relay"]["identity"]))
        d["family_signature"] = (told if change % 6 != 4 else t.changed(told)).hex()
        data = document_make("descriptor", documents.canonical(d),
                             [{"seed": signed_by, "identity": None, "certificate": None}])

        def here():
            return {"identity": schema.descriptor_open(data)}

        t.alike(f"descriptor {change % 6}", here, t.ask("descriptor_judge", document=data))


def network_judge(t, what, text):
    """Have both sides judge a network file."""
    def here():
        schema.network_check(text)
        return {}

    return t.alike(f"network, {what}", here, t.ask("body_again", kind="network", body=text))


def test_networks(t):
    """The network file: any white space and order, and ranges."""
    for _ in range(10):
        value = worlds.value_draw(t, schema.NETWORK)
        value["geometry"] = {"suite": 1, "hops": 5, "packet_len": 2048, "delay_unit_us": 1000}
        text = json.dumps(value, indent=t.below(4)).encode()
        t.same("is one", True, network_judge(t, "drawn", text))
        for path, field in list(places_of(value, schema.NETWORK)):
            for new in (field.wrong() + field.ends()) if path else []:
                if path[-1] != "suite":
                    body = documents.canonical(replaced(value, path, new))
                    network_judge(t, f"{path} is {str(new)[:80]}", body)
        authorities = value["authorities"]
        for n in (0, 16, 17):
            many = [{"address": "a", "identity": t.bytes(32).hex()} for _ in range(n)]
            for key in ("authorities", "gateways"):
                network_judge(t, f"{n} {key}", documents.canonical({**value, key: many}))
        twice = {**value, "authorities": authorities + authorities[:1]}
        network_judge(t, "an authority twice", documents.canonical(twice))


def signed(body, signers):
    """Sign a consensus."""
    return document_make("consensus", documents.canonical(body), signers)


def consensus_next(t, consensus):
    """Draw a consensus that follows another: some relays change, go or come."""
    new = copy.deepcopy(consensus)
    kept = [r for r in new["relays"] if t.below(4)]
    for relay in kept:
        relay["sphinx_key"] = worlds.public_of(1, t.bytes(32)).hex()
        if t.below(3) == 0:
            relay["bandwidth"] = t.below(1000)
    layers = new["params"]["layers"]
    more = [worlds.relay_draw(t, 1 + t.below(3), layers) for _ in range(t.below(4))]
    new["relays"] = worlds.sorted_by("identity", kept + more)
    known = {r["identity"] for r in new["relays"]}
    new["left_out"] = [o for o in new["left_out"] if o["identity"] in known]
    return {**new, "cut": [], "epoch": (new["epoch"] + 1) % (2**32 - 16)}


def diff_judge(t, what, before, data):
    """Have both sides apply a diff and judge what comes out; say whether it is one."""
    return t.alike(f"diff, {what}", lambda: {"document": schema.diff_open(before, data)},
                   t.ask("patch", **{"from": before, "diff": data}))


def diff_drawn(t):
    """Draw two consensuses, the second after the first: signed, and their signers."""
    old = {**worlds.consensus_draw(t, schema), "cut": []}
    new, signers = consensus_next(t, old), [signer_draw(t, True) for _ in range(3)]
    return old, signed(old, signers), signed(new, signers), signers


def test_diffs(t):
    """Diffs, made and applied both ways."""
    for _ in range(10):
        old, before, after, signers = diff_drawn(t)
        ours = documents.diff_make(before, after)
        t.found("diff", {"diff": ours}, t.ask("diff", **{"from": before, "to": after}))
        t.same("what it leads to", documents.diff_apply(before, ours), after.hex())
        t.same("good", True, diff_judge(t, "as made", before, ours))
        for _ in range(6):
            diff_judge(t, "changed", before, t.changed(ours))
        other = signed({**old, "epoch": 5}, signers)
        diff_judge(t, "another base", other, ours)


def diffs_other(t, old, d):
    """Give other bodies of a diff from old, and what is so of them."""
    n, changed, keys, gone = len(old["relays"]), d["changed"], d["keys"], d["gone"]
    stay, head = [i for i in range(n) if i not in gone], d["consensus"]
    for new in (gone + [n], gone + [65535], [-1] + gone, gone + [stay[0]], gone[1:],
                gone[::-1], gone + gone, sorted(gone + stay[:1]), gone + ["x"]):
        yield f"gone is {new}", {"gone": new}
    yield "one more is gone", {"gone": sorted(gone + stay[:1]), "keys": keys[1:]}
    for new in (keys[1:], keys + ["11" * 32], ["11" * 31] + keys[1:], ["11" * 1216] + keys[1:],
                [5] + keys[1:], []):
        yield f"keys are {len(new)}, the first {str(new[:1])[:40]}", {"keys": new}
    whole = {r["identity"]: r for r in old["relays"] + changed}
    more = worlds.sorted_by("identity", whole.values())
    yield "all are changed", {"changed": more}
    yield "one comes back that is gone", {"changed": worlds.sorted_by("identity", [
        *(old["relays"][i] for i in gone[:1]), *changed])}
    for what, new in (("backwards", more[::-1]), ("twice", more + more[-1:]),
                      ("none", [])):
        yield f"changed, {what}", {"changed": new}
    for name, value in (("layer", 7), ("role", 2), ("protocol_max", 1), ("identity", "00" * 32),
                        ("sphinx_key", "11" * 1216), ("more", 1)):
        yield f"changed, {name} is {str(value)[:40]}", {"changed": [
            {**more[0], name: value}, *more[1:]]}
    for name, value in (("relays", old["relays"][:1]), ("cut", [0, 1]), ("cut", [1]),
                        ("left_out", [{"cut_permille": 1, "identity": "11" * 32}]),
                        ("more", 1), ("days", [])):
        yield f"{name} is {str(value)[:40]}", {"consensus": {**head, name: value}}
    for name, value in (("layers", 6), ("layers", 1), ("boards", 4), ("list_entries", 384)):
        yield f"{name} is {value}", {"consensus": replaced(head, ("params", name), value)}
    yield "more", {"more": 1}
    yield "another base", {"base": "11" * 32}


def test_diffs_wrong(t):
    """Diffs whose parts are none, or do not go together, and such as lead elsewhere."""
    for _ in range(4):
        old, before, after, _ = diff_drawn(t)
        body, lines = documents.lines_of(documents.diff_make(before, after))
        d = documents.body_read(body)
        for what, other in diffs_other(t, old, d):
            new = documents.canonical({**d, **other})
            diff_judge(t, what, before, f"brusio-diff/1 {len(new)}\n".encode() + new + b"\n"
                       + lines)
        for key in d:
            new = documents.canonical({k: v for k, v in d.items() if k != key})
            diff_judge(t, f"without {key}", before,
                       f"brusio-diff/1 {len(new)}\n".encode() + new + b"\n" + lines)
