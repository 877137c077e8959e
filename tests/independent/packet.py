"""Packets, SURBs and their hops (PROTOCOL.md 2 and 3)."""
import mlkem
from primitives import (Refused, blake, chacha, hpolyc_decrypt, hpolyc_encrypt, number,
                        poly1305, x25519, x25519_public, xor)

FORWARD, STORE, DELIVER = 1, 2, 3
ELEMENT_LEN = {1: 32, 2: 1120}
PUBLIC_LEN = {1: 32, 2: 1216}


class Geometry:
    """The lengths of section 2, for suite, hops r and packet length."""

    def __init__(self, suite, hops, packet_len, delay_unit_us=1000):
        self.suite, self.hops, self.packet_len = suite, hops, packet_len
        self.delay_unit_us = delay_unit_us
        self.element_len = ELEMENT_LEN[suite]
        self.block_len = 23 + self.element_len
        self.routing_len = hops * self.block_len
        self.header_len = 2 + self.element_len + self.routing_len + 16
        self.payload_len = packet_len - self.header_len
        self.body_len = self.payload_len - 16
        self.surb_len = self.header_len + 2 + 32

    def is_allowed(self):
        """May a network have this geometry?"""
        return 1 <= self.hops <= 8 and 17 <= self.payload_len

    def cut(self, packet):
        """Cut packet, or a header, into its head, element, routing, MAC, rest."""
        at = 2 + self.element_len
        end = at + self.routing_len
        mac, rest = packet[end : end + 16], packet[end + 16 :]
        return packet[:2], packet[2:at], packet[at:end], mac, rest


def expand(seed, label, length):
    """Stretch seed of 32 bytes for what label is of (3.1)."""
    return chacha(blake(256, b"brusio/1 sender seed" + bytes([label]), seed), length)


def public_of(suite, secret):
    """Give the public key of a relay's secret of 32 bytes."""
    public = x25519_public(secret)
    if suite == 1:
        return public
    seed = expand(secret, 16, 64)
    return public + mlkem.keygen(seed[:32], seed[32:])[0]


def public_check(suite, public):
    """Refuse a public key that no relay may have (9.1)."""
    x25519(bytes([8]) + bytes(30) + bytes([64]), public[:32])
    if suite == 2:
        mlkem.public_check(public[32:])


def share_mix(kem, dh):
    """Make suite 2's s of both exchanges."""
    return blake(256, b"brusio/1 hybrid share" + kem + dh)


def share_send(suite, public, ephemeral, message):
    """Make the element for public, and s; message is ML-KEM's 32 bytes."""
    element, dh = x25519_public(ephemeral), x25519(ephemeral, public[:32])
    if suite == 1:
        return element, dh
    kem, ciphertext = mlkem.encaps(public[32:], message)
    return element + ciphertext, share_mix(kem, dh)


def share_take(suite, secret, element):
    """Compute s of element, as the relay with this secret."""
    dh = x25519(secret, element[:32])
    if suite == 1:
        return dh
    seed = expand(secret, 16, 64)
    keys = mlkem.keygen(seed[:32], seed[32:])[1]
    return share_mix(mlkem.decaps(keys, element[32:]), dh)


class HopKeys:
    """The keys of a hop (3.1), from s and element."""

    def __init__(self, geo, digest, identity, public, share, element):
        label = b"brusio/1 hop context" + number(geo.suite, 1)
        self.share, self.element = share, element
        self.context = blake(256, label + digest + identity + public)
        okm = blake(512, self.context + element, share)
        self.header, self.payload = okm[:32], okm[32:]
        stream = chacha(self.header, 64 + (geo.hops + 1) * geo.block_len)
        self.mac, self.tag = stream[:32], stream[32:48]
        self.stream = stream[64:]


def block_make(command, hop, following, last):
    """Write a hop's block: following is the next hop's number, last its element
    and MAC, or what stands in their place."""
    return (bytes([command]) + following + number(hop["delay"], 2)
            + number(hop["deadline"], 2) + last)


def block_read(geo, block):
    """Read a block's fields."""
    end = 7 + geo.element_len
    return {"command": block[0], "next": int.from_bytes(block[1:3], "big"),
            "delay": int.from_bytes(block[3:5], "big"),
            "deadline": int.from_bytes(block[5:7], "big"),
            "handle": block[7:15], "surb_id": block[15:23],
            "element": block[7:end], "mac": block[end:]}


def header_make(geo, epoch, keys, path, command, end, chance):
    """Build a header by 3.4: keys are the hops', command the last one's, end what
    stands first in the place of its next element."""
    n, r, B = len(path), geo.hops, geo.block_len
    filler = b""
    for i in range(1, n):
        stream = keys[i - 1].stream
        filler = xor(filler + bytes(B), stream[(r + 1) * B - i * B : (r + 1) * B])
    unused = chance.unused
    block = block_make(command, path[-1], unused[:2], end + unused[2 + len(end) :])
    stream = keys[-1].stream[: (r - n + 1) * B]
    routing = xor(block + chance.padding, stream) + filler
    for i in reversed(range(n)):
        if i < n - 1:
            following = number(path[i + 1]["index"], 2)
            block = block_make(FORWARD, path[i], following, keys[i + 1].element + mac)
            routing = xor(block + routing[: (r - 1) * B], keys[i].stream[: r * B])
        head = bytes([1, epoch % 256]) + keys[i].element + routing
        mac = poly1305(keys[i].mac, head)
    return head + mac


def path_keys(geo, digest, path, chance):
    """Exchange keys with every relay of path, each with an ephemeral of its own."""
    keys = []
    for hop, ephemeral, message in zip(path, chance.ephemerals, chance.messages):
        element, share = share_send(geo.suite, hop["public"], ephemeral, message)
        keys.append(HopKeys(geo, digest, hop["identity"], hop["public"], share, element))
    return keys


class Chance:
    """What a sender draws for one packet of n hops (3.4), or makes of a seed (3.6)."""

    def __init__(self, geo, n, draw):
        self.ephemerals = [draw(32) for _ in range(n)]
        self.messages = [draw(32) for _ in range(n)]
        self.padding = draw((geo.hops - n) * geo.block_len)
        self.unused = draw(2 + geo.element_len + 16)
        self.surb_key = draw(32)

    @classmethod
    def of_seed(cls, geo, n, seed):
        """Make all that is drawn of one seed."""
        self = cls(geo, n, bytes)
        elements = expand(seed, 1, 32 * n)
        self.ephemerals = [elements[32 * i : 32 * i + 32] for i in range(n)]
        self.messages = [expand(e, 17, 32) for e in self.ephemerals]
        fill = expand(seed, 2, len(self.padding) + len(self.unused))
        self.padding = fill[: len(self.padding)]
        self.unused = fill[len(self.padding) :]
        self.surb_key = expand(seed, 3, 32)
        return self


def request_make(geo, epoch, digest, path, body, chance):
    """Make a request. path's hops have public, identity, index, delay, deadline."""
    keys = path_keys(geo, digest, path, chance)
    header = header_make(geo, epoch, keys, path, STORE, b"", chance)
    return header + payload_wrap(keys, body)


def payload_wrap(keys, body):
    """Encrypt a body for all hops of keys, the last hop first."""
    payload = bytes(16) + body
    for k in reversed(keys):
        payload = hpolyc_encrypt(k.payload, payload)
    return payload


def surb_make(geo, epoch, digest, path, handle, surb_id, chance):
    """Make a SURB; give it and the hops' payload keys, the first hop's first."""
    keys = path_keys(geo, digest, path, chance)
    header = header_make(geo, epoch, keys, path, DELIVER, handle + surb_id, chance)
    surb = header + number(path[0]["index"], 2) + chance.surb_key
    return surb, [k.payload for k in keys]


def answer_make(geo, surb, body):
    """Answer with a SURB: the packet and the hop that it goes to first."""
    header, first = surb[: geo.header_len], surb[geo.header_len : geo.header_len + 2]
    return (header + hpolyc_encrypt(surb[geo.header_len + 2 :], bytes(16) + body),
            int.from_bytes(first, "big"))


def answer_open(payload, hop_keys, own):
    """Open an answer's payload with the hops' payload keys and the SURB's own."""
    for key in reversed(hop_keys):
        payload = hpolyc_encrypt(key, payload)
    return payload_check(hpolyc_decrypt(own, payload))


def payload_check(payload):
    """Give the body behind a zero tag, or refuse."""
    if payload[:16] != bytes(16):
        raise Refused("TAG")
    return payload[16:]


def unwrap(geo, epoch, digest, relay, packet):
    """Unwrap packet at relay (secret, public, identity), by 3.2: its block's
    fields, its keys, and the next packet."""
    if len(packet) != geo.packet_len:
        raise Refused("LENGTH")
    head, element, routing, mac, payload = geo.cut(packet)
    if head[0] != 1:
        raise Refused("VERSION")
    if head[1] != epoch % 256:
        raise Refused("EPOCH")
    share = share_take(geo.suite, relay["secret"], element)
    keys = HopKeys(geo, digest, relay["identity"], relay["public"], share, element)
    if poly1305(keys.mac, head + element + routing) != mac:
        raise Refused("MAC")
    B = geo.block_len
    clear = xor(routing + bytes(B), keys.stream[: len(routing) + B])
    block = block_read(geo, clear[:B])
    if block["command"] not in (FORWARD, STORE, DELIVER):
        raise Refused("COMMAND")
    following = head + block["element"] + clear[B:] + block["mac"]
    return block, keys, following + hpolyc_decrypt(keys.payload, payload)
