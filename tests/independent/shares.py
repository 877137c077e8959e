"""The shared value: dealings, opened shares, the secret (PROTOCOL.md 9.4)."""
from primitives import Refused, blake, number
from ristretto import BASE, L, NEUTRAL, decode, from_hash, scalar_read, scalar_write, wide

GENERATOR = from_hash(blake(512, b"brusio/1 share generator"))


def context_of(epoch, author, network):
    """Say who deals what for."""
    return blake(256, b"brusio/1 deal" + number(epoch, 4) + author + network.encode())


def at_place(commitments, i):
    """Give X_i, what p(i) is committed to."""
    total, power = NEUTRAL, 1
    for c in commitments:
        total, power = total + power * c, power * i % L
    return total


def deal_challenge(context, commitments, holders):
    """Hash what a dealing says: holders are (i, P_i, Y_i, w_i g, w_i P_i), encoded."""
    message = bytes([len(commitments) - 1, len(holders)]) + b"".join(commitments)
    for i, *points in holders:
        message += bytes([i]) + b"".join(points)
    return wide(blake(512, b"brusio/1 share deal" + context + message))


def deal(context, degree, at, keys, draw):
    """Deal a secret to the holders at these places; draw gives scalars. Gives the
    dealing and the secret."""
    polynomial = [draw() for _ in range(degree + 1)]
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


def sum_encoded(point):
    """Write a sum, which may not be the neutral element."""
    if point.is_neutral():
        raise Refused("POINT")
    return point.encode()


def deal_check(context, at, keys, dealing):
    """Refuse a dealing that does not check."""
    commitments = [decode(c) for c in dealing["commitments"]]
    c, holders = scalar_read(dealing["challenge"]), []
    for i, key, share, response in zip(at, keys, dealing["shares"], dealing["responses"]):
        r, x = scalar_read(response), at_place(commitments, i)
        sum_encoded(x)
        first = r * GENERATOR + c * x
        second = r * decode(key) + c * decode(share)
        holders.append((i, key, share, sum_encoded(first), sum_encoded(second)))
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
    c, r = scalar_read(opened["challenge"]), scalar_read(opened["response"])
    first = r * BASE + c * decode(key)
    second = r * decode(opened["point"]) + c * decode(share)
    if open_challenge(context, key, share, opened["point"], sum_encoded(first),
                      sum_encoded(second)) != c:
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
