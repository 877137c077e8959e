"""ristretto255 by RFC 9496, in whole numbers; nothing here is constant time."""
from primitives import Refused

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def negative(x):
    """Is x negative, that is, odd?"""
    return x % P & 1


def absolute(x):
    """Give x or -x, whichever is not negative."""
    return -x % P if negative(x) else x % P


def sqrt_ratio(u, v):
    """Give whether u / v is a square, and its root, or that of SQRT_M1 u / v (4.2)."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    if check in (-u % P, -u * SQRT_M1 % P):
        r = r * SQRT_M1 % P
    return check in (u % P, -u % P), absolute(r)


SQRT_AD_MINUS_ONE = P - sqrt_ratio(-D - 1, 1)[1]  # the RFC has the odd root
INVSQRT_A_MINUS_D = sqrt_ratio(1, -1 - D)[1]
ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P


class Point:
    """A point, in extended coordinates."""

    def __init__(self, x, y, z, t):
        self.x, self.y, self.z, self.t = x, y, z, t

    def __add__(self, other):
        a = (self.y - self.x) * (other.y - other.x) % P
        b = (self.y + self.x) * (other.y + other.x) % P
        c = 2 * D * self.t * other.t % P
        d = 2 * self.z * other.z % P
        e, f, g, h = b - a, d - c, d + c, b + a
        return Point(e * f % P, g * h % P, f * g % P, e * h % P)

    def __rmul__(self, scalar):
        total, power = NEUTRAL, self
        while scalar:
            if scalar & 1:
                total = total + power
            power, scalar = power + power, scalar >> 1
        return total

    def __eq__(self, other):
        return (self.x * other.y - self.y * other.x) % P == 0 or (
            self.y * other.y - self.x * other.x) % P == 0

    def is_neutral(self):
        """Is it the neutral element?"""
        return self == NEUTRAL

    def encode(self):
        """Write it (4.3.2)."""
        u1 = (self.z + self.y) * (self.z - self.y) % P
        u2 = self.x * self.y % P
        inverse = sqrt_ratio(1, u1 * u2 * u2)[1]
        d1, d2 = inverse * u1 % P, inverse * u2 % P
        z_inverse = d1 * d2 * self.t % P
        x, y, rest = self.x, self.y, d2
        if negative(self.t * z_inverse):
            x, y = self.y * SQRT_M1 % P, self.x * SQRT_M1 % P
            rest = d1 * INVSQRT_A_MINUS_D % P
        if negative(x * z_inverse):
            y = -y % P
        return absolute(rest * (self.z - y)).to_bytes(32, "little")


NEUTRAL = Point(0, 1, 1, 0)


def decode(data):
    """Read a point that is not the neutral element, or refuse (4.3.1)."""
    s = int.from_bytes(data, "little")
    if s >= P or negative(s):
        raise Refused("POINT")
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-(D * u1 * u1) - u2 * u2) % P
    square, inverse = sqrt_ratio(1, v * u2 * u2)
    dx, dy = inverse * u2 % P, inverse * inverse * u2 * v % P
    x = absolute(2 * s * dx)
    y = u1 * dy % P
    point = Point(x, y, 1, x * y % P)
    if not square or negative(point.t) or y == 0 or point.is_neutral():
        raise Refused("POINT")
    return point


def half_map(r0):
    """MAP of 4.3.4."""
    r = SQRT_M1 * r0 * r0 % P
    u = (r + 1) * ONE_MINUS_D_SQ % P
    v = (-1 - r * D) * (r + D) % P
    square, s = sqrt_ratio(u, v)
    c = -1
    if not square:
        s, c = -absolute(s * r0) % P, r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P
    w2, w3 = (1 - s * s) % P, (1 + s * s) % P
    return Point(w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def from_hash(data):
    """Map 64 octets to a point (4.3.4)."""
    halves = [int.from_bytes(part, "little") % 2**255 % P for part in (data[:32], data[32:])]
    return half_map(halves[0]) + half_map(halves[1])


BASE = decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f"
                            "58e30b6aa582dd8db6a65945e08d2d76"))


def scalar_read(data):
    """Read a scalar below the order, or refuse."""
    value = int.from_bytes(data, "little")
    if value >= L:
        raise Refused("PROOF")
    return value


def scalar_write(value):
    """Write a scalar."""
    return (value % L).to_bytes(32, "little")


def wide(data):
    """WIDE: 64 octets mod L."""
    return int.from_bytes(data, "little") % L
