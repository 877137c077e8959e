"""Which bodies of documents there are: their keys, types and ranges (PROTOCOL.md
9.1, 9.2, 9.5, 9.6)."""
import json
import re

import documents
import packet
from primitives import Refused

DAY_S = 86400


class Number:
    """A whole number from least to most, both included."""

    def __init__(self, least, most):
        self.least, self.most = least, most

    def check(self, value):
        """Refuse what is none."""
        if type(value) is not int or not self.least <= value <= self.most:
            raise Refused("RANGE")

    def wrong(self):
        """Give values that are none."""
        return [self.least - 1, self.most + 1, str(self.least), None, [self.least],
                self.least + 0.5]

    def ends(self):
        """Give values at the ends of what is allowed."""
        return [self.least, self.most]


class Hex:
    """So many bytes in lower-case hex; or as many as one of several lengths."""

    def __init__(self, *lengths):
        self.lengths = lengths

    def check(self, value):
        """Refuse what is none."""
        if not isinstance(value, str) or not re.fullmatch("(?:[0-9a-f]{2})*", value):
            raise Refused("FORMAT")
        if len(value) // 2 not in self.lengths:
            raise Refused("RANGE")

    def wrong(self):
        """Give values that are none."""
        n = self.lengths[0]
        return ["0" * (2 * n - 1), "0" * (2 * n + 1), "00" * (n + 1), "0" * (2 * n - 1) + "A",
                "0" * (2 * n - 1) + "g", "", 0]

    def ends(self):
        """Nothing is special."""
        return []


class Text:
    """A text of so many characters, each from 33 to 126, that fits a pattern."""

    def __init__(self, least, most, pattern=".*"):
        self.least, self.most, self.pattern = least, most, pattern

    def check(self, value):
        """Refuse what is none."""
        if not isinstance(value, str) or not re.fullmatch("[!-~]*", value):
            raise Refused("FORMAT")
        if not self.least <= len(value) <= self.most or not re.fullmatch(self.pattern, value):
            raise Refused("RANGE")

    def wrong(self):
        """Give values that are none."""
        return ["x" * (self.most + 1), "", "a b", "a\x7f", "\u00e4", "a\t", 5]

    def ends(self):
        """Give texts at the ends."""
        if self.pattern != ".*":
            return []
        return ["x" * self.least, "~" * self.most, '"' * self.least, "\\" * self.least]


class List:
    """So many of one type; with by, sorted by that key, none twice."""

    def __init__(self, item, least, most, by=None):
        self.item, self.least, self.most, self.by = item, least, most, by

    def check(self, value):
        """Refuse what is none."""
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            raise Refused("RANGE")
        for item in value:
            self.item.check(item)
        if self.by:
            order = [self.by(item) for item in value]
            if order != sorted(set(order)):
                raise Refused("FORMAT")

    def wrong(self):
        """Give values that are none."""
        return [{}, 0, None, "x"]

    def ends(self):
        """Nothing is special."""
        return []


class Object:
    """An object with these keys and no others."""

    def __init__(self, **fields):
        self.fields = fields

    def check(self, value):
        """Refuse what is none."""
        if not isinstance(value, dict):
            raise Refused("FORMAT")
        if set(value) != set(self.fields):
            raise Refused("MISSING")
        for key, field in self.fields.items():
            field.check(value[key])

    def wrong(self):
        """Give values that are none."""
        return [[], 0, None]

    def ends(self):
        """Nothing is special."""
        return []


def identity_of(item):
    """Give what most lists are sorted by."""
    return item["identity"]


US = 60_000_000
MHZ = 100_000_000
EPOCH = Number(0, 2**32 - 17)
VOTED = Number(1, 2**32 - 17)
NAME = Text(1, 31)
PUBLIC = Hex(32, 1216)
TIME = Number(0, 2**48)
ADDRESS = Text(1, 63)

PROFILE = Object(name=Text(1, 15), send_mhz=Number(0, MHZ), poll_mhz=Number(0, MHZ),
                 loop_mhz=Number(1, MHZ), down_interval_us=Number(10, US))
GEOMETRY = Object(suite=Number(1, 2), hops=Number(1, 8), packet_len=Number(1, 65535),
                  delay_unit_us=Number(1, 1_000_000))
CONVERSATIONS = Object(
    ack_noise_s=Number(0, 3600), ack_s=Number(0, 3600), front=Number(1, 62),
    fronts=Number(1, 2), hold_max_s=Number(1, DAY_S), hold_min_s=Number(1, DAY_S),
    lane=Number(1, 62), look_s=Number(0, 3600), older_of=Number(1, 255),
    script_every_s=Number(1, DAY_S), spare_of=Number(1, 255), sweep=Number(1, 62),
    sweep_mean_s=Number(1, 604800))
PARAMS = Object(
    announce_bits=Number(0, 24), boards=Number(0, 4), conversations=CONVERSATIONS,
    deadline_ahead_s=Number(1, 4000), deadline_back_s=Number(1, 3600),
    deadline_slack_s=Number(1, 3600), deadline_spread_s=Number(1, 3600),
    deadline_unit_s=Number(1, 3600), delay_max_us=Number(1000, US),
    delay_mean_us=Number(0, US), epoch_len_s=Number(1, 30 * DAY_S), geometry=GEOMETRY,
    key_grace_s=Number(0, DAY_S), layers=Number(1, 6), letter_days=Number(1, 366),
    list_entries=Number(1, 384), list_interval_ms=Number(500, 60_000),
    mix_interval_us=Number(1000, US), mix_keep=Number(0, 10**6),
    mix_permille=Number(1, 1000), mix_strategy=Number(1, 4), mix_threshold=Number(1, 10**6),
    newcomer_permille=Number(1, 10**6), period_s=Number(60, 366 * DAY_S),
    piece_interval_us=Number(1000, US), poll_delay_mean_us=Number(0, US),
    profiles=List(PROFILE, 1, 8), relay_loop_mhz=Number(1, MHZ),
    store_delay_fixed_us=Number(0, US), store_delay_max_us=Number(1000, US),
    store_delay_mean_us=Number(0, US), store_trial_epochs=Number(0, 10_000),
    switch_window_s=Number(0, DAY_S), work_bits=Number(0, 24))

RELAY_FIELDS = {
    "addresses": List(ADDRESS, 1, 4), "bandwidth": Number(0, 10**8),
    "counts": Number(0, 65535), "family": Hex(32), "identity": Hex(32),
    "layer": Number(0, 7), "placement": Hex(32), "protocol_max": Number(1, 65535),
    "protocol_min": Number(1, 65535), "role": Number(1, 3), "since": EPOCH}
RELAY = Object(**RELAY_FIELDS)
ENTRY = Object(**RELAY_FIELDS, sphinx_key=PUBLIC)
STANDING = Object(counts=Number(0, 65535), identity=Hex(32), layer=Number(0, 7),
                  placement=Hex(32), seen=EPOCH, since=EPOCH)
STANDINGS = List(STANDING, 0, 16384, identity_of)
CERTIFIED = Object(from_s=TIME, identity=Hex(32), key=Hex(32), share_key=Hex(32),
                   signature=Hex(64), until_s=TIME)
LEFT_OUT = Object(cut_permille=Number(0, 1000), identity=Hex(32))
CONSENSUS = Object(
    away=STANDINGS, certificates=List(CERTIFIED, 0, 16, identity_of),
    cut=List(Number(0, 65535), 0, 16384), days=List(Hex(32), 1, 16), epoch=EPOCH,
    left_out=List(LEFT_OUT, 0, 16384, identity_of), network=NAME, params=PARAMS,
    relays=List(ENTRY, 0, 16384, identity_of), shared_random=Hex(32),
    valid_after_s=Number(0, 2**40), work_challenge=Hex(16))
LINK = Object(identity=Hex(32), lost=Number(0, 65535), sent=Number(0, 65535))
DESCRIPTOR = Object(
    alarms=Number(0, 10**6), epoch=EPOCH, family_signature=Hex(64), hibernates_until_s=TIME,
    links=List(LINK, 0, 32, identity_of), network=NAME, relay=RELAY,
    sphinx_keys=List(PUBLIC, 1, 3))
HELLO = Object(epoch=VOTED, network=NAME)
CLAIM = Object(author=Hex(32), digest=Hex(32), epoch=VOTED, len=Number(1, 32 << 20),
               network=NAME)
SHARE = Object(challenge=Hex(32), dealer=Hex(32), point=Hex(32), response=Hex(32))
SHARES = Object(epoch=VOTED, network=NAME, shares=List(SHARE, 0, 16, lambda s: s["dealer"]))
SIGNATURE = Object(epoch=VOTED, hash=Hex(64), network=NAME)
HOLDER = Object(from_s=TIME, identity=Hex(32), key=Hex(32), response=Hex(32), share=Hex(32),
                share_key=Hex(32), signature=Hex(64), until_s=TIME)
DEALING = Object(challenge=Hex(32), commitments=List(Hex(32), 0, 16),
                 holders=List(HOLDER, 0, 16, identity_of))


class AnyText:
    """Any text without a character 0: what is no descriptor is not counted."""

    def check(self, value):
        """Refuse what is none."""
        if not isinstance(value, str) or "\0" in value:
            raise Refused("FORMAT")

    def wrong(self):
        """Give values that are none."""
        return [5, None, "a\0b", []]

    def ends(self):
        """Give texts that are hard to write."""
        return ["", "a\tb", "\x7f\x01\x1f", "\u00e4\u20ac\U0001d11e", "/\\/", '"', "\r\n\b\f"]


VOTE = Object(
    author=Hex(32), day=Number(0, 2**32 - 1), days=List(Hex(32), 0, 16), dealing=DEALING,
    descriptors=List(AnyText(), 0, 16384, lambda text: text), epoch=VOTED,
    known=List(STANDING, 0, 32768, identity_of), network=NAME, params=PARAMS)
BODIES = {"consensus": CONSENSUS, "descriptor": DESCRIPTOR, "hello": HELLO, "claim": CLAIM,
          "shares": SHARES, "signature": SIGNATURE, "vote": VOTE}
NETWORK = Object(
    authorities=List(Object(address=ADDRESS, identity=Hex(32)), 1, 16),
    epoch_len_s=PARAMS.fields["epoch_len_s"],
    gateways=List(Object(address=ADDRESS, identity=Hex(32)), 0, 16),
    genesis_s=Number(0, 2**40), geometry=GEOMETRY, name=NAME)


def geometry_check(geometry):
    """Refuse lengths that do not fit: the payload has a byte beside its tag."""
    element = 32 if geometry["suite"] == 1 else 1120
    header = 2 + element + geometry["hops"] * (23 + element) + 16
    if geometry["packet_len"] < header + 17:
        raise Refused("RANGE")


def params_check(params):
    """Refuse parameters that do not go together."""
    geometry_check(params["geometry"])
    c, g = params["conversations"], params["geometry"]
    if params["layers"] > g["hops"] - 2 or c["hold_min_s"] > c["hold_max_s"]:
        raise Refused("RANGE")
    if c["fronts"] * c["front"] + c["lane"] + c["sweep"] != 64:
        raise Refused("RANGE")
    if params["boards"]:
        element = 32 if g["suite"] == 1 else 1120
        list_len = 85 + 5 * params["list_entries"]
        room = 2 + element + g["hops"] * (23 + element) + 16 - 24
        if 1 + list_len > g["packet_len"] or -(-list_len // room) > 256:
            raise Refused("RANGE")


def public_len(params):
    """Give the length of relays' packet keys."""
    return 32 if params["geometry"]["suite"] == 1 else 1216


def relay_check(relay):
    """Refuse a relay whose fields do not go together."""
    if relay["protocol_min"] > relay["protocol_max"]:
        raise Refused("RANGE")


def consensus_check(c):
    """Refuse a consensus whose fields do not go together."""
    CONSENSUS.check(c)
    params_check(c["params"])
    layers = c["params"]["layers"]
    for relay in c["relays"]:
        relay_check(relay)
        role_layer = {1: 0, 3: layers + 1}.get(relay["role"])
        if len(relay["sphinx_key"]) != 2 * public_len(c["params"]):
            raise Refused("RANGE")
        if relay["role"] == 2 and not 1 <= relay["layer"] <= layers:
            raise Refused("RANGE")
        if role_layer is not None and relay["layer"] != role_layer:
            raise Refused("RANGE")
    cut_check(c)
    known = {r["identity"] for r in c["relays"]}
    if any(o["identity"] not in known for o in c["left_out"]):
        raise Refused("RANGE")


def has_edge(layers, a, b):
    """May a relay of layer a send to one of layer b (1)?"""
    if a in (0, layers + 1):
        return b == 1
    return b == a + 1 or (a == layers and b == 0)


def cut_check(c):
    """Refuse links that are none, or in no order."""
    cut, layers = c["cut"], c["params"]["layers"]
    if len(cut) % 2:
        raise Refused("RANGE")
    pairs = list(zip(cut[::2], cut[1::2]))
    if pairs != sorted(set(pairs)):
        raise Refused("FORMAT")
    for a, b in pairs:
        if not a < b < len(c["relays"]):
            raise Refused("RANGE")
        la, lb = c["relays"][a]["layer"], c["relays"][b]["layer"]
        if not has_edge(layers, la, lb) and not has_edge(layers, lb, la):
            raise Refused("RANGE")


def descriptor_check(d):
    """Refuse a descriptor whose fields do not go together, in suite 1."""
    DESCRIPTOR.check(d)
    relay_check(d["relay"])
    if any(len(key) != 64 for key in d["sphinx_keys"]):
        raise Refused("RANGE")
    if any(link["lost"] > link["sent"] for link in d["links"]):
        raise Refused("RANGE")
    r = d["relay"]
    if r["layer"] or r["since"] or r["counts"] or r["placement"] != "00" * 32:
        raise Refused("RANGE")


def vote_check(v):
    """Refuse a vote whose fields do not go together."""
    VOTE.check(v)
    params_check(v["params"])
    m, n = len(v["dealing"]["commitments"]), len(v["dealing"]["holders"])
    if m > n or (m == 0) != (n == 0):
        raise Refused("RANGE")


CHECKS = {"consensus": consensus_check, "descriptor": descriptor_check, "vote": vote_check}


def body_check(kind, value):
    """Refuse a body of this kind that is none."""
    CHECKS.get(kind, BODIES[kind].check)(value)


def descriptor_open(data):
    """Open a signed descriptor: of the relay itself, with keys that relays may have."""
    if len(data) > 16384:
        raise Refused("LONG")
    body, signatures = documents.document_read("descriptor", data)
    documents.brackets_check(body)
    d = documents.body_read(body)
    descriptor_check(d)
    identity = bytes.fromhex(d["relay"]["identity"])
    if [s.identity for s in signatures] != [identity] or signatures[0].certificate:
        raise Refused("PEER")
    signatures[0].check(documents.document_hash("descriptor", body))
    for key in d["sphinx_keys"]:
        packet.public_check(1, bytes.fromhex(key))
    documents.family_check(bytes.fromhex(d["relay"]["family"]), identity,
                           bytes.fromhex(d["family_signature"]))
    return identity


DIFF = Object(base=Hex(32), changed=List(ENTRY, 0, 16384, identity_of), consensus=CONSENSUS,
              gone=List(Number(0, 65535), 0, 16384, lambda n: n), keys=List(PUBLIC, 0, 16384))


def diff_open(before, data):
    """Apply a diff whose body is one, and judge the consensus that comes out but for
    its signatures."""
    body, _ = documents.document_read("diff", data)
    documents.brackets_check(body)
    d = documents.body_read(body)
    DIFF.check(d)
    key_len = 2 * public_len(d["consensus"]["params"])
    if d["consensus"]["relays"] or any(len(key) != key_len for key in d["keys"]):
        raise Refused("RANGE")
    document = documents.diff_apply(before, data)
    consensus_check(documents.body_read(documents.document_read("consensus", document)[0]))
    return document


def network_check(text):
    """Refuse a network file that is none; white space and order are free."""
    try:
        value = json.loads(text, object_pairs_hook=documents.pairs_once)
    except ValueError as e:
        raise Refused("FORMAT") from e
    NETWORK.check(value)
    geometry_check(value["geometry"])
    identities = [a["identity"] for a in value["authorities"]]
    if len(set(identities)) != len(identities):
        raise Refused("DUPLICATE")
