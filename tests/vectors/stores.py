#!/usr/bin/env python3
"""Write stores.json: values of days and the stores of boxes, by PROTOCOL 8.3.

Shares nothing with the C code. Each logarithm is also looked up with 60 digits.
Usage: tests/vectors/stores.py > tests/vectors/stores.json
"""
import decimal
import hashlib
import json
import random

decimal.getcontext().prec = 60
rng = random.Random(3)


def wait(x):
    high = x.bit_length() - 1
    m = x >> (high - 31) if high >= 31 else x << (31 - high)
    fraction = 0
    for _ in range(30):
        m = m * m // 2**31
        fraction *= 2
        if m >= 2**32:
            fraction += 1
            m //= 2
    out = (64 - high) * 2**30 - fraction
    exact = (64 - decimal.Decimal(x).ln() / decimal.Decimal(2).ln()) * 2**30
    assert -1e-9 < out - exact < 4, (x, out, exact)
    assert 1 <= out <= 2**36
    return out


def missed(period, last):
    return hashlib.blake2b(
        b'brusio/1 day' + period.to_bytes(4, 'big') + last,
        digest_size=32).digest()


class Ring:
    """Values by period, as one consensus after another has them."""

    def __init__(self, keep):
        self.keep, self.known, self.last = keep, {}, None

    def consensus(self, period, value):
        if self.last is None:
            self.known[period] = value
        else:
            for p in range(self.last + 1, period):
                self.known[p] = missed(p, self.known[self.last])
            self.known.setdefault(period, value)
        self.last = period
        oldest = max(period - self.keep + 1, min(self.known))
        self.known = {p: v for p, v in self.known.items() if p >= oldest}

    def value(self, period):
        if period > self.last:
            return missed(period, self.known[self.last])
        return self.known[max(period, min(self.known))]

    def list(self):
        return [self.known[p].hex() for p in sorted(self.known, reverse=True)]


def days():
    ring, steps = Ring(9), []
    for period in (20000, 20000, 20001, 20002, 20005, 20005, 20006, 20007,
                   20009, 20030):
        value = rng.randbytes(32)
        ring.consensus(period, value)
        steps.append({'period': period, 'random': value.hex(),
                      'days': ring.list(),
                      'asked': [{'period': p, 'value': ring.value(p).hex()}
                                for p in (19990, period - 8, period - 1,
                                          period, period + 1, period + 3)]})
    return {'keep': 9, 'steps': steps}


def stores():
    c = {'epoch': 5003, 'valid_after_s': 1800000000 + 3 * 3600,
         'epoch_len_s': 3600, 'period_s': 86400}
    ring = Ring(9)
    newest = c['valid_after_s'] // c['period_s']
    for p in range(newest - 11, newest + 1):
        ring.consensus(p, rng.randbytes(32))
    c['days'] = ring.list()
    c['stores'] = [{'placement': rng.randbytes(32).hex(), 'bandwidth': b,
                    'counts': n}
                   for b, n in ((1000, 0xffff), (0, 0xffff), (3999, 0xfffd),
                                (100000000, 0x0007), (500, 0x0001), (1000, 0))]
    c['boxes'] = []
    for i in range(120):
        period = newest - 7 + i % 10
        box = rng.randbytes(32)
        bit = min(max(newest - (period - 1), 0), 15)
        ranked = []
        for k, s in enumerate(c['stores']):
            digest = hashlib.blake2b(
                ring.value(period - 1) + bytes.fromhex(s['placement']) + box,
                digest_size=16).digest()
            x = max(int.from_bytes(digest[:8], 'big'), 1)
            counts = s['counts'] >> bit & 1
            ranked.append((not counts,
                           decimal.Decimal(wait(x)) / (s['bandwidth'] + 1), k))
        ranked.sort()
        c['boxes'].append({'period': period, 'box': box.hex(),
                           'first': ranked[0][2], 'second': ranked[1][2]})
    return c


numbers = [1, 2, 3, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**63, 2**63 - 1,
           2**64 - 1, 2**64 - 2**32, 0xb504f333f9de6484]
numbers += [rng.getrandbits(64) >> rng.randrange(0, 60) | 1 for _ in range(40)]
print(json.dumps({
    'source': 'tests/vectors/stores.py',
    'waits': [{'x': '%016x' % x, 'wait': wait(x)} for x in numbers],
    'days': days(),
    'stores': stores()}, indent=1))
