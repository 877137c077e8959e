"""Ratchets, and the sessions of pairs whose letters they seal (PROTOCOL.md 8.10)."""
import copy

import letters
from primitives import Refused, blake, number, x25519, x25519_public

SKIP_MAX = 1024
KEPT_MAX = 2048
CHAIN_MAX = 2**24


class Late(Exception):
    """A letter of a key that is behind: it was kept, or used."""


class Ahead(Exception):
    """A letter that is further on than the reader's state can be."""


def root_step(root, secret, key, share=b""):
    """Step a root, and mix a share in: the next one, and the chain that comes of it."""
    out = blake(512, b"brusio/1 root" + x25519(secret, key) + share, root)
    return out[:32], out[32:]


def chain_step(chain):
    """Step a chain: the key of a letter, and the next chain."""
    return blake(256, b"\1", chain), blake(256, b"\2", chain)


class Ratchet:
    """One side of a ratchet; it offers until it has a key of the other's."""

    def __init__(self, root, secret):
        self.root, self.secret = root, secret
        self.peer, self.peer_step = None, -1
        self.out = self.into = self.share = None
        self.took, self.hardened, self.mixed = False, False, 0
        self.own_step = self.n_out = self.n_in = self.previous = 0

    def take(self, key):
        """Take the other side's offer."""
        self.peer, self.peer_step, self.took = key, 0, True
        self.root, self.out = root_step(self.root, self.secret, key)

    def sends_key(self):
        """Is it this side that sends the key of the next share, and mixes it?"""
        return self.took == (self.mixed % 2 == 0)

    def share_take(self):
        """Take the share for a step that mixes it in."""
        share, self.share = self.share, None
        self.mixed, self.hardened = self.mixed + 1, True
        return share

    def write(self):
        """Take the next key to write with: what a head says of it, and the key."""
        if self.n_out >= CHAIN_MAX:
            raise Refused("FULL")
        head = {"step": self.own_step, "key": x25519_public(self.secret),
                "number": self.n_out, "previous": self.previous, "mixed": self.mixed % 256}
        key, self.out = chain_step(self.out)
        self.n_out += 1
        return head, key

    def skip(self, upto):
        """Go over the letters before number upto; give the step, number, key of each."""
        skipped = []
        if upto - self.n_in > SKIP_MAX:
            raise Refused("RANGE")
        while self.n_in < upto:
            key, self.into = chain_step(self.into)
            skipped.append((self.peer_step, self.n_in, key))
            self.n_in += 1
        return skipped

    def follow(self, head, fresh):
        """Take up a new key of the other's, and answer it with one of our own."""
        share = b""
        if head["mixed"] != self.mixed % 256:
            if (head["mixed"] != (self.mixed + 1) % 256 or self.share is None
                    or self.sends_key()):
                raise Refused("CONFLICT")
            share = self.share_take()
        self.peer, self.peer_step = head["key"], head["step"]
        self.root, self.into = root_step(self.root, self.secret, self.peer, share)
        self.previous, self.n_out, self.n_in = self.n_out, 0, 0
        self.secret = fresh
        self.own_step += 1
        share = self.share_take() if self.share is not None and self.sends_key() else b""
        self.root, self.out = root_step(self.root, self.secret, self.peer, share)

    def read(self, head, fresh):
        """Find the key of a letter: the ratchet when it has opened, the key, and the
        keys of letters that are passed over."""
        r, skipped = copy.copy(self), []
        if head["step"] < r.peer_step:
            raise Late
        if head["step"] > r.peer_step + 1:
            raise Ahead
        if head["step"] == r.peer_step + 1:
            if r.into:
                skipped += r.skip(head["previous"])
            r.follow(head, fresh)
        elif head["key"] != r.peer or not r.into:
            raise Refused("CONFLICT")
        elif head["number"] < r.n_in:
            raise Late
        skipped += r.skip(head["number"])
        if len(skipped) > SKIP_MAX:
            raise Refused("RANGE")
        key, r.into = chain_step(r.into)
        r.n_in += 1
        return r, key, skipped


class Rekey:
    """What the letters of a ratchet carry for its next share."""

    def __init__(self, lacks=False):
        self.seed, self.next, self.parts, self.ciphertext = None, 0, {}, None
        self.lacks = lacks

    def ready(self, r, fresh):
        """Draw the seed of a key that is to be sent."""
        if r.sends_key() and r.share is None and self.seed is None:
            self.seed = fresh

    def write(self, r, kem, room):
        """Choose what a letter carries that has so many bytes of room."""
        if kem is None:
            return dict(letters.NO_PART, part_kind=letters.PART_LACKS if room else 0)
        kind, whole = letters.PART_KEY, None
        if not r.sends_key() and r.share is not None:
            kind, whole = letters.PART_CIPHERTEXT, self.ciphertext
        elif r.sends_key() and r.share is None and self.seed is not None:
            whole = kem.public(self.seed)
        least = letters.PART_HEAD_LEN + letters.PART_LEN[letters.PART_KEY]
        if whole is None or room < least:
            return dict(letters.NO_PART)
        each, first = letters.PART_LEN[kind], self.next
        count = min((room - letters.PART_HEAD_LEN) // each, letters.PARTS)
        self.next, whole = (first + count) % letters.PARTS, whole + whole
        return {"part_kind": kind, "part_exchange": r.mixed + 1, "part_first": first,
                "part_count": count, "part_bytes": whole[first * each:(first + count) * each]}

    def read(self, r, kem, letter, fresh):
        """Take what a letter has carried."""
        if letter["part_kind"]:
            self.lacks = letter["part_kind"] == letters.PART_LACKS
        sends = r.sends_key()
        wanted = letters.PART_CIPHERTEXT if sends else letters.PART_KEY
        if (kem is None or r.share is not None or letter["part_kind"] != wanted
                or (sends and self.seed is None) or letter["part_exchange"] != r.mixed + 1):
            return
        each = letters.PART_LEN[wanted]
        for i in range(letter["part_count"]):
            at = (letter["part_first"] + i) % letters.PARTS
            self.parts[at] = letter["part_bytes"][i * each:(i + 1) * each]
        if len(self.parts) < letters.PARTS:
            return
        whole, self.parts, self.next = b"".join(p for _, p in sorted(self.parts.items())), {}, 0
        if sends:
            r.share, self.seed = kem.decaps(self.seed, whole), None
            return
        try:
            r.share, self.ciphertext = kem.encaps(whole, fresh[:32])
        except Refused:
            pass


class Opened:
    """What became of a letter: read, second, passed or broken."""

    def __init__(self):
        self.verdict, self.letter, self.key = "passed", None, None
        self.ahead = self.is_kept = self.taken = self.opened = self.unmet = False
        self.behind = False


class Session:
    """One side of a pair."""

    def __init__(self, inviter):
        self.inviter, self.is_open, self.answered = inviter, not inviter, False
        self.generation, self.pair, self.first, self.now = 0, None, bytes(32), None
        self.before, self.before_generation, self.before_day = None, 0, 0
        self.kept = {}  # key and day by generation, step, number; the oldest first
        self.kem, self.lasting, self.rekey = None, None, Rekey()

    def copy(self):
        """Give a copy, as a backup is one."""
        s = copy.copy(self)
        s.now, s.before, s.kept = copy.copy(self.now), copy.copy(self.before), dict(self.kept)
        s.rekey = copy.copy(self.rekey)
        s.rekey.parts = dict(self.rekey.parts)
        return s

    def put_back(self, other):
        """Become a copy of before."""
        self.__dict__.update(other.copy().__dict__)

    # ---- beginning and offering ----

    def offer(self, generation, day, secret):
        """Offer a ratchet of a generation."""
        self.leave(generation, day)
        self.now = Ratchet(self.secret_of(generation), secret)
        self.now.hardened = self.lasting is not None
        self.is_open = False

    def secret_of(self, generation):
        """Derive what a later generation's ratchet begins with."""
        return blake(256, b"brusio/1 again" + number(generation, 4) + (self.lasting or b""),
                     self.pair)

    def lasting_mark(self):
        """Write which lasting share this is."""
        return int.from_bytes(blake(128, self.lasting)[:4], "big")

    def leave(self, generation, day):
        """Leave the ratchet that there is; one that nobody has taken has sealed nothing."""
        if self.is_open:
            self.before, self.before_generation = self.now, self.generation
            self.before_day = day
        self.generation, self.rekey = generation, Rekey(self.rekey.lacks)

    def may_write(self):
        """May this side write anything?"""
        return self.is_open or self.pair is not None

    def quantum(self):
        """How does this stand to a quantum computer? As session.h counts."""
        if self.is_open and self.now.hardened:
            return 0
        return 2 if self.kem is None else 3 if self.rekey.lacks else 1

    # ---- sealing ----

    def seal(self, letter, chain, period, n, letter_len):
        """Seal a letter for its place; give it, and the keys of its head and body."""
        to_all, key, head = letter["kind"] == letters.USED, None, dict(letters.NO_HEAD)
        if not to_all:
            head["generation"] = self.generation
            if self.is_open:
                head["seal"] = letters.BY_RATCHET
                said, key = self.now.write()
                head.update(said)
                room = letters.part_room(letter, letter_len)
                letter = {**letter, **self.rekey.write(self.now, self.kem, room)}
            else:
                head.update(seal=letters.BY_OFFER, key=x25519_public(self.now.secret))
                if self.lasting is not None:
                    head.update(mixed=1, step=self.lasting_mark())
        by_pair = not to_all and (self.inviter or self.answered)
        pair = self.pair if by_pair else letters.NO_PAIR
        keys = letters.letter_keys(chain, period, n, pair)
        data = letters.letter_seal(letter, head, chain, period, n, pair, letter_len, key)
        return data, (keys[0], key or keys[1])

    def held_seed(self, seed):
        """Make of a box's seed that of the token by which its letters are let go."""
        if self.pair is None:
            return seed
        return blake(256, b"brusio/1 held" + seed, self.pair)

    # ---- opening ----

    def head_open(self, data, at):
        """Open a head: whether pair did, the head, and the key of the place."""
        for pair in (self.pair, letters.NO_PAIR):
            if pair is None:
                continue
            try:
                head = letters.letter_open_head(data, *at, pair)
            except Refused as e:
                if str(e) != "MAC" or pair == letters.NO_PAIR:
                    raise
                continue
            return pair == self.pair, head, letters.letter_keys(*at, pair)[1]

    def body_open(self, data, head, at, key, opened):
        """Open a body; says whether the key was that of it. What contradicts itself is
        passed over."""
        try:
            opened.letter = letters.letter_open_body(data, head, *at[1:], key)
            opened.verdict = "read"
        except Refused as e:
            if str(e) == "MAC":
                return False
            opened.verdict = "passed"
        return True

    def open(self, data, chain, period, n, day, latest, fresh, fresh_share, again=False):
        """Open a letter; again: it will come again, and its key is kept for that."""
        at, opened, generation = (chain, period, n), Opened(), self.generation
        by_pair, head, place_key = self.head_open(data, at)
        seal, was = head["seal"], self.now
        if by_pair and seal == letters.BY_OFFER:
            self.offer_open(data, head, at, place_key, opened, day, latest, fresh)
            if self.now is not was:
                self.rekey.ready(self.now, fresh_share)
        elif by_pair and seal == letters.BY_RATCHET:
            self.ratchet_open(data, head, at, opened, day, fresh, again)
        elif not by_pair and seal == letters.BY_RATCHET and self.inviter:
            self.first_open(data, head, at, opened, day, fresh, again)
        elif not by_pair and seal == letters.BY_PLACE and not self.inviter:
            self.body_open(data, head, at, place_key, opened)
            if opened.letter:
                is_word = opened.letter["kind"] == letters.USED
                opened.verdict = "used" if is_word else "passed"
        if opened.opened and head["generation"] == self.generation:
            self.share_go_on(was, opened, fresh_share)
        if by_pair:  # its writer knows pair, whatever it opens with
            self.answered = True
        opened.taken = self.generation != generation
        return opened

    def offer_open(self, data, head, at, key, opened, day, latest, fresh):
        """Open a letter that offers a ratchet, and take that if it counts."""
        self.answered = True
        generation = head["generation"]
        counts = generation > self.generation or (
            generation == self.generation and not self.is_open and not self.inviter)
        if not self.body_open(data, head, at, key, opened) or not counts or generation > latest:
            return
        mine = 0 if self.lasting is None else self.lasting_mark()
        if not head["mixed"] or self.lasting is None or head["step"] != mine:
            self.lasting = None
            opened.unmet = head["mixed"] != 0
            if opened.unmet:
                return
        now = Ratchet(self.secret_of(generation), fresh)
        try:
            now.take(head["key"])
        except Refused:
            return
        self.leave(generation, day)
        now.hardened = self.lasting is not None
        self.now, self.is_open = now, True

    def share_go_on(self, was, opened, fresh_share):
        """Go on with what the letters of a ratchet carry, after one has opened."""
        if self.now.mixed != was.mixed:
            if self.lasting is None:
                self.lasting = was.share
            self.rekey = Rekey(self.rekey.lacks)
        if opened.verdict == "read":
            self.rekey.read(self.now, self.kem, opened.letter, fresh_share)
        self.rekey.ready(self.now, fresh_share)

    def ratchet_open(self, data, head, at, opened, day, fresh, again):
        """Open a letter by the ratchet of its generation."""
        generation, step, n = head["generation"], head["step"], head["number"]
        is_now = generation == self.generation
        is_before = self.before is not None and generation == self.before_generation
        opened.ahead = generation > self.generation
        ratchet = self.now if is_now else self.before if is_before else None
        opens, skipped = False, []
        try:
            if ratchet:
                ratchet, opened.key, skipped = ratchet.read(head, fresh)
                opens = self.body_open(data, head, at, opened.key, opened)
        except Late:
            if (generation, step, n) in self.kept:
                opened.key = self.kept[generation, step, n][0]
                opens = opened.is_kept = self.body_open(data, head, at, opened.key, opened)
        except Ahead:
            opened.ahead = True
        except Refused:
            pass
        if not opens:
            opened.verdict = "broken" if generation >= self.generation else "passed"
            opened.behind = generation < self.generation
            return
        opened.opened = True
        again = again and opened.verdict == "read"
        if opened.is_kept:
            if not again:
                del self.kept[generation, step, n]
        else:
            for *which, key in skipped + ([(step, n, opened.key)] if again else []):
                self.kept[generation, which[0], which[1]] = (key, day)
                while len(self.kept) > KEPT_MAX:
                    del self.kept[next(iter(self.kept))]
            if is_now:
                self.now = ratchet
            else:
                self.before = ratchet
        if is_now:
            self.is_open = True

    def first_open(self, data, head, at, opened, day, fresh, again):
        """Open one of the first letters of an invitee, or of a second one."""
        if head["generation"] != 0 or head["step"] != 0:
            return
        was = self.pair, self.first, self.answered
        if self.pair is not None:
            if head["key"] != self.first:
                opened.verdict = "second"
                return
        else:
            try:
                shared = x25519(self.now.secret, head["key"])
            except Refused:
                return
            self.pair = blake(256, b"brusio/1 both" + shared, self.now.root)
            self.first = head["key"]
        self.ratchet_open(data, head, at, opened, day, fresh, again)
        if opened.opened:
            self.answered = True
            return
        self.pair, self.first, self.answered = was
        is_over = was[0] is None or self.generation > 0 or self.now.peer_step > 0
        if opened.verdict == "broken" and is_over:
            opened.verdict, opened.behind = "passed", was[0] is not None

    def forget(self, day):
        """Forget what letters before a day need."""
        if self.before is not None and self.before_day < day:
            self.before = None
        self.kept = {which: k for which, k in self.kept.items() if k[1] >= day}


def session_invite(seed, secret):
    """Begin as the inviter, who has the secret of the invitation's key."""
    s = Session(True)
    s.now = Ratchet(blake(256, b"brusio/1 first", seed), secret)
    return s


def session_accept(seed, key, secret, fresh_share):
    """Begin as who takes an invitation up."""
    s, first = Session(False), blake(256, b"brusio/1 first", seed)
    s.now = Ratchet(first, secret)
    s.now.take(key)
    s.rekey.ready(s.now, fresh_share)
    s.pair = blake(256, b"brusio/1 both" + x25519(secret, key), first)
    s.first = x25519_public(secret)
    return s


def used_mark(first):
    """Write what a letter of kind 6 names an invitee by."""
    return blake(256, first)[:8]
