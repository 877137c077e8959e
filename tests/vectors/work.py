#!/usr/bin/env python3
"""tests/vectors/work.py - the vectors of tests/unit/test_work.c, made without
Brusio: prints challenge byte, store byte, box byte, nonce and its zero bits, the
first nonce from 0 on that is worth so many."""
import hashlib


def zero_bits(challenge, store, box, nonce):
    digest = hashlib.blake2b(
        b"brusio/1 work" + challenge + store + box + nonce, digest_size=32
    ).digest()
    return 256 - int.from_bytes(digest, "big").bit_length()


for c, s, b, wanted in ((0, 0, 0, 1), (1, 2, 3, 8), (7, 9, 11, 12), (255, 254, 253, 18)):
    args = bytes([c]) * 16, bytes([s]) * 32, bytes([b]) * 32
    n = 0
    while zero_bits(*args, n.to_bytes(8, "little")) < wanted:
        n += 1
    print(f"    {{{c}, {s}, {b}, {n}, {zero_bits(*args, n.to_bytes(8, 'little'))}}},")

# a store's token of a box, and the mark that a put brings
token = hashlib.blake2b(
    b"brusio/1 held" + bytes(range(32)) + bytes(range(100, 132)), digest_size=16
).digest()
print(token.hex(), hashlib.blake2b(b"brusio/1 mark" + token, digest_size=16).hexdigest()[:16])
