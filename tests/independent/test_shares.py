"""Dealings and opened shares (PROTOCOL.md 9.4)."""
import shares
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
    dealing, secret = shares.deal(context, degree, at, keys, lambda: scalar_draw(t))
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
