#!/usr/bin/env python3
"""Write lists.json: boards, their carriers, who passes lists to whom, lists, their
roots and signatures, and what announcements and answers look like, by PROTOCOL 5
and 9.7.

Shares nothing with the C code; Ed25519 is written out below, from RFC 8032.
Usage: tests/vectors/lists.py > tests/vectors/lists.json
"""
import hashlib
import json
import math
import random

rng = random.Random(18)

# ---- Ed25519, as in RFC 8032, section 5.1 ----

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2
    return ((x1 * y2 + x2 * y1) * pow(1 + t, P - 2, P) % P,
            (y1 * y2 + x1 * x2) * pow(1 - t, P - 2, P) % P)


def times(n, a):
    out = (0, 1)
    while n:
        if n & 1:
            out = add(out, a)
        a, n = add(a, a), n >> 1
    return out


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (x if x % 2 == 0 else P - x, y)


BASE = base_point()


def packed(a):
    return (a[1] | (a[0] & 1) << 255).to_bytes(32, 'little')


def scalar(seed):
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], 'little') & (2**254 - 8) | 2**254
    return a, h[32:]


def public_of(seed):
    return packed(times(scalar(seed)[0], BASE))


def sign(seed, text):
    a, prefix = scalar(seed)
    key = packed(times(a, BASE))
    r = int.from_bytes(hashlib.sha512(prefix + text).digest(), 'little') % L
    at = packed(times(r, BASE))
    h = int.from_bytes(hashlib.sha512(at + key + text).digest(), 'little')
    return at + ((r + h * a) % L).to_bytes(32, 'little')


# the second test of RFC 8032, 7.1
assert sign(bytes.fromhex('4ccd089b28ff96da9db6c346ec114e0f'
                          '5b8a319f35aba624da8cf6ed4fb8a6fb'),
            b'\x72').hex().startswith('92a009a9f0d4cab8720e820b5f642540')

# ---- a network ----


def hash_of(label, *parts, size=32):
    return hashlib.blake2b(label.encode() + b''.join(parts),
                           digest_size=size).digest()


def draw(c, label, relay):
    return hash_of(label, bytes.fromhex(c['shared_random']),
                   bytes.fromhex(c['relays'][relay]['identity']))[:8]


def order(c, label, layer):
    return sorted((i for i, r in enumerate(c['relays'])
                   if r['layer'] == layer and not r['out']),
                  key=lambda i: draw(c, label, i))


def boards_of(c):
    families, boards = set(), []
    for i in order(c, 'brusio/1 board', c['layers'] + 1):
        r = c['relays'][i]
        family = r['family']
        if not r['counts'] & 1 or family in families:
            continue
        if set(family) != {'0'}:
            families.add(family)
        if len(boards) < c['boards_most']:
            boards.append(i)
    return boards


def passing(c, boards):
    """To whom each relay passes lists, in the order in which they come out."""
    carriers = order(c, 'brusio/1 carrier', 1)[:32]
    out = {board: carriers for board in boards}
    stores = order(c, 'brusio/1 carrier', c['layers'] + 1)
    for j, store in enumerate(stores):
        if boards and store not in boards:
            m, n = len(carriers), len(stores)
            each = min(m, max(4, math.ceil(4 * m / n)))
            out[store] = [carriers[(j * m // n + k) % m] for k in range(each)]
    before = carriers
    for layer in range(1, c['layers'] + 1):
        afters = [order(c, 'brusio/1 carrier', layer + 1)]
        if layer == c['layers']:
            afters.append(order(c, 'brusio/1 carrier', 0))
        for after in afters:
            m, n = len(before), len(after)
            for j, relay in enumerate(after):
                places = {(j * m // n + k * math.ceil(m / 3)) % m
                          for k in range(3)}
                for p in places:
                    out.setdefault(before[p], []).append(relay)
        before = afters[0]
    return out


def network(layers, widths, gateways, stores, families, most):
    """widths: of the layers of mixes. Each store has a family by its number, some
    none; one store is on trial, one store and one mix are left out."""
    c = {'epoch': 500000, 'valid_after_s': 1800000000, 'epoch_len_s': 3600,
         'list_interval_ms': 2000, 'list_entries': 12, 'announce_bits': 10,
         'layers': layers, 'boards_most': most,
         'shared_random': rng.randbytes(32).hex(),
         'work_challenge': rng.randbytes(16).hex(),
         'digest': rng.randbytes(32).hex(), 'relays': []}
    names = [rng.randbytes(32).hex() for _ in range(families)]
    counts = [gateways] + widths + [stores]
    for layer, n in enumerate(counts):
        for i in range(n):
            seed = rng.randbytes(32)
            is_store = layer == layers + 1
            family = names[i % families] if is_store and i % 4 else '00' * 32
            c['relays'].append({
                'seed': seed.hex(), 'identity': public_of(seed).hex(),
                'layer': layer, 'family': family,
                'counts': 0 if not is_store else 0xfffe if i == 1 else 0xffff,
                'out': (is_store and i == 2) or (layer == 1 and i == 1)})
    c['relays'].sort(key=lambda r: r['identity'])
    c['boards'] = boards_of(c)
    ways = passing(c, c['boards'])
    c['next'] = [ways.get(i, []) for i in range(len(c['relays']))]
    return c


def list_of(c, board, interval, before, entries):
    text = interval.to_bytes(4, 'big') + bytes([board]) + before + b''.join(entries)
    relay = c['relays'][c['boards'][board]]
    signed = hash_of('brusio/1 list', bytes.fromhex(c['digest']), text, size=64)
    return (text + sign(bytes.fromhex(relay['seed']), signed),
            hash_of('brusio/1 list root', text, size=16))


def lists_of(c):
    """Three lists of each board, a chain; the second follows after a pause."""
    first = c['valid_after_s'] * 1000 // c['list_interval_ms']
    out = []
    for board in range(len(c['boards'])):
        before = bytes(16)
        for at in (0, 2, 1799):
            entries = sorted(rng.randbytes(5) for _ in range(c['list_entries']))
            text, root = list_of(c, board, first + at, before, entries)
            out.append({'board': board, 'interval': first + at,
                        'before': before.hex(), 'root': root.hex(),
                        'entries': b''.join(entries).hex(), 'list': text.hex()})
            before = root
    return out


def announcement(c):
    """A proof by trying, and the request that brings it."""
    token = rng.randbytes(16)
    board = c['relays'][c['boards'][0]]
    n = 0
    while True:
        nonce = n.to_bytes(8, 'big')
        digest = hash_of('brusio/1 work', bytes.fromhex(c['work_challenge']),
                         bytes.fromhex(board['identity']), token, bytes(16), nonce)
        bits = 256 - int.from_bytes(digest, 'big').bit_length()
        if bits >= c['announce_bits']:
            break
        n += 1
    surb, body = rng.randbytes(37), rng.randbytes(37 + 116 + 60)
    request = (b'\x04' + body[1:4] + token + body[20:36] + nonce + body[44:52]
               + surb + body[52 + 37:])
    return {'token': token.hex(), 'nonce': nonce.hex(), 'bits': bits,
            'surb': surb.hex(), 'random': body.hex(), 'request': request.hex()}


def answer(lists):
    """An answer with a letter 17 seconds old, of a store that has lists of the
    first board from its first one on, and of the third those of 513 intervals
    before the newest."""
    body = rng.randbytes(37 + 116 + 60)
    digest, letter = rng.randbytes(32), rng.randbytes(60)
    roots = b''
    for board in range(4):
        at = 49 + 22 * board  # after the age
        newest = [x for x in lists if x['board'] == board]
        if newest and board in (0, 2):
            roots += (newest[-1]['interval'].to_bytes(4, 'big')
                      + bytes.fromhex(newest[-1]['root'])
                      + (0xffff if board == 0 else 513).to_bytes(2, 'big'))
        else:
            roots += bytes(4) + body[at + 4:at + 22]
    text = (b'\x06\x0b\x80\x01' + (500000).to_bytes(4, 'big') + digest
            + (1800000123456).to_bytes(8, 'big') + b'\x11' + roots + letter)
    return {'status': 6, 'slot': 11, 'full': 0x8001, 'epoch': 500000,
            'digest': digest.hex(), 'arrived_ms': 1800000123456, 'age': 17,
            'boards': [0, 2], 'back': [0xffff, 513],
            'letter': letter.hex(), 'random': body.hex(),
            'answer': (text + body[len(text):]).hex()}


def slices(listed):
    """Of the first list, in a room of 40 bytes: head 7, data 33."""
    text, out = bytes.fromhex(listed['list']), []
    for part in range(math.ceil(len(text) / 33)):
        rest = rng.randbytes(40)
        data = text[33 * part:33 * part + 33]
        head = (b'\x01' + listed['interval'].to_bytes(4, 'big')
                + bytes([listed['board'], part]))
        out.append({'random': rest.hex(),
                    'slice': (head + data + rest[7 + len(data):]).hex()})
    return {'room': 40, 'parts': out}


networks = [network(3, [5, 6, 4], 5, 12, 3, 4),
            network(2, [40, 7], 3, 6, 1, 3),
            network(1, [2], 2, 3, 2, 4)]
for c in networks:
    c['lists'] = lists_of(c)
print(json.dumps({
    'source': 'tests/vectors/lists.py',
    'networks': networks,
    'announcement': announcement(networks[0]),
    'answer': answer(networks[0]['lists']),
    'slices': slices(networks[0]['lists'][0])}, indent=1))
