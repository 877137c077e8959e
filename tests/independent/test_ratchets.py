"""Ratchets and sessions (PROTOCOL.md 8.10): in random schedules, and at their limits."""
import importlib.util
import json
import os
import random

import kems
import letters
import ratchet
from harness import Different
from primitives import x25519_public
from schedules import DAY_S, Side, World, schedule_run

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors")


def test_schedules(t):
    """Pairs under loss, delay, older copies, offers, and seconds; each schedule has a
    seed of its own, which a failure names."""
    for i in range(t.schedules):
        t.random = random.Random(f"{t.seed}/schedule/{i}")
        try:
            schedule_run(t, 20 + t.below(60))
        except Different as e:
            raise Different(f"schedule {i}: {e}") from e


def pair_make(t):
    """Make a pair that has read each other's first letters."""
    world = World(t)
    inviter, invitee = Side(world, 0, True), Side(world, 1, False)
    invitee.write(letters.HELLO)
    inviter.read_all()
    inviter.write(letters.ACK)
    invitee.read_all()
    t.same("both know of each other", [True, True],
           [inviter.session.answered, invitee.session.answered])
    return world, inviter, invitee


def seal_ahead(side, n):
    """Seal n texts and keep them back."""
    first = side.world.texts
    side.world.texts += n
    return [side.seal(side.letter(letters.TEXT, b"%d" % (first + i))) for i in range(n)]


def bring(world, reader, at, data):
    """Put a letter, which its reader opens; says how many were read."""
    before = dict(world.counts)
    world.put[1 - reader.way][at] = data
    reader.read(at)
    return next(v for v in ("read", "passed", "broken", "second", "bad heads")
                if world.counts.get(v, 0) > before.get(v, 0))


def test_kems(t):
    """ML-KEM-768 and its stand-in: keys, ciphertexts and shares alike on both sides, and
    one of NIST's vectors. C has the first where a library has."""
    with open(os.path.join(VECTORS, "mlkem768.json"), encoding="utf-8") as f:
        v = {name: bytes.fromhex(value) for name, value in json.load(f).items()
             if name in ("ek", "m", "k", "begin", "end")}
    share, ciphertext = kems.Real.encaps(v["ek"], v["m"])
    t.same("NIST's", [True] * 3, [share == v["k"], ciphertext.startswith(v["begin"]),
                                  ciphertext.endswith(v["end"])])
    found = t.ask("kem_found")["found"]
    if found:
        t.found("NIST's", {"ciphertext": ciphertext, "share": share},
                t.ask("kem_encapsulate", kem=kems.REAL, key=v["ek"], message=v["m"]))
    for kem in (kems.TOY, kems.REAL) if found else (kems.TOY,):
        for _ in range(5):
            k, seed, message = kems.KEMS[kem], t.bytes(64), t.bytes(32)
            key = k.public(seed)
            share, ciphertext = k.encaps(key, message)
            other = t.changed(ciphertext)
            t.found("keys", {"key": key, "ciphertext": ciphertext,
                             "shares": share + share + k.decaps(seed, other)},
                    t.ask("kem_use", kem=kem, seed=seed, message=message, other=other))
            bad = b"\xff" + b"\xff" * 2 + key[3:]
            said = t.ask("kem_encapsulate", kem=kem, key=bad, message=message)
            t.alike("a key that is none", lambda: k.encaps(bad, message), said)


def test_skips(t):
    """So many letters may be missing before one, in both chains together."""
    for missing, before in ((1024, 0), (1025, 0), (1024, 1), (1000, 24), (1000, 25), (0, 1024),
                            (0, 1025)):
        world, inviter, invitee = pair_make(t)
        seal_ahead(inviter, before)
        invitee.write(letters.ACK)
        inviter.read_all()
        last = seal_ahead(inviter, missing + 1)[-1]
        found = bring(world, invitee, *last)
        t.same(f"with {missing} missing, and {before} before",
               "read" if missing + before <= ratchet.SKIP_MAX else "broken", found)
        t.same("keys are kept", missing + before if found == "read" else 0,
               len(invitee.session.kept))


def test_kept(t):
    """So many keys of late letters are kept, the oldest given up."""
    world, inviter, invitee = pair_make(t)
    late = []
    for _ in range(3):
        late += seal_ahead(inviter, 800)
        t.same("is read", "read", bring(world, invitee, *seal_ahead(inviter, 1)[0]))
    gone = 3 * 800 - ratchet.KEPT_MAX
    t.same("keys that are kept", ratchet.KEPT_MAX, len(invitee.session.kept))
    for i, verdict in ((gone - 1, "broken"), (gone, "read"), (3 * 800 - 1, "read"), (0, "broken")):
        t.same(f"late letter {i}", verdict, bring(world, invitee, *late[i]))
    world.time_s += 2 * DAY_S
    t.same("is read", "read", bring(world, invitee, *seal_ahead(inviter, 2)[1]))
    world.time_s += 2 * DAY_S
    invitee.forget()
    t.same("keys of the last days", 1, len(invitee.session.kept))


def head_seal(side, chance_head):
    """Seal a letter under a head of one's own making."""
    letter, at = side.letter(letters.HELLO), (side.world.day(), 10**6 + side.t.below(10**6))
    chain = side.world.chain(side.way, at[0])
    head = {**letters.NO_HEAD, **chance_head}
    return at, letters.letter_seal(letter, head, chain, *at, side.session.pair, 203)


def test_heads(t):
    """Heads that a reader cannot follow."""
    world, inviter, invitee = pair_make(t)
    good = {"seal": letters.BY_RATCHET, "step": 1,
            "key": x25519_public(inviter.session.now.secret), "number": 1}
    for change, verdict, ahead in (
            ({}, "broken", False), ({"step": 2}, "broken", False), ({"step": 3}, "broken", True),
            ({"step": 0}, "broken", False), ({"key": t.bytes(32)}, "broken", False),
            ({"step": 2, "key": bytes(32)}, "broken", False), ({"number": 0}, "broken", False),
            ({"generation": 1}, "broken", True), ({"seal": letters.BY_PLACE}, "passed", False),
            ({"seal": letters.BY_PLACE, "generation": 7}, "passed", False),
            ({"seal": 3}, "bad heads", False)):
        found = bring(world, invitee, *head_seal(inviter, {**good, **change}))
        t.same(f"verdict of a head with {change}", verdict, found)


def test_offers(t):
    """Which offers are taken: of two the higher, of two alike the inviter's, and none of
    a time to come."""
    for beyond in (-1, 0, 1):
        world, inviter, invitee = pair_make(t)
        generation = world.time_s + DAY_S + beyond
        inviter.offer(generation)
        inviter.write(letters.HELLO)
        invitee.read_all()
        t.same(f"an offer {beyond} s beyond a day is taken", beyond <= 0,
               invitee.session.generation == generation)
    for of_inviter, of_invitee in ((5, 5), (5, 6), (6, 5)):
        world, inviter, invitee = pair_make(t)
        inviter.offer(of_inviter)
        invitee.offer(of_invitee)
        inviter.write(letters.HELLO)
        invitee.write(letters.HELLO)
        inviter.read_all()
        invitee.read_all()
        t.same(f"of {of_inviter} and {of_invitee} the inviter's is left",
               [of_invitee > of_inviter, of_invitee <= of_inviter],
               [inviter.session.is_open, invitee.session.is_open])
        t.same("generations", [max(of_inviter, of_invitee)] * 2,
               [inviter.session.generation, invitee.session.generation])
    for key in (bytes(32), b"\1" + bytes(31)):
        world, inviter, invitee = pair_make(t)
        offer = {"seal": letters.BY_OFFER, "generation": 9, "key": key}
        t.same("an offer of no point", "read", bring(world, invitee, *head_seal(inviter, offer)))
        t.same("is not taken", 0, invitee.session.generation)


def test_before(t):
    """What was sealed before an offer is read after it, until its day is forgotten."""
    for days in (0, 5):
        world, inviter, invitee = pair_make(t)
        late = seal_ahead(inviter, 3)
        early = seal_ahead(invitee, 2)
        inviter.offer()
        inviter.write(letters.HELLO)
        t.same("one of before, to who offers", "read", bring(world, inviter, *early[1]))
        invitee.read_all()
        world.time_s += days * DAY_S
        for side in (inviter, invitee):
            side.forget()
        verdict = "passed" if days else "read"
        t.same(f"one of before, {days} days later", verdict, bring(world, invitee, *late[2]))
        t.same("and a late one", verdict, bring(world, inviter, *early[0]))


def test_seconds(t):
    """Who takes up an invitation that is used reads nothing, and all hear of it."""
    world, inviter, invitee = pair_make(t)
    second = Side(world, 2, False)
    second.record.next = dict(invitee.record.next)
    for _ in range(2):
        second.text()
    inviter.read_all()
    t.same("letters of a second one", 2, world.counts.get("second"))
    inviter.warn()
    inviter.text()
    mark = ratchet.used_mark(invitee.session.first)
    for side in (invitee, second):
        before = len(side.record.texts)
        side.read_all()
        t.same("hears of it", [True, side is invitee],
               [mark in side.record.used, len(side.record.texts) > before])


def vectors_maker():
    """Load the program that has written the vectors."""
    at = os.path.join(VECTORS, "letters.py")
    spec = importlib.util.spec_from_file_location("letter_vectors", at)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_vectors(t):
    """tests/vectors/letters.json, which the C's unit tests read: made here alike, and
    found by C, one step after the other."""
    with open(os.path.join(VECTORS, "letters.json"), encoding="utf-8") as f:
        vectors = json.load(f)
    t.same("vectors", vectors_maker().make(), vectors)
    for v in vectors["letters"]:
        place = {name: v[name] for name in ("chain", "period", "n", "pair")}
        by = {"key": v["key"]} if "key" in v else {}
        t.found("letter", {"letter": v["sealed"]},
                t.ask("letter_make", **v["letter"], **place, head=v["head"],
                      len=len(v["sealed"]) // 2, **by))
    for v in vectors["invitations"]:
        t.found("invitation", v, {**t.ask("invitation_read", text=v["text"]), "text": v["text"]})
    for step in vectors["sessions"]["steps"] + vectors["shares"]["steps"]:
        said = t.ask(**{key: value for key, value in step.items() if key != "found"})
        if "found" in step:
            t.found(f"step {step['do']}", step["found"], said)
        else:
            t.same("is refused", "MAC", said.get("err"))
