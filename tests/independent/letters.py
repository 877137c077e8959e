"""Chains, boxes, letters, invitations and work (PROTOCOL.md 8)."""
import base64

from primitives import (Refused, aead_open, aead_seal, blake, ed25519_public, ed25519_sign,
                        ed25519_verify, number)
from wire import Reader

ACK, HELLO, TEXT, FILE, PING, PONG, USED = range(7)
BY_PLACE, BY_OFFER, BY_RATCHET = range(3)
NO_PAIR = bytes(32)
MESSAGE_MAX = 16 << 20
BODY_HEAD_LEN = 82
VERSION = 3

# A letter's numbers in the order of its body, and their lengths (8.2).
FIELDS = (("ack", 4), ("map", 32), ("floor", 4), ("previous_period", 4),
          ("previous_count", 4), ("sequence", 4), ("message", 8), ("kind", 1),
          ("index", 4), ("total", 4), ("after", 4), ("announced", 1), ("tokens", 2),
          ("lease_s", 4))
# Those of its head, after the version and the seal.
HEAD_FIELDS = (("generation", 4), ("step", 4), ("key", 32), ("number", 3), ("previous", 3),
               ("mixed", 1))
NO_HEAD = {"seal": BY_PLACE, "generation": 0, "step": 0, "key": bytes(32), "number": 0,
           "previous": 0, "mixed": 0}

# What is behind the data: parts of a key or of a ciphertext, and how long each is.
PART_KEY, PART_CIPHERTEXT, PART_LACKS = range(1, 4)
PARTS, PART_HEAD_LEN = 8, 7
PART_LEN = {PART_KEY: 148, PART_CIPHERTEXT: 136}
NO_PART = {"part_kind": 0, "part_exchange": 0, "part_first": 0, "part_count": 0,
           "part_bytes": b""}

INVITE_DAYS = 400


def chain_day(key, day, wanted):
    """Derive the key of the day that is wanted, from that of a day before it (8.1)."""
    for _ in range(wanted - day):
        key = blake(256, b"brusio/1 day", key)
    return key


def period_day(period, period_s):
    """Give the day on which a period begins (8.1)."""
    return period * period_s // 86400


def box_seed(chain, period, n):
    """Derive the seed of the box of letter n of a period."""
    return blake(256, b"brusio/1 box" + number(period, 4) + number(n // 16, 4), chain)


def box_id(key):
    """Give the id of the box with this public key."""
    return blake(256, b"brusio/1 box id" + key)


def letter_keys(chain, period, n, pair):
    """Derive the keys of letter n: of its head, and of its body where its place alone
    seals it."""
    k = blake(512, b"brusio/1 letter" + number(period, 4) + number(n, 4) + pair, chain)
    return k[:32], k[32:]


def announce_token(chain, period, k):
    """Derive token k of a period (8.9)."""
    return blake(128, b"brusio/1 announce" + number(period, 4) + number(k, 4), chain)


def put_hash(slot, letter):
    """Give what is signed of a put (5)."""
    return blake(512, b"brusio/1 put" + bytes([slot]) + letter)


def put_sign(seed, slot, letter):
    """Sign a put into the box of seed."""
    return ed25519_sign(seed, put_hash(slot, letter))


def put_verify(key, slot, letter, signature):
    """Is a put into the box with this public key signed?"""
    return ed25519_verify(key, put_hash(slot, letter), signature)


def held_token(seed, store):
    """Derive the token of who reads a box at a store (8.6)."""
    return blake(128, b"brusio/1 held" + seed + store)


def held_mark(token):
    """Derive the mark of a put, by which a store knows the token."""
    return blake(128, b"brusio/1 mark" + token)[:8]


def data_max(letter_len):
    """Give how many octets of a message fit a letter."""
    return letter_len - 186


def fragment_len(letter, letter_len):
    """Give how long the data of a letter has to be, by its other fields."""
    each, total = data_max(letter_len), letter["total"]
    count = max(1, -(-total // each))
    if letter["index"] >= count:
        raise Refused("RANGE")
    last = letter["index"] == count - 1
    return total - letter["index"] * each if last else each


def letter_check(letter, letter_len):
    """Refuse a letter whose fields contradict each other."""
    kind = letter["kind"]
    if kind > USED:
        raise Refused("UNKNOWN")
    if letter["total"] > MESSAGE_MAX:
        raise Refused("LONG")
    if (kind in (ACK, USED)) != (letter["sequence"] == 0):
        raise Refused("FORMAT")
    if letter["announced"] > 1:
        raise Refused("FORMAT")
    if letter["announced"] and (kind in (ACK, USED) or letter["tokens"] == 0):
        raise Refused("FORMAT")
    if (letter["after"] or letter["total"]) and kind not in (TEXT, FILE):
        raise Refused("FORMAT")
    if len(letter["data"]) != fragment_len(letter, letter_len):
        raise Refused("FORMAT")


def fields_write(values, fields):
    """Write the values of these fields."""
    return b"".join(values[name] if isinstance(values[name], bytes) else
                    number(values[name], length) for name, length in fields)


def fields_read(r, fields):
    """Read these fields."""
    return {name: r.bytes(length) if name in ("map", "message", "key") else
            r.number(length) for name, length in fields}


def head_write(head):
    """Write the head of a letter."""
    return bytes([VERSION + 16 * head["seal"]]) + fields_write(head, HEAD_FIELDS)


def head_read(data):
    """Read the head of a letter."""
    r = Reader(data)
    first = r.number(1)
    if first % 16 != VERSION:
        raise Refused("VERSION")
    head = {"seal": first // 16, **fields_read(r, HEAD_FIELDS)}
    if head["seal"] > BY_RATCHET or r.rest():
        raise Refused("FORMAT")
    return head


def part_room(letter, letter_len):
    """Give how many bytes are behind the data of a letter."""
    return data_max(letter_len) - len(letter["data"])


def part_write(part):
    """Write what is behind the data."""
    kind = bytes([part["part_kind"]]) if part["part_kind"] else b""
    if not part["part_count"]:
        return kind
    return (kind + number(part["part_exchange"], 4)
            + bytes([part["part_first"], part["part_count"]]) + part["part_bytes"])


def part_read(data):
    """Read it; what cannot be is none."""
    kind = data[0] if data else 0
    if kind == PART_LACKS:
        return dict(NO_PART, part_kind=kind)
    if kind not in PART_LEN or len(data) < PART_HEAD_LEN:
        return dict(NO_PART)
    first, count = data[5], data[6]
    end = PART_HEAD_LEN + count * PART_LEN[kind]
    if not 0 < count <= PARTS or first >= PARTS or end > len(data):
        return dict(NO_PART)
    return {"part_kind": kind, "part_exchange": int.from_bytes(data[1:5], "big"),
            "part_first": first, "part_count": count, "part_bytes": data[PART_HEAD_LEN:end]}


def body_write(letter, letter_len):
    """Write the body of a letter."""
    body = fields_write(letter, FIELDS) + number(len(letter["data"]), 2) + letter["data"]
    body += part_write({**NO_PART, **letter})
    return body + bytes(letter_len - 104 - len(body))


def nonce_make(key, place, head, body):
    """Hash what is sealed to its nonce."""
    return blake(192, b"brusio/1 nonce" + place + head + body, key)


def seal_bytes(keys, place, head, body):
    """Seal a head and a body, both written, with the keys of each."""
    nonce = nonce_make(keys[1], place, head, body)
    sealed = aead_seal(keys[1], nonce, body, place + head)
    return nonce + aead_seal(keys[0], nonce, head, place + blake(256, sealed)) + sealed


def letter_seal(letter, head, chain, period, n, pair, letter_len, key=None):
    """Seal a letter under a head for its place; key: of its body, where the place's is
    not."""
    keys = letter_keys(chain, period, n, pair)
    return seal_bytes((keys[0], key or keys[1]), number(period, 4) + number(n, 4),
                      head_write(head), body_write(letter, letter_len))


def letter_open_head(data, chain, period, n, pair):
    """Open the head of a letter of its place, or refuse."""
    if len(data) <= 186:
        raise Refused("SHORT")
    place = number(period, 4) + number(n, 4)
    return head_read(aead_open(letter_keys(chain, period, n, pair)[0], data[:24],
                               data[24:88], place + blake(256, data[88:])))


def letter_open_body(data, head, period, n, key):
    """Open the body of a letter by its key, or refuse."""
    bound = number(period, 4) + number(n, 4) + head_write(head)
    r = Reader(aead_open(key, data[:24], data[88:], bound))
    letter = fields_read(r, FIELDS)
    letter["data"] = r.bytes(r.number(2))
    letter.update(part_read(r.rest()))
    letter_check(letter, len(data))
    return letter


def letter_open(data, chain, period, n, pair, key=None):
    """Open a letter of its place, or refuse; key: of its body, where it is a ratchet's."""
    head = letter_open_head(data, chain, period, n, pair)
    if head["seal"] != BY_RATCHET:
        key = letter_keys(chain, period, n, pair)[1]
    letter = letter_open_body(data, head, period, n, key)
    return {**letter, "head": head}


def message_id(count, sent_s):
    """Write the id of a text or file."""
    return number(count, 4) + number(sent_s, 4)


def invitation_network(name, authorities):
    """Hash a network's name and its authorities' identities (8.4)."""
    return blake(256, name.encode() + b"\0" + b"".join(sorted(authorities)))[:8]


def invitation_make(network, expiry_h, seed, key, version=2):
    """Write an invitation."""
    data = bytes([version]) + network + number(expiry_h, 4) + seed + key
    data += blake(256, data)[:4]
    return "brusio1:" + base64.urlsafe_b64encode(data).decode().rstrip("=")


def invitation_read(text):
    """Read an invitation: its fields and both chains."""
    if not text.startswith("brusio1:"):
        raise Refused("FORMAT")
    digits = text[8:]
    try:
        data = base64.b64decode(digits + "=" * (-len(digits) % 4), b"-_", validate=True)
    except ValueError as e:
        raise Refused("FORMAT") from e
    r = Reader(data)
    version = r.number(1)
    found = {"network": r.bytes(8), "expiry_h": r.number(4), "seed": r.bytes(32),
             "key": r.bytes(32)}
    check = r.bytes(4)
    if r.rest() or check != blake(256, data[:77])[:4] or version != 2:
        raise Refused("FORMAT")
    if invitation_make(**found) != text:
        raise Refused("FORMAT")
    found["inviter"], found["invitee"] = chains(found["seed"])
    found["day"] = max(0, found["expiry_h"] // 24 - INVITE_DAYS)
    return found


def chains(seed):
    """Derive the first keys of an invitation's chains: inviter's, invitee's."""
    return (blake(256, b"brusio/1 chain inviter", seed),
            blake(256, b"brusio/1 chain invitee", seed))


def work_worth(challenge, store, box, nonce):
    """Count the leading zero bits that a nonce is worth (8.5)."""
    value = blake(256, b"brusio/1 work" + challenge + store + box + nonce)
    return 256 - int.from_bytes(value, "big").bit_length()


def work_find(challenge, store, box, bits):
    """Find the first nonce that is worth so many bits."""
    n = 0
    while work_worth(challenge, store, box, n.to_bytes(8, "little")) < bits:
        n += 1
    return n.to_bytes(8, "little")


def work_steps(used, room):
    """Count the steps that a store of which `used` of `room` are used wants."""
    if used < room // 2:
        return 0
    return min(8, 1 + (used - room // 2) // (room // 16))


def box_key(seed):
    """Give the public key of the box of seed."""
    return ed25519_public(seed)
