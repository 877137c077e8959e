"""Whose a box is (PROTOCOL.md 8.3), and the values of days (9.3)."""
import functools

from primitives import Refused, blake, number

DAYS_MAX = 16


def wait(x):
    """W(x): about 2^30 (64 - log2 x), in integers."""
    h = x.bit_length() - 1
    m, f = x << 31 >> h, 0
    for _ in range(30):
        m, f = m * m >> 31, 2 * f
        if m >= 2**32:
            f, m = f + 1, m // 2
    return (64 - h) * 2**30 - f


def day_value(days, q, p):
    """V(p) by a consensus of period q with these days."""
    if p > q:
        return blake(256, b"brusio/1 day" + number(p, 4) + days[0])
    return days[min(q - p, len(days) - 1)]


def value_before(days, q, p):
    """V(p - 1), which decides for boxes of period p; of period 0 V(0)."""
    return day_value(days, q, max(p - 1, 0))


def counts_bit(q, p):
    """Say which bit of a store's counts is that of boxes of period p."""
    if p > q:
        return 0
    return min(15, q - max(p, 1) + 1)


def ranking(consensus, p, box):
    """Rank a consensus's stores for a box of period p: their numbers."""
    q = consensus["valid_after_s"] // consensus["params"]["period_s"]
    days = [bytes.fromhex(d) for d in consensus["days"]]
    value, bit = value_before(days, q, p), counts_bit(q, p)
    out = {o["identity"] for o in consensus["left_out"]}
    found = []
    for i, relay in enumerate(consensus["relays"]):
        if relay["role"] == 3 and relay["identity"] not in out:
            drawn = blake(128, value + bytes.fromhex(relay["placement"]) + box)[:8]
            x = int.from_bytes(drawn, "big") or 1
            found.append((not relay["counts"] >> bit & 1, wait(x), relay["bandwidth"] + 1, i))

    def order(a, b):
        if a[0] != b[0]:
            return a[0] - b[0]
        return a[1] * b[2] - b[1] * a[2] or a[3] - b[3]

    return [s[3] for s in sorted(found, key=functools.cmp_to_key(order))]


def stores_of(consensus, p, box):
    """Give the store of a box and its fallback; 65,535 where there is none."""
    found = ranking(consensus, p, box)
    if not found:
        raise Refused("NOT_FOUND")
    return {"first": found[0], "second": found[1] if len(found) > 1 else 65535}


def days_keep(letter_days, period_s):
    """Say how many values of days are kept (9.3)."""
    return min(DAYS_MAX, -(-letter_days * 86400 // period_s) + 2)


def days_next(before, before_q, q, keep, shared_random):
    """Make the days of a consensus of period q, of those of one of before_q; before
    is empty where there is none."""
    if not before or before_q > q:
        return [shared_random]
    oldest = max(before_q - len(before) + 1, q - keep + 1)
    newest = before[0] if before_q == q else shared_random
    return [newest] + [day_value(before, before_q, p) for p in range(q - 1, oldest - 1, -1)]


def counts_next(c, k, b):
    """Make a store's counts, of C as known, k periods later; b: is it in for long
    enough."""
    if k == 0:
        return c
    for _ in range(min(k - 1, 15)):
        c = 2 * c + c % 2
    return (2 * c + b) % 65536
