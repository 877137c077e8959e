"""ML-KEM-768 by FIPS 203; numbers in square brackets are its algorithms."""
import hashlib

from primitives import Refused

Q, N, K = 3329, 256, 3
ETA, DU, DV = 2, 10, 4


def bits_reverse(i):
    """Turn round the seven bits of i."""
    return int(f"{i:07b}"[::-1], 2)


ZETAS = [pow(17, bits_reverse(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * bits_reverse(i) + 1, Q) for i in range(128)]


def hash_g(message):
    """G: two values of 32 bytes."""
    h = hashlib.sha3_512(message).digest()
    return h[:32], h[32:]


def poly_pack(poly, d):
    """[5] Write each of poly in d bits."""
    value = 0
    for i, c in enumerate(poly):
        value |= c << (d * i)
    return value.to_bytes(32 * d, "little")


def poly_unpack(data, d):
    """[6] Undo poly_pack; numbers are not taken mod q."""
    value = int.from_bytes(data, "little")
    return [(value >> (d * i)) & ((1 << d) - 1) for i in range(N)]


def poly_compress(poly, d):
    """Round each of poly to d bits (4.7)."""
    return [(((c << d) + Q // 2) // Q) % (1 << d) for c in poly]


def poly_decompress(poly, d):
    """Undo poly_compress, nearly (4.8)."""
    return [(c * Q + (1 << (d - 1))) >> d for c in poly]


def ntt(f):
    """[9] Transform f."""
    f, i, length = list(f), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta, i = ZETAS[i], i + 1
            for j in range(start, start + length):
                t = zeta * f[j + length] % Q
                f[j + length], f[j] = (f[j] - t) % Q, (f[j] + t) % Q
        length //= 2
    return f


def ntt_inverse(f):
    """[10] Undo ntt."""
    f, i, length = list(f), 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            zeta, i = ZETAS[i], i - 1
            for j in range(start, start + length):
                t = f[j]
                f[j] = (t + f[j + length]) % Q
                f[j + length] = zeta * (f[j + length] - t) % Q
        length *= 2
    return [c * 3303 % Q for c in f]


def ntt_multiply(f, g):
    """[11] Multiply what is transformed."""
    h = []
    for i in range(128):
        a, b, c, d = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        h += [(a * c + b * d * GAMMAS[i]) % Q, (a * d + b * c) % Q]
    return h


def add(f, g):
    """Add two polynomials."""
    return [(a + b) % Q for a, b in zip(f, g)]


def dot(fs, gs):
    """Sum the products of two vectors that are transformed."""
    total = [0] * N
    for f, g in zip(fs, gs):
        total = add(total, ntt_multiply(f, g))
    return total


def sample_ntt(seed):
    """[7] Draw a transformed polynomial from seed of 34 bytes."""
    data, poly, at = hashlib.shake_128(seed).digest(1344), [], 0
    while len(poly) < N:
        a, b, c = data[at : at + 3]
        at += 3
        poly += [d for d in (a + 256 * (b % 16), b // 16 + 16 * c) if d < Q]
    return poly[:N]


def sample_noise(seed, n):
    """[8] Draw a small polynomial from seed and the number n."""
    data = hashlib.shake_256(seed + bytes([n])).digest(64 * ETA)
    value = int.from_bytes(data, "little")
    poly = []
    for i in range(N):
        four = value >> (4 * i)
        poly.append(((four & 1) + (four >> 1 & 1) - (four >> 2 & 1) - (four >> 3 & 1)) % Q)
    return poly


def matrix(rho):
    """Draw the matrix A of rho, by rows."""
    return [[sample_ntt(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


def keygen(d, z):
    """[16] Make the keys of d and z: the public one, and what decaps wants."""
    rho, sigma = hash_g(d + bytes([K]))
    a = matrix(rho)
    s = [ntt(sample_noise(sigma, i)) for i in range(K)]
    e = [ntt(sample_noise(sigma, K + i)) for i in range(K)]
    t = [add(dot(a[i], s), e[i]) for i in range(K)]
    public = b"".join(poly_pack(p, 12) for p in t) + rho
    return public, (s, public, z)


def public_check(public):
    """Refuse a public key with a number of q or more (7.2)."""
    t = [poly_unpack(public[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    if len(public) != 1184 or any(c >= Q for p in t for c in p):
        raise Refused("POINT")
    return t


def encrypt(public, message, coins):
    """[14] Encrypt 32 bytes of message with coins."""
    t, a = public_check(public), matrix(public[1152:])
    y = [ntt(sample_noise(coins, i)) for i in range(K)]
    noise = [sample_noise(coins, K + i) for i in range(K)]
    u = [add(ntt_inverse(dot([a[j][i] for j in range(K)], y)), noise[i]) for i in range(K)]
    mu = poly_decompress(poly_unpack(message, 1), 1)
    v = add(add(ntt_inverse(dot(t, y)), sample_noise(coins, 2 * K)), mu)
    parts = [poly_pack(poly_compress(p, DU), DU) for p in u]
    return b"".join(parts) + poly_pack(poly_compress(v, DV), DV)


def encaps(public, message):
    """[17] Share a secret with who has public: the secret, the ciphertext."""
    secret, coins = hash_g(message + hashlib.sha3_256(public).digest())
    return secret, encrypt(public, message, coins)


def decaps(keys, ciphertext):
    """[18] Give the secret shared; of what is no ciphertext one nobody knows."""
    s, public, z = keys
    cut = 32 * DU
    u = [ntt(poly_decompress(poly_unpack(ciphertext[cut * i : cut * (i + 1)], DU), DU))
         for i in range(K)]
    v = poly_decompress(poly_unpack(ciphertext[cut * K :], DV), DV)
    w = [(a - b) % Q for a, b in zip(v, ntt_inverse(dot(s, u)))]
    message = poly_pack(poly_compress(w, 1), 1)
    secret, coins = hash_g(message + hashlib.sha3_256(public).digest())
    if encrypt(public, message, coins) != ciphertext:
        return hashlib.shake_256(z + ciphertext).digest(32)
    return secret
