"""Which ML-KEM-768 a session has: that of FIPS 203, or, where the C side finds no library
that has it, one that is easily written twice and as long, and keeps nothing secret from
those who break X25519 (tests/toy_kem.c)."""
import functools

import mlkem
from primitives import Refused, blake, number, x25519, x25519_public

NONE, TOY, REAL = range(3)


@functools.lru_cache(maxsize=64)
def keys(seed):
    """Make the keys of a seed."""
    return mlkem.keygen(seed[:32], seed[32:])


class Real:
    """ML-KEM-768."""

    @staticmethod
    def public(seed):
        """Give the encapsulation key of a seed."""
        return keys(seed)[0]

    @staticmethod
    def encaps(public, message):
        """Make a share, and its ciphertext."""
        return mlkem.encaps(public, message)

    @staticmethod
    def decaps(seed, ciphertext):
        """Find the share of a ciphertext."""
        return mlkem.decaps(keys(seed)[1], ciphertext)


def lengthen(label, head, length):
    """Write a head of 32 bytes, and what follows from it."""
    blocks = [blake(512, label + head + number(i, 4)) for i in range(length // 64 + 1)]
    return (head + b"".join(blocks))[:length]


class Toy:
    """X25519 at the length of ML-KEM-768."""

    @staticmethod
    def public(seed):
        """Give the encapsulation key of a seed."""
        return lengthen(b"toy key", x25519_public(blake(256, b"toy secret" + seed)), 1184)

    @staticmethod
    def encaps(public, message):
        """Make a share, and its ciphertext; a key that is none is refused."""
        if public != lengthen(b"toy key", public[:32], 1184):
            raise Refused("POINT")
        secret = blake(256, b"toy message" + message)
        ciphertext = lengthen(b"toy ciphertext", x25519_public(secret), 1088)
        return blake(256, b"toy share" + x25519(secret, public[:32]) + ciphertext), ciphertext

    @staticmethod
    def decaps(seed, ciphertext):
        """Find the share of a ciphertext; of what is none, one that nobody knows."""
        if ciphertext != lengthen(b"toy ciphertext", ciphertext[:32], 1088):
            return blake(256, b"toy none" + seed + ciphertext)
        secret = blake(256, b"toy secret" + seed)
        return blake(256, b"toy share" + x25519(secret, ciphertext[:32]) + ciphertext)


KEMS = (None, Toy, Real)
