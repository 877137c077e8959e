"""The primitives that PROTOCOL.md names, from PyNaCl and cryptography, and by
their papers where neither has them."""
import hashlib
import struct

import nacl.bindings as sodium
import nacl.exceptions
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305


class Refused(Exception):
    """What a receiver drops; the text says why, as the C's counters do."""


def number(value, octets):
    """Write value as octets bytes, big endian."""
    return value.to_bytes(octets, "big")


def blake(bits, message, key=b""):
    """Hash message to bits bits, keyed by key."""
    return hashlib.blake2b(message, digest_size=bits // 8, key=key).digest()


def xor(a, b):
    """Combine a and b, of one length."""
    assert len(a) == len(b)
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")


def chacha(key, length, nonce=bytes(12)):
    """Give the first length bytes of the key stream of RFC 8439, from block 0."""
    algorithm = algorithms.ChaCha20(key, bytes(4) + nonce)
    return Cipher(algorithm, mode=None).encryptor().update(bytes(length))


def rotate(x, n):
    """Turn the 32 bits of x left by n."""
    return ((x << n) | (x >> (32 - n))) & 0xFFFFFFFF


def quarter_round(x, a, b, c, d):
    """Mix the words a, b, c and d of x (RFC 8439, 2.1)."""
    for to, other, by, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        x[to] = (x[to] + x[other]) & 0xFFFFFFFF
        x[by] = rotate(x[by] ^ x[to], n)


def hchacha(key, nonce):
    """Derive XChaCha20's subkey from key and the first 16 bytes of its nonce."""
    x = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    for _ in range(10):
        for i in range(4):
            quarter_round(x, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter_round(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *x[:4], *x[12:])


def xchacha(key, nonce, length):
    """Give the first length bytes of XChaCha20's key stream, from block 0."""
    return chacha(hchacha(key, nonce[:16]), length, bytes(4) + nonce[16:])


def poly1305(key, message):
    """Authenticate message under the one-time key."""
    return Poly1305.generate_tag(key, message)


def aead_seal(key, nonce, message, bound):
    """Encrypt message with XChaCha20-Poly1305, the tag last; bound is the additional
    data."""
    return sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(message, bound, nonce, key)


def aead_open(key, nonce, message, bound):
    """Undo aead_seal, or refuse."""
    try:
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(message, bound, nonce, key)
    except (nacl.exceptions.CryptoError, ValueError) as e:
        raise Refused("MAC") from e


def x25519(secret, public):
    """Multiply public by secret; refuse a result of zeros."""
    try:
        return sodium.crypto_scalarmult(secret, public)
    except nacl.exceptions.RuntimeError as e:
        raise Refused("POINT") from e


def x25519_public(secret):
    """Give the public key of secret."""
    return sodium.crypto_scalarmult_base(secret)


def ed25519_public(seed):
    """Give the public key of seed (RFC 8032)."""
    return sodium.crypto_sign_seed_keypair(seed)[0]


def ed25519_sign(seed, message):
    """Sign message with the key of seed."""
    secret = sodium.crypto_sign_seed_keypair(seed)[1]
    return sodium.crypto_sign(message, secret)[:64]


def ed25519_verify(public, message, signature):
    """Is signature that of public over message?"""
    try:
        sodium.crypto_sign_open(signature + message, public)
        return True
    except nacl.exceptions.BadSignatureError:
        return False


def hpolyc_keys(key):
    """Derive AES's key and the hash's from key (PROTOCOL.md 3.3)."""
    stream = xchacha(key, b"\1" + bytes(23), 48)
    return stream[:32], stream[32:]


def hpolyc_hash(hash_key, message):
    """Hash message, as a number."""
    tag = poly1305(hash_key + bytes(16), bytes(16) + message)
    return int.from_bytes(tag, "little")


def hpolyc_crypt(key, data, decrypts):
    """Encrypt data, or decrypt it, by HPolyC with an empty tweak."""
    aes_key, hash_key = hpolyc_keys(key)
    a, b = data[:-16], int.from_bytes(data[-16:], "little")
    aes = Cipher(algorithms.AES(aes_key), modes.ECB())
    step = aes.decryptor() if decrypts else aes.encryptor()
    total = (b + hpolyc_hash(hash_key, a)) % 2**128
    total = total.to_bytes(16, "little")
    middle = total if decrypts else step.update(total)
    a = xor(a, xchacha(key, middle + b"\1" + bytes(7), len(a)))
    last = step.update(total) if decrypts else middle
    b = (int.from_bytes(last, "little") - hpolyc_hash(hash_key, a)) % 2**128
    return a + b.to_bytes(16, "little")


def hpolyc_encrypt(key, data):
    """Encrypt data."""
    return hpolyc_crypt(key, data, False)


def hpolyc_decrypt(key, data):
    """Decrypt data."""
    return hpolyc_crypt(key, data, True)
