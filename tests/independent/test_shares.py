"""Dealings and opened shares (PROTOCOL.md 9.4)."""
import documents
import schema
import shares
import tally
import worlds
from harness import plain
from primitives import ed25519_public
from ristretto import BASE, L


def scalar_draw(t):
    """Draw a scalar."""
    return 1 + t.below(L - 1)


def dealing_draw(t, n, degree):
    """Draw holders and deal to them here."""
    at = sorted(t.random.sample(range(1, 17), n))
    secrets = [scalar_draw(t) for _ in at]
    keys = [(x * BASE).encode() for x in secrets]
    context = shares.context_of(t.edge(2**32 - 17, 1), t.bytes(32), "network")
    polynomial = [scalar_draw(t) for _ in range(degree + 1)]
    dealing, secret = shares.deal(context, polynomial, at, keys, lambda: scalar_draw(t))
    return {"at": at, "secrets": secrets, "keys": keys, "context": context,
            "dealing": dealing, "secret": secret, "degree": degree}


def holders_words(d):
    """Say the holders of a dealing to C."""
    return {"at": bytes(d["at"]), "keys": b"".join(d["keys"]), "context": d["context"],
            "degree": d["degree"]}


def dealing_words(d):
    """Say a dealing to C."""
    told = d["dealing"]
    return {**holders_words(d), "commitments": b"".join(told["commitments"]),
            "shares": b"".join(told["shares"]), "responses": b"".join(told["responses"]),
            "challenge": told["challenge"]}


def dealing_of_c(t, d):
    """Have C deal to the same holders; put what it dealt in the place of ours."""
    said = t.ask("deal", **holders_words(d), seed=t.bytes(32))
    told = {}
    for key in ("commitments", "shares", "responses"):
        data = bytes.fromhex(said[key])
        told[key] = [data[i : i + 32] for i in range(0, len(data), 32)]
    return {**d, "dealing": {**told, "challenge": bytes.fromhex(said["challenge"])}}


def dealing_check(t, what, d):
    """Have both sides check a dealing."""
    def here():
        shares.deal_check(d["context"], d["at"], d["keys"], d["dealing"])
        return {}

    return t.alike(what, here, t.ask("deal_check", **dealing_words(d)))


def dealing_spoil(t, d):
    """Change one value of a dealing."""
    told = {k: list(v) if isinstance(v, list) else v for k, v in d["dealing"].items()}
    names = ("commitments", "shares", "responses", "challenge", "context", "at")
    name = t.random.choice(names)
    spoilt = {**d, "dealing": told}
    if name == "context":
        spoilt["context"] = t.changed(d["context"])
    elif name == "at":
        spoilt["at"] = d["at"][:-1] + [d["at"][-1] % 16 + 1]
    elif name == "challenge":
        told[name] = t.changed(told[name])
    else:
        k = t.below(len(told[name]))
        told[name][k] = t.changed(told[name][k])
    return name, spoilt


def opened_check(t, what, d, k, opened):
    """Have both sides check an opened share."""
    def here():
        shares.share_open_check(d["context"], d["keys"][k], d["dealing"]["shares"][k], opened)
        return {}

    said = t.ask("open_check", **dealing_words(d), holder=k, opened=opened)
    return t.alike(what, here, said)


def shares_open(t, d):
    """Open the shares of a dealing here and in C; give the points."""
    points = []
    for k, x in enumerate(d["secrets"][: d["degree"] + 1]):
        ours = shares.share_open(d["context"], d["keys"][k], d["dealing"]["shares"][k], x,
                                 scalar_draw(t))
        said = t.ask("open", **dealing_words(d), holder=k, secret=x.to_bytes(32, "little"),
                     seed=t.bytes(32))
        t.same("point", ours["point"], said["point"])
        theirs = {key: bytes.fromhex(value) for key, value in said.items()}
        for what, opened in (("ours", ours), ("theirs", theirs)):
            t.same(f"{what} checks", True, opened_check(t, what, d, k, opened))
        name = t.random.choice(("point", "challenge", "response"))
        opened_check(t, f"changed {name}", d, k, {**ours, name: t.changed(ours[name])})
        points.append(ours["point"])
    return points


def test_dealings(t):
    """Secrets dealt here and in C, checked, opened and put together."""
    for n, degree in ((1, 0), (3, 0), (4, 1), (5, 1)):
        d = dealing_draw(t, n, degree)
        for what, each in (("ours", d), ("theirs", dealing_of_c(t, d))):
            t.same(f"{what} checks", True, dealing_check(t, what, each))
            for _ in range(3):
                name, spoilt = dealing_spoil(t, each)
                dealing_check(t, f"{what} with another {name}", spoilt)
            points = shares_open(t, each)
            at = each["at"][: degree + 1]
            secret = shares.combine(at, points)
            if what == "ours":
                t.same("secret", secret, d["secret"].hex())
            t.found("secret", {"secret": secret},
                    t.ask("combine", **dealing_words(each), places=list(range(degree + 1)),
                          points=b"".join(points)))


def test_dealings_odd(t):
    """Dealings with witnesses of 0, sums that cancel, responses of the order and more."""
    for degree, cancels in ((1, None), (1, 0), (2, 1), (2, 0)):
        d = dealing_draw(t, degree + 2, degree)
        polynomial = [scalar_draw(t) for _ in range(degree + 1)]
        if cancels is not None:
            high = sum(a * pow(d["at"][0], j, L) for j, a in enumerate(polynomial)
                       if j > cancels) * pow(d["at"][0], -cancels, L)
            polynomial[cancels] = -high % L
        for w in (0, scalar_draw(t)):
            odd = {**d, "dealing": shares.deal(d["context"], polynomial, d["at"], d["keys"],
                                               lambda: w)[0]}
            dealing_check(t, f"degree {degree}, {cancels} cancels, witness {w}", odd)
            for more in (L, 2**255, 2**255 + L, 7 * L):
                told = list(odd["dealing"]["responses"])
                value = int.from_bytes(told[0], "little") + more
                told[0] = (value % 2**256).to_bytes(32, "little")
                changed = {**odd, "dealing": {**odd["dealing"], "responses": told}}
                dealing_check(t, f"response and {more}", changed)
    d = dealing_draw(t, 3, 0)
    for w in (0, 5):
        opened = shares.share_open(d["context"], d["keys"][0], d["dealing"]["shares"][0],
                                   d["secrets"][0], w)
        opened_check(t, f"opened with witness {w}", d, 0, opened)
        value = int.from_bytes(opened["response"], "little") + 2**255
        opened_check(t, "response and 2^255", d, 0,
                     {**opened, "response": value.to_bytes(32, "little")})
    for point in (bytes(32), b"\x01" + bytes(31), b"\xff" * 32):
        told = {**d["dealing"], "commitments": [point]}
        dealing_check(t, f"commitment {point.hex()}", {**d, "dealing": told})


def vote_dealt(t, n, start_s):
    """Draw a vote of one of n authorities, with a dealing to all or most of them."""
    seeds = {ed25519_public(s): s for s in (t.bytes(32) for _ in range(n))}
    ids, f = sorted(seeds), (n - 1) // 3
    holding = sorted(t.random.sample(ids, n - t.random.choice((0, f))))
    vote = {**worlds.vote_draw(t, schema), "author": ids[0].hex(), "descriptors": []}
    at, holders = [ids.index(i) + 1 for i in holding], []
    keys = [(scalar_draw(t) * BASE).encode() for _ in at]
    context = shares.context_of(vote["epoch"], ids[0], vote["network"])
    polynomial = [scalar_draw(t) for _ in range(f + 1)]
    dealt, _ = shares.deal(context, polynomial, at, keys, lambda: scalar_draw(t))
    for k, identity in enumerate(holding):
        c = documents.Certificate(t.bytes(32), keys[k], start_s - 5, start_s + t.below(9))
        c.sign(seeds[identity])
        holders.append({"from_s": c.from_s, "identity": identity, "key": c.key,
                        "response": dealt["responses"][k], "share": dealt["shares"][k],
                        "share_key": c.share_key, "signature": c.signature,
                        "until_s": c.until_s})
    vote["dealing"] = plain({"challenge": dealt["challenge"],
                             "commitments": dealt["commitments"], "holders": holders})
    return vote, ids


def dealing_judge(t, what, vote, ids, start_s):
    """Have both sides judge the dealing in a vote."""
    said = t.ask("dealing_judge", vote=documents.canonical(vote).decode(),
                 authorities=b"".join(ids), valid_after_s=start_s)
    return t.alike(what, lambda: tally.dealing_judge(vote, ids, start_s), said)


def test_dealings_in_votes(t):
    """The dealing of a vote: context, places, holders, certificates."""
    start_s = 1_800_000_000
    for n in (1, 4, 4):
        vote, ids = vote_dealt(t, n, start_s)
        t.same("is good", True, dealing_judge(t, "good", vote, ids, start_s))
        dealing_judge(t, "too late", vote, ids, start_s + 9)
        dealing_judge(t, "too early", vote, ids, start_s - 6)
        other = {**vote, "epoch": vote["epoch"] ^ 1 or 3}
        dealing_judge(t, "another epoch", other, ids, start_s)
        dealing_judge(t, "another network", {**vote, "network": "x"}, ids, start_s)
        dealing_judge(t, "another author", {**vote, "author": "11" * 32}, ids, start_s)
        less = {**vote["dealing"], "holders": vote["dealing"]["holders"][1:]}
        dealing_judge(t, "a holder less", {**vote, "dealing": less}, ids, start_s)
        strangers = sorted(ids[:-1] + [t.bytes(32)])
        dealing_judge(t, "a stranger", vote, strangers, start_s)
