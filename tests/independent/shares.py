"""The shared value: dealings, opened shares, the secret (PROTOCOL.md 9.4)."""
from primitives import Refused, blake, number
from ristretto import BASE, L, NEUTRAL, decode, from_hash, scalar_read, scalar_write, wide

GENERATOR = from_hash(blake(512, b"brusio/1 share generator"))


def context_of(epoch, author, network):
    """Say who deals what for."""
    return blake(256, b"brusio/1 deal" + number(epoch, 4) + author + network.encode())


def product(scalar, point):
    """Multiply; a result that is the neutral element is refused."""
    found = scalar * point
    if found.is_neutral():
        raise Refused("POINT")
    return found


def at_place(commitments, i):
    """Give X_i, what p(i) is committed to, from the last commitment on."""
    total = commitments[-1]
    for c in reversed(commitments[:-1]):
        total = product(i, total) + c
    return total


def response_read(data):
    """Read a response: its highest bit is not looked at, nor is it below the order."""
    return int.from_bytes(data, "little") % 2**255 % L


def deal_challenge(context, commitments, holders):
    """Hash what a dealing says: holders are (i, P_i, Y_i, w_i g, w_i P_i), encoded."""
    message = bytes([len(commitments) - 1, len(holders)]) + b"".join(commitments)
    for i, *points in holders:
        message += bytes([i]) + b"".join(points)
    return wide(blake(512, b"brusio/1 share deal" + context + message))


def deal(context, polynomial, at, keys, draw):
    """Deal polynomial's secret to the holders at these places; draw gives scalars.
    Gives the dealing and the secret."""
    commitments = [(a * GENERATOR).encode() for a in polynomial]
    values = [sum(a * pow(i, j, L) for j, a in enumerate(polynomial)) % L for i in at]
    nonces, holders, shares = [draw() for _ in at], [], []
    for i, key, value, w in zip(at, keys, values, nonces):
        point = decode(key)
        shares.append((value * point).encode())
        holders.append((i, key, shares[-1], (w * GENERATOR).encode(), (w * point).encode()))
    c = deal_challenge(context, commitments, holders)
    return {"commitments": commitments, "shares": shares, "challenge": scalar_write(c),
            "responses": [scalar_write(w - c * v) for w, v in zip(nonces, values)]
            }, (polynomial[0] * BASE).encode()


def deal_check(context, at, keys, dealing):
    """Refuse a dealing that does not check."""
    commitments = [decode(c) for c in dealing["commitments"]]
    c, holders = scalar_read(dealing["challenge"]), []
    for i, key, share, response in zip(at, keys, dealing["shares"], dealing["responses"]):
        r, x = response_read(response), at_place(commitments, i)
        first = product(r, GENERATOR) + product(c, x)
        second = product(r, decode(key)) + product(c, decode(share))
        holders.append((i, key, share, first.encode(), second.encode()))
    if deal_challenge(context, dealing["commitments"], holders) != c:
        raise Refused("PROOF")


def open_challenge(context, key, share, point, first, second):
    """Hash what an opened share says."""
    message = context + key + share + point + first + second
    return wide(blake(512, b"brusio/1 share open" + message))


def share_open(context, key, share, secret, w):
    """Open a share with its holder's secret; w is random."""
    point = pow(secret, -1, L) * decode(share)
    encoded = point.encode()
    first, second = (w * BASE).encode(), (w * point).encode()
    c = open_challenge(context, key, share, encoded, first, second)
    return {"point": encoded, "challenge": scalar_write(c),
            "response": scalar_write(w - c * secret)}


def share_open_check(context, key, share, opened):
    """Refuse an opened share that does not check."""
    c, r = scalar_read(opened["challenge"]), response_read(opened["response"])
    first = product(r, BASE) + product(c, decode(key))
    second = product(r, decode(opened["point"])) + product(c, decode(share))
    if open_challenge(context, key, share, opened["point"], first.encode(),
                      second.encode()) != c:
        raise Refused("PROOF")


def combine(at, points):
    """Give the secret of as many opened shares as it takes."""
    total = NEUTRAL
    for i, point in zip(at, points):
        factor = 1
        for j in at:
            if j != i:
                factor = factor * j * pow(j - i, -1, L) % L
        total = total + factor * decode(point)
    return total.encode()


def shared_random(epoch, secrets):
    """Give the shared value of the good dealings' secrets, in their authors' order."""
    return blake(256, b"brusio/1 random" + number(epoch, 4) + b"".join(secrets))
