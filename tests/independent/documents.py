"""Documents, their signatures and certificates (PROTOCOL.md 9.1)."""
import json
import re

from primitives import Refused, blake, ed25519_public, ed25519_sign, ed25519_verify, number

KINDS = ("descriptor", "consensus", "hello", "claim", "shares", "signature", "diff")
SIGNERS_MAX = 32
BODY_MAX = 16 << 20


def escaped(found):
    """Write a character of a text that does not stand for itself."""
    short = {"\"": '"', "\\": "\\", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
    return "\\" + short.get(found[0], f"u{ord(found[0]):04X}")


def canonical_text(value):
    """Write value as canonical JSON, as a text."""
    if isinstance(value, dict):
        pairs = (canonical_text(k) + ":" + canonical_text(value[k]) for k in sorted(value))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical_text(item) for item in value) + "]"
    if isinstance(value, str):
        return '"' + re.sub('["\\\\\x00-\x1f]', escaped, value) + '"'
    return json.dumps(value)


def canonical(value):
    """Write value as canonical JSON, as bytes."""
    return canonical_text(value).encode()


def pairs_once(pairs):
    """Make an object of pairs whose keys are different, or refuse."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("DUPLICATE")
    return found


def body_read(body):
    """Read canonical JSON: what is written again is the same."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=pairs_once)
    except (ValueError, RecursionError) as e:
        raise Refused("FORMAT") from e
    if canonical(value) != body:
        raise Refused("FORMAT")
    return value


def brackets_check(body):
    """Refuse a body with too many brackets or commas outside of strings."""
    bare = re.sub(rb'"(?:[^"\\]|\\.)*"', b"", body)
    opened = bare.count(b"{") + bare.count(b"[")
    if opened > 1024 + len(body) // 64 or bare.count(b",") > 32768 + len(body) // 16:
        raise Refused("RANGE")


def document_hash(kind, body):
    """Give what is signed of a body."""
    return blake(512, b"brusio/1 " + kind.encode() + b"\n" + body)


class Certificate:
    """An identity's word about the keys that it works with."""

    def __init__(self, key, share_key, from_s, until_s, signature=None):
        self.key, self.share_key = key, share_key
        self.from_s, self.until_s, self.signature = from_s, until_s, signature

    def signed(self):
        """Give what is signed."""
        return (b"brusio/1 certificate\n" + self.key + self.share_key
                + number(self.from_s, 8) + number(self.until_s, 8))

    def sign(self, identity_seed):
        """Sign it with the identity's key."""
        self.signature = ed25519_sign(identity_seed, self.signed())
        return self

    def check(self, identity):
        """Refuse it if it is not of this identity."""
        if not ed25519_verify(identity, self.signed(), self.signature):
            raise Refused("SIGNATURE")
        if self.from_s > self.until_s:
            raise Refused("RANGE")

    def covers(self, at_s):
        """Does it cover this time?"""
        return self.from_s <= at_s <= self.until_s

    def order(self):
        """Give what the newer of two has more of."""
        return self.from_s, self.key


class Signature:
    """A line of a document: an identity's signature, maybe by a certificate."""

    def __init__(self, identity, signature, certificate=None):
        self.identity, self.signature, self.certificate = identity, signature, certificate

    def line(self):
        """Write the line."""
        words = ["sig", self.identity.hex(), self.signature.hex()]
        c = self.certificate
        if c:
            words += [c.key.hex(), c.share_key.hex(), f"{c.from_s:016x}", f"{c.until_s:016x}",
                      c.signature.hex()]
        return " ".join(words).encode() + b"\n"

    def check(self, signed):
        """Refuse it if it is not good for the hash that is signed."""
        if self.certificate:
            self.certificate.check(self.identity)
        key = self.certificate.key if self.certificate else self.identity
        if not ed25519_verify(key, signed, self.signature):
            raise Refused("SIGNATURE")


HEX32, HEX64, HEX8 = rb"([0-9a-f]{64})", rb"([0-9a-f]{128})", rb"([0-9a-f]{16})"
CERTIFIED = b" ".join((HEX32, HEX32, HEX8, HEX8, HEX64))
LINE = re.compile(b"sig " + HEX32 + b" " + HEX64 + b"(?: " + CERTIFIED + b")?\n")


def line_read(found):
    """Read the line that the pattern LINE has found."""
    words = [bytes.fromhex(w.decode()) if w else None for w in found.groups()]
    if words[2] is None:
        return Signature(words[0], words[1])
    times = [int.from_bytes(w, "big") for w in words[4:6]]
    return Signature(words[0], words[1], Certificate(words[2], words[3], *times, words[6]))


def document_sign(kind, body, seed, identity=None, certificate=None):
    """Sign a body; with a certificate seed is of its key, else the identity's."""
    signature = ed25519_sign(seed, document_hash(kind, body))
    return Signature(identity or ed25519_public(seed), signature, certificate)


def document_write(kind, body, signatures):
    """Write a document."""
    lines = b"".join(s.line() for s in sorted(signatures, key=lambda s: s.identity))
    return f"brusio-{kind}/1 {len(body)}\n".encode() + body + b"\n" + lines


def document_read(kind, data):
    """Take a document apart: its body and signatures. None is verified."""
    head = re.match(rb"brusio-" + kind.encode() + rb"/1 (0|[1-9][0-9]{0,9})\n", data)
    if not head or int(head[1]) > BODY_MAX:
        raise Refused("FORMAT")
    end = head.end() + int(head[1])
    body = data[head.end() : end]
    if len(body) != int(head[1]) or data[end : end + 1] != b"\n":
        raise Refused("FORMAT")
    signatures, at = [], end + 1
    while at < len(data):
        found = LINE.match(data, at)
        if not found or len(signatures) == SIGNERS_MAX:
            raise Refused("FORMAT")
        signatures.append(line_read(found))
        at = found.end()
    order = [s.identity for s in signatures]
    if order != sorted(set(order)):
        raise Refused("FORMAT")
    return body, signatures


def document_open(kind, data, allowed, need, newest=None, at_s=None):
    """Read a document and want good signatures of so many of those allowed. With
    at_s those of certificates that cover it count alone, and not when one that is
    newer (by identity in newest) has begun by then."""
    body, signatures = document_read(kind, data)
    signed, count = document_hash(kind, body), 0
    for s in signatures:
        if s.identity not in allowed:
            continue
        s.check(signed)
        count += at_s is None or signature_counts(s, newest or {}, at_s)
    if count < need:
        raise Refused("THRESHOLD")
    return body


def signature_counts(s, newest, at_s):
    """Does a good signature count for an epoch that starts at at_s?"""
    c, listed = s.certificate, newest.get(s.identity)
    if c and not c.covers(at_s):
        return False
    if c and listed and listed.key != c.key and listed.from_s <= at_s:
        return c.order() > listed.order()
    return True


def two_thirds(n):
    """Give the least number that is more than two thirds of n."""
    return 2 * n // 3 + 1


def family_sign(seed, identity):
    """Sign a relay's identity with its family's key."""
    return ed25519_sign(seed, b"brusio/1 family\n" + identity)


def family_check(family, identity, signature):
    """Refuse a family that has not signed for this relay."""
    if family == bytes(32):
        if signature != bytes(64):
            raise Refused("SIGNATURE")
    elif not ed25519_verify(family, b"brusio/1 family\n" + identity, signature):
        raise Refused("SIGNATURE")


def lines_of(data):
    """Give the signatures' lines of a document, as they stand."""
    body, signatures = document_read(re.match(rb"brusio-(\w+)/", data)[1].decode(), data)
    return body, b"".join(s.line() for s in signatures)


def diff_make(before, after):
    """Make the diff (9.5) that leads from one signed consensus to another."""
    old_body, _ = lines_of(before)
    new_body, lines = lines_of(after)
    old, new = body_read(old_body), body_read(new_body)
    was = {r["identity"]: r for r in old["relays"]}
    now = {r["identity"]: r for r in new["relays"]}
    changed, keys = [], []
    for relay in new["relays"]:
        known = was.get(relay["identity"])
        if known is None or {**known, "sphinx_key": ""} != {**relay, "sphinx_key": ""}:
            changed.append(relay)
    for relay in old["relays"]:
        if relay["identity"] in now:
            keys.append(now[relay["identity"]]["sphinx_key"])
    gone = [i for i, r in enumerate(old["relays"]) if r["identity"] not in now]
    body = canonical({"base": blake(256, old_body).hex(), "changed": changed,
                      "consensus": {**new, "relays": []}, "gone": gone, "keys": keys})
    return f"brusio-diff/1 {len(body)}\n".encode() + body + b"\n" + lines


def diff_apply(before, diff):
    """Give the consensus that a diff leads to, or refuse."""
    body, lines = lines_of(diff)
    old_body, _ = lines_of(before)
    d, old = body_read(body), body_read(old_body)
    if d["base"] != blake(256, old_body).hex():
        raise Refused("CONFLICT")
    rest = [r for i, r in enumerate(old["relays"]) if i not in d["gone"]]
    if len(rest) != len(d["keys"]) or len(rest) + len(d["gone"]) != len(old["relays"]):
        raise Refused("RANGE")
    relays = {r["identity"]: {**r, "sphinx_key": k} for r, k in zip(rest, d["keys"])}
    relays.update({r["identity"]: r for r in d["changed"]})
    merged = [relays[identity] for identity in sorted(relays)]
    out = canonical({**d["consensus"], "relays": merged})
    return f"brusio-consensus/1 {len(out)}\n".encode() + out + b"\n" + lines
