"""A pair whose letters are lost, late and changed, whose sides come back with older
copies, and whose invitation a second one uses; each side both here and in C, which
have to agree on every byte and every verdict."""
import random

import kems
import letters
import ratchet
from harness import Different
from primitives import Refused, x25519_public

LEN = 187 + 16  # of letters that have no room for parts
DAY_S = 86400
AFTER_S = 61  # from one offer to the next
ROUNDS = 16   # within which a pair that is left alone has to find together
KEPT_DAYS = 3


class World:
    """What all sides of a schedule share: places with letters, the time, the seed."""

    def __init__(self, t):
        self.t, self.time_s = t, 20000 * DAY_S + t.below(DAY_S)
        self.len, self.kem = LEN, kems.NONE
        self.seed, self.invites = t.bytes(32), t.bytes(32)
        self.chains = letters.chains(self.seed)
        self.keys = {}  # of days, by direction
        self.put = ({}, {})  # letters by place; what the inviter writes, the invitees
        self.sealed = {}  # letters by key and nonce
        self.texts = 0
        # An inviter who is set back to before he has read anything finds the other side
        # by its first letters alone: by those that stores have and have not changed, and
        # of two by either.
        self.is_paired_once = False
        self.counts = t.counts

    def count(self, what, n=1):
        """Count that something happened."""
        self.counts[what] = self.counts.get(what, 0) + n

    def day(self):
        """Give today."""
        return self.time_s // DAY_S

    def chain(self, way, period):
        """Give the key of a direction on a day."""
        if (way, period) not in self.keys:
            self.keys[way, period] = letters.chain_day(self.chains[way], 20000, period)
        return self.keys[way, period]


class Record:
    """What a side has on its disk but its session."""

    def __init__(self):
        self.next = {}  # place to write to, by period
        self.read = set()  # places
        self.opened = set()  # keys of letters
        self.sequence = 0
        self.texts = set()  # that were read
        self.used = set()  # marks that were read

    def copy(self):
        """Give a copy."""
        r = Record()
        r.next, r.read, r.opened = dict(self.next), set(self.read), set(self.opened)
        r.sequence, r.texts, r.used = self.sequence, set(self.texts), set(self.used)
        return r


class Side:
    """One side, here and in C."""

    def __init__(self, world, number, inviter):
        self.world, self.t, self.number = world, world.t, number
        self.way = 0 if inviter else 1
        self.record, self.copies = Record(), []
        self.broken = self.second = False
        self.offered_s = 0
        self.own = random.Random(self.t.below(2**64))  # of its secrets
        secret = world.invites if inviter else self.own.randbytes(32)
        self.kem = world.kem
        if inviter:
            self.session = ratchet.session_invite(world.seed, secret)
            said = self.ask("invite", seed=world.seed, own_secret=secret, kem=self.kem)
        else:
            key, share = x25519_public(world.invites), self.own.randbytes(64)
            self.session = ratchet.session_accept(world.seed, key, secret, share)
            said = self.ask("accept", seed=world.seed, key=key, own_secret=secret,
                            fresh_share=share, kem=self.kem)
        self.session.kem = kems.KEMS[self.kem]
        self.agree("beginning", said)

    def ask(self, do, **values):
        """Have the C side do something with its session."""
        return self.t.ask(f"session_{do}", session=self.number, **values)

    def state(self):
        """Give what both say of a session."""
        s = self.session
        return {"open": s.is_open, "may_write": s.may_write(), "generation": s.generation,
                "has_before": s.before is not None, "answered": s.answered,
                "paired": s.pair is not None, "pair": s.pair or bytes(32), "first": s.first,
                "kept": len(s.kept), "mixed": s.now.mixed,
                "has_lasting": s.lasting is not None, "quantum": s.quantum()}

    def held(self, seed):
        """Compare what a token is made of."""
        self.t.found("held", {"seed": self.session.held_seed(seed)},
                     self.ask("held", seed=seed))

    def agree(self, what, said, **more):
        """Require that C says what was found here."""
        self.t.found(f"{what} of side {self.number}", {**more, **self.state()}, said)

    # ---- writing ----

    def letter(self, kind, data=b""):
        """Make a letter of this kind."""
        self.record.sequence += 1
        bare = kind in (letters.ACK, letters.USED)
        letter = {"ack": self.t.below(2**32), "map": self.t.bytes(32), "floor": 1,
                  "previous_period": 0, "previous_count": 0, "kind": kind,
                  "sequence": 0 if bare else self.record.sequence, "message": bytes(8),
                  "index": 0, "total": len(data), "after": 0, "announced": 0, "tokens": 0,
                  "lease_s": 0, "data": data}
        if kind == letters.USED:
            letter["message"] = ratchet.used_mark(self.session.first)
        return letter

    def seal(self, letter):
        """Seal a letter for the next place; give that."""
        world, period = self.world, self.world.day()
        at = (period, self.record.next.get(period, 0))
        self.record.next[period] = at[1] + 1
        chain = world.chain(self.way, period)
        ours, keys = self.session.seal(letter, chain, *at, world.len)
        said = self.ask("seal", **letter, chain=chain, period=at[0], n=at[1], len=world.len)
        self.agree("letter", said, letter=ours)
        for key, part in zip(keys, (ours[:88], ours)):
            if world.sealed.setdefault((key, ours[:24]), part) != part:
                raise Different(f"two letters under one key and nonce, place {at}")
        world.count("sealed")
        return at, ours

    def write(self, kind, data=b"", loses=0.0):
        """Write a letter: where a place is taken, another for the next one."""
        letter, put = self.letter(kind, data), self.world.put[self.way]
        for _ in range(1000):
            at, ours = self.seal(letter)
            if at not in put:
                break
            self.world.count("taken")
        if self.t.random.random() < loses:
            self.world.count("lost")
        else:
            put[at] = ours

    def text(self, loses=0.0):
        """Write a text nobody has written before; give it, or None: it may not."""
        if not self.session.may_write():
            return None
        if not self.session.is_open:
            self.write(self.t.random.choice((letters.HELLO, letters.ACK)), loses=loses)
            return None
        self.world.texts += 1
        data = self.world.texts.to_bytes(8, "big")
        self.write(letters.TEXT, data, loses)
        return data

    def odd(self):
        """Write a letter whose fields contradict each other: an invitee who was answered
        does, since C counts what is passed over neither as a first letter nor as an
        answer, though the ratchet has stepped."""
        if self.session.is_open and self.way == 1 and self.session.answered:
            self.write(letters.PING, b"odd")
            self.world.count("odd")

    def warn(self):
        """Tell that a second one has used the invitation."""
        self.second = False
        self.write(letters.USED)
        self.world.count("warned")

    def offer(self, generation=None):
        """Offer a new generation, and say so in a letter."""
        world, secret = self.world, self.own.randbytes(32)
        least = self.session.generation + 1
        generation = max(least, world.time_s) if generation is None else generation
        self.session.offer(generation, world.day(), secret)
        said = self.ask("offer", generation=generation, day=world.day(), own_secret=secret)
        self.agree("offer", said)
        self.broken, self.offered_s = False, world.time_s
        world.count("offers")

    def act(self, loses=0.0):
        """Do what is due: offer, warn, or write; give the text that was written."""
        if self.second:
            self.warn()
        s = self.session
        if self.broken and s.pair is not None and (self.way == 0 or s.answered):
            if self.world.time_s >= self.offered_s + AFTER_S:
                self.offer()
        return self.text(loses)

    # ---- reading ----

    def unread(self):
        """Give the places of letters that were not read."""
        return sorted(set(self.world.put[1 - self.way]) - self.record.read)

    def read(self, at, changed=False, again=False):
        """Open the letter of a place."""
        world, data = self.world, self.world.put[1 - self.way][at]
        if changed:
            data = self.t.changed(data)
        day, fresh, share = world.day(), self.own.randbytes(32), self.own.randbytes(64)
        values = {"chain": world.chain(1 - self.way, at[0]), "period": at[0], "n": at[1],
                  "day": day, "latest": world.time_s + DAY_S, "fresh": fresh,
                  "fresh_share": share, "again": again}
        said = self.ask("open", letter=data, **values)
        try:
            opened = self.session.open(data, **values)
        except Refused as e:
            self.t.compared += 1
            if "err" not in said:
                raise Different(f"letter at {at}: refused here as {e}, in C {said}") from e
            world.count("bad heads")
            return
        more = {"verdict": opened.verdict, "taken": opened.taken}
        if opened.verdict in ("read", "used"):
            more.update(opened.letter, is_kept=opened.is_kept)
        if opened.verdict in ("passed", "broken"):
            more["behind"] = opened.behind
        if opened.verdict == "broken":
            more["ahead"] = opened.ahead
        self.agree(f"letter at {at}", said, **more, unmet=opened.unmet)
        world.count(opened.verdict)
        world.count("offers that could not be taken", opened.unmet)
        world.count("offers taken", opened.taken)
        world.count("late", opened.is_kept)
        self.note(at, opened, again)

    def note(self, at, opened, again):
        """Note on the disk what came."""
        r = self.record
        if opened.unmet:
            self.broken = True
        if opened.verdict == "read" and again:
            return
        if at in r.read:
            raise Different(f"place {at} was read twice")
        r.read.add(at)
        if opened.verdict == "broken":
            self.broken = True
        if opened.verdict == "second":
            self.second = True
        if opened.verdict == "used":
            r.used.add(opened.letter["message"])
        if opened.verdict != "read":
            return
        if opened.key is not None:
            if opened.key in r.opened:
                raise Different(f"a key of place {at} has opened two letters")
            r.opened.add(opened.key)
        if opened.letter["kind"] == letters.TEXT:
            if opened.letter["data"] in r.texts:
                raise Different("a text was read twice")
            r.texts.add(opened.letter["data"])

    def read_all(self):
        """Read all letters that there are, in order."""
        for at in self.unread():
            self.read(at)

    # ---- copies ----

    def keep(self):
        """Make a copy of all that is on the disk."""
        number = 3 + self.number * 8 + len(self.copies)
        if len(self.copies) < 8:
            self.agree("copy", self.ask("copy", to=number))
            self.copies.append((number, self.session.copy(), self.record.copy(),
                                self.own.getstate()))

    def restore(self):
        """Come back with a copy of before, of a machine that may draw the same again."""
        copies = [c for c in self.copies if c[1].pair or not self.world.is_paired_once]
        if copies:
            number, session, record, own = self.t.random.choice(copies)
            if self.t.below(2):
                self.own.setstate(own)
            self.session.put_back(session)
            self.kem = kems.KEMS.index(session.kem)
            self.record = record.copy()
            self.broken = self.second = False
            said = self.t.ask("session_copy", session=number, to=self.number)
            self.agree("restored", said)
            self.world.count("restored")

    def restart(self):
        """Read the session from the disk."""
        self.broken = False
        self.agree("restarted", self.ask("restart", kem=self.kem))

    def change(self):
        """Start again with, or without, a library that has ML-KEM-768."""
        self.kem = self.world.kem if self.kem == kems.NONE else kems.NONE
        self.session.kem = kems.KEMS[self.kem]
        self.restart()
        self.world.count("libraries came or went")

    def forget(self):
        """Forget what old letters need."""
        day = self.world.day() - KEPT_DAYS
        self.session.forget(day)
        self.agree("forgotten", self.ask("forget", day=day))


def step_side(world, side, wild):
    """Let a side do something by chance."""
    t, unread = world.t, side.unread()
    what = t.random.choices(
        ("read", "write", "changed", "again", "keep", "restore", "restart", "offer", "odd",
         "forget", "lost", "change"),
        (40, 30, wild, 1, 5, wild, 2, wild / 2, 1, 1, wild / 2, world.kem > 0))[0]
    if what == "read" and unread:
        side.read(t.random.choice(unread[:1 + t.below(6)]))
    elif what == "write":
        for _ in range(1 + t.below(4)):
            side.act(loses=0.15)
    elif what == "changed" and unread and side.session.pair:
        side.read(t.random.choice(unread), changed=True)
        world.count("changed")
    elif what == "again" and not unread:
        side.held(t.bytes(32))
    elif what == "again":
        side.read(unread[0], again=True)
    elif what == "keep":
        side.keep()
    elif what == "restore":
        side.restore()
    elif what == "restart":
        side.restart()
    elif what == "offer" and side.session.answered and side.session.pair is not None:
        side.offer()
    elif what == "odd":
        side.odd()
    elif what == "forget":
        side.forget()
    elif what == "change":
        side.change()
    elif what == "lost" and world.put[1 - side.way] and side.session.pair:
        place = t.random.choice(sorted(world.put[1 - side.way]))
        del world.put[1 - side.way][place]
        world.is_paired_once = True
        world.count("lost of stores")


def settle(world, inviter, invitees):
    """Leave a pair alone: it has to come to one generation, and read what is new."""
    for turn in range(ROUNDS):
        world.time_s += AFTER_S
        pair = [inviter] + [s for s in invitees if inviter.session.pair is None
                            or s.session.first == inviter.session.first]
        for side in pair:
            side.read_all()
        texts = [side.act() for side in pair]
        if len(pair) == 2 and all(texts):
            for side in pair:
                side.read_all()
            a, b = pair
            if (a.session.is_open and a.session.generation == b.session.generation
                    and texts[1] in a.record.texts and texts[0] in b.record.texts):
                world.count("rounds", turn + 1)
                return b
    raise Different(f"the two do not find together: {inviter.state()} "
                    f"{[s.state() for s in invitees]}")


def harden(world, pair):
    """See that the two, left alone, get a share of ML-KEM-768 where both have that; also
    when one is back from before he made one, of which the other has another."""
    if not all(side.kem for side in pair):
        return
    for _ in range(2 * ROUNDS):
        world.time_s += AFTER_S
        for side in pair:
            side.act()
        for side in pair:
            side.read_all()
    world.t.same("both are hardened", [0, 0], [s.session.quantum() for s in pair])
    world.t.same("by as many shares, but one under way", True,
                 abs(pair[0].session.now.mixed - pair[1].session.now.mixed) <= 1)
    world.t.same("and have the same lasting one", True,
                 pair[0].session.lasting == pair[1].session.lasting)
    world.count("hardened")
    world.count("shares", min(s.session.now.mixed for s in pair))


def warn_last(world, inviter, invitees, partner):
    """See that all hear of a second one who has used the invitation."""
    for side in invitees:
        side.write(letters.HELLO)
    inviter.read_all()
    if not any(side is not partner for side in invitees):
        return
    inviter.warn()
    for side in invitees:
        side.read_all()
        told = ratchet.used_mark(partner.session.first) in side.record.used
        world.t.same("all hear of a second one", True, told)
    world.count("seconds")


def schedule_run(t, steps):
    """Run one schedule."""
    world = World(t)
    if t.below(4):
        real = t.below(8) == 0 and t.ask("kem_found")["found"]
        world.len, world.kem = t.random.choice((700, 1232)), kems.REAL if real else kems.TOY
    inviter, invitees = Side(world, 0, True), [Side(world, 1, False)]
    wild = t.random.choice((0, 0, 1, 4, 8))
    has_second = t.below(4) == 0
    for _ in range(steps):
        world.time_s += t.random.choice((0, 1, 20, 90, 90, 7000 * (t.below(20) == 0)))
        if has_second and len(invitees) == 1 and t.below(10) == 0:
            invitees.append(Side(world, 2, False))
            world.is_paired_once = True
        step_side(world, t.random.choice([inviter, inviter] + invitees), wild)
    partner = settle(world, inviter, invitees)
    harden(world, (inviter, partner))
    warn_last(world, inviter, invitees, partner)
