"""Boxes, letters, invitations and work (PROTOCOL.md 8)."""
import letters
from primitives import Refused

B64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def test_places(t):
    """Chains' boxes, seeds and tokens."""
    for _ in range(40):
        chain, period, n = t.bytes(32), t.edge(2**32 - 1), t.edge(2**32 - 1)
        seed = letters.box_seed(chain, period, n)
        ours = {"seed": seed, "box": letters.box_id(letters.box_key(seed)),
                "token": letters.announce_token(chain, period, n)}
        t.found("place", ours, t.ask("place", chain=chain, period=period, n=n))


def test_chains(t):
    """Keys of days, from one of a day before; a pair's mark."""
    for _ in range(20):
        key, day = t.bytes(32), t.below(2**16)
        wanted = day + t.below(500)
        t.found("day", {"key": letters.chain_day(key, day, wanted),
                        "mark": letters.blake(128, b"brusio/1 pair", key)},
                t.ask("day", key=key, day=day, wanted=wanted))
        period_s = t.random.choice((60, 3600, 86400, 7 * 86400))
        period = t.below(2**32 // max(1, period_s // 86400))
        t.found("period's day", {"day": letters.period_day(period, period_s)},
                t.ask("period_day", period=period, period_s=period_s))


def test_boxes(t):
    """Boxes' keys, ids, tokens, marks; signatures of puts."""
    for _ in range(20):
        seed, store, slot = t.bytes(32), t.bytes(32), t.below(16)
        letter = t.bytes(t.below(2000))
        token = letters.held_token(seed, store)
        key = letters.box_key(seed)
        t.found("box", {"key": key, "id": letters.box_id(key), "token": token,
                        "mark": letters.held_mark(token)},
                t.ask("box", seed=seed, store=store))
        ours = letters.put_sign(seed, slot, letter)
        t.found("put", {"signature": ours},
                t.ask("put_sign", seed=seed, slot=slot, letter=letter))
        for change in range(5):
            fields = {"key": key, "slot": slot, "letter": letter, "signature": ours}
            name = ("", "key", "letter", "signature")[change % 4]
            if name and fields[name]:
                fields[name] = t.changed(fields[name])
            if change == 4:
                fields["slot"] = (slot + 1) % 16

            def check():
                if not letters.put_verify(**fields):
                    raise Refused("SIGNATURE")
                return {}

            t.alike("put's signature", check, t.ask("put_verify", **fields))
    token = letters.held_token(bytes(range(32)), bytes(range(100, 132)))
    t.same("token of the page", token, "9d32edf73c598215f9af6b77e84ce84f")
    t.same("mark of the page", letters.held_mark(token), "a2d949e4616bc2fc")


def letter_draw(t, letter_len):
    """Draw a letter that is good, or nearly."""
    kind, room = t.below(7), letters.data_max(letter_len)
    bare = kind in (letters.ACK, letters.USED)
    letter = {"ack": t.edge(2**32 - 1), "map": t.bytes(32), "floor": t.edge(2**32 - 1),
              "previous_period": t.edge(2**32 - 1), "previous_count": t.edge(2**32 - 1),
              "sequence": 0 if bare else t.edge(2**32 - 1, 1), "message": t.bytes(8),
              "kind": kind, "index": 0, "total": 0, "after": 0,
              "announced": 0 if bare else t.below(2), "tokens": t.edge(65535, 1),
              "lease_s": t.edge(2**32 - 1), "data": b""}
    if kind in (letters.TEXT, letters.FILE):
        letter["total"] = t.edge(min(letters.MESSAGE_MAX, 4 * room + t.below(3)))
        letter["index"] = t.below(max(1, -(-letter["total"] // room)))
        letter["after"] = t.edge(letter["sequence"] - 1)
        letter["data"] = t.bytes(letters.fragment_len(letter, letter_len))
    return letter


def letter_spoil(t, letter):
    """Make one field of a letter another value."""
    name = t.random.choice(("sequence", "kind", "index", "total", "after", "announced",
                            "data", "tokens", "previous_period", "previous_count"))
    spoilt = dict(letter)
    if name == "data":
        spoilt[name] = letter["data"] + b"x" if t.below(2) else letter["data"][:-1]
    else:
        most = 2**8 - 1 if name in ("kind", "announced") else 2**32 - 1
        most = 2**16 - 1 if name == "tokens" else most
        near = letter[name] + t.random.choice((-1, 1))
        spoilt[name] = t.random.choice((0, 1, max(0, min(most, near)), t.edge(most)))
    return name, spoilt


def head_draw(t):
    """Draw a head that is good."""
    head = dict(letters.NO_HEAD, seal=t.below(3))
    if head["seal"] != letters.BY_PLACE:
        head.update(generation=t.edge(2**32 - 1), key=t.bytes(32))
    if head["seal"] == letters.BY_RATCHET:
        head.update(step=t.edge(2**32 - 1), number=t.edge(2**24 - 1),
                    previous=t.edge(2**24 - 1), mixed=t.edge(255))
    return head


def place_draw(t):
    """Draw a place, with its chain and its pair."""
    return {"chain": t.bytes(32), "period": t.edge(2**32 - 1), "n": t.edge(2**32 - 1),
            "pair": t.bytes(32) if t.below(3) else letters.NO_PAIR}


def letter_read(t, what, data, place, key, reason=False):
    """Open a letter on both sides; with reason, refused for the same one."""
    said = t.ask("letter_read", letter=data, key=key, **place)
    return t.alike(what, lambda: letters.letter_open(data, key=key, **place), said, reason)


def test_letters(t):
    """Letters, sealed and opened both ways."""
    for _ in range(90):
        length = t.random.choice((1232, 187 + t.below(400), 1232))
        place, letter, head = place_draw(t), letter_draw(t, length), head_draw(t)
        key = t.bytes(32)
        by = {"key": key} if head["seal"] == letters.BY_RATCHET else {}
        ours = letters.letter_seal(letter, head, **place, letter_len=length, **by)
        t.same("length", length, len(ours))
        t.found("letter", {"letter": ours},
                t.ask("letter_make", **letter, head=head, **place, len=length, **by))
        t.same("is opened", True, letter_read(t, f"letter {letter}", ours, place, key))
        letter_read(t, "changed letter", t.changed(ours), place, key)
        letter_read(t, "letter cut short", ours[: t.below(len(ours))], place, key)
        for name in ("period", "n"):
            letter_read(t, "other place", ours, {**place, name: place[name] ^ 1}, key)
        for name in ("chain", "pair"):
            letter_read(t, f"other {name}", ours, {**place, name: t.changed(place[name])}, key)
        opens = letter_read(t, "other key", ours, place, t.changed(key))
        t.same("is opened by another key", head["seal"] != letters.BY_RATCHET, opens)


def test_letters_bound(t):
    """Heads and bodies that are not of one letter, or of another place."""
    for _ in range(20):
        place, key = {**place_draw(t), "period": t.below(2**31), "n": t.below(2**31)}, t.bytes(32)
        head = dict(head_draw(t), seal=letters.BY_RATCHET)
        where = letters.number(place["period"], 4) + letters.number(place["n"], 4)
        keys = (letters.letter_keys(**place)[0], key)
        body = letters.body_write(letter_draw(t, 500), 500)
        head = letters.head_write(head)
        good = letters.seal_bytes(keys, where, head, body)
        t.same("is opened", True, letter_read(t, "letter", good, place, key))
        nonce, other = good[:24], bytes(head[:-2]) + t.changed(head[-2:-1]) + b"\0"
        seal = letters.aead_seal
        for what, bound in (("nothing", (b"", b"")), ("a place alone", (where, where)),
                            ("another head", (where, where + other)),
                            ("no head's place", (b"", where + head)),
                            ("another place", (where, where[4:] + where[:4] + head))):
            wrong = (nonce + seal(keys[0], nonce, head, bound[0])
                     + seal(key, nonce, body, bound[1]))
            t.same(f"is opened, bound to {what}", False,
                   letter_read(t, f"letter bound to {what}", wrong, place, key))


def test_letters_spoilt(t):
    """Letters whose fields may contradict each other."""
    refused, place = 0, {"chain": bytes(32), "period": 1, "n": 2, "pair": letters.NO_PAIR}
    for _ in range(300):
        length = t.random.choice((1232, 187 + t.below(40)))
        at = place_draw(t)
        name, letter = letter_spoil(t, letter_draw(t, length))
        if len(letter["data"]) > length - 186:
            continue
        ours = letters.letter_seal(letter, letters.NO_HEAD, **at, letter_len=length)
        what = f"letter of {length} with another {name}, {dict(letter, map=0)}"
        refused += not letter_read(t, what, ours, at, bytes(32))
    t.same("some are refused", True, 50 < refused < 250)
    for kind in range(8):
        for total in (0, 1, 314, 315, 1000):
            letter = {**letter_draw(t, 500), "kind": kind, "total": total, "index": 0, "after": 0,
                      "announced": 0, "sequence": int(kind not in (letters.ACK, letters.USED)), "data": bytes(min(total, 314))}
            ours = letters.letter_seal(letter, letters.NO_HEAD, **place, letter_len=500)
            letter_read(t, f"kind {kind} with {total} octets", ours, place, bytes(32))


def test_heads_spoilt(t):
    """Heads of other versions and seals."""
    place, opened = place_draw(t), 0
    where = letters.number(place["period"], 4) + letters.number(place["n"], 4)
    keys = letters.letter_keys(**place)
    for first in range(256):
        head = bytes([first]) + (bytes(47) if t.below(2) else t.bytes(46) + b"\0")
        ours = letters.seal_bytes(keys, where, head, letters.body_write(letter_draw(t, 300), 300))
        opened += letter_read(t, f"first byte {first}", ours, place, keys[1], reason=True)
    t.same("seals that there are", 3, opened)


def test_message_ids(t):
    """Ids of texts and files."""
    for _ in range(10):
        count, sent_s = t.edge(2**32 - 1), t.edge(2**32 - 1)
        t.found("message", {"id": letters.message_id(count, sent_s)},
                t.ask("message_id", number=count, sent_s=sent_s))


def test_invitation_networks(t):
    """The ids of networks, whatever the order of their authorities."""
    for _ in range(20):
        name, authorities = "net-" + "x" * t.below(28), [t.bytes(32) for _ in
                                                         range(1 + t.below(16))]
        for _ in range(3):
            t.random.shuffle(authorities)
            t.found("network", {"network": letters.invitation_network(name, authorities)},
                    t.ask("invitation_network", name=name,
                          authorities=[{"identity": a} for a in authorities]))


def test_invitations(t):
    """Invitations, and lines that are none."""
    for _ in range(30):
        fields = {"network": t.bytes(8), "expiry_h": t.edge(2**32 - 1), "seed": t.bytes(32),
                  "key": t.bytes(32)}
        text = letters.invitation_make(**fields)
        t.same("length of an invitation", 8 + 108, len(text))
        t.found("invitation", {"text": text}, t.ask("invitation_make", **fields))
        at = t.below(len(text))
        wrong = [text[:at] + t.random.choice(B64) + text[at + 1 :], text[:-1], text + "A",
                 text[:-1] + B64[(B64.index(text[-1]) ^ (1 + t.below(15)))], text + "==",
                 text[:8] + text[9:], text[:at] + "+" + text[at + 1 :]]
        version = letters.invitation_make(**fields, version=1 + t.below(3))
        for line in [text, version] + wrong:
            t.alike(f"invitation {line}", lambda: letters.invitation_read(line),
                    t.ask("invitation_read", text=line))


def test_work(t):
    """Proofs of work, and what a store asks for."""
    ones, page = bytes([1]) * 16, bytes([2]) * 32
    nonce = letters.work_find(ones, page, bytes([3]) * 32, 8)
    t.same("nonce of the page", [322, 9],
           [int.from_bytes(nonce, "little"),
            letters.work_worth(ones, page, bytes([3]) * 32, nonce)])
    for _ in range(20):
        challenge, store, box, token = t.bytes(16), t.bytes(32), t.bytes(32), t.bytes(16)
        nonce, bits = t.bytes(8), t.below(11)
        task = {"challenge": challenge, "store": store}
        t.found("worth", {"bits": letters.work_worth(challenge, store, box, nonce)},
                t.ask("work_worth", **task, box=box, nonce=nonce))
        t.found("nonce", {"nonce": letters.work_find(challenge, store, box, bits)},
                t.ask("work_find", **task, box=box, bits=bits))
        announced = token + bytes(16)
        found = letters.work_find(challenge, store, announced, bits)
        t.found("announcement", {"nonce": found},
                t.ask("work_find", **task, token=token, bits=bits))
        worth = letters.work_worth(challenge, store, announced, found)
        t.found("worth of it", {"bits": worth},
                t.ask("work_worth", **task, token=token, nonce=found))
    for _ in range(200):
        room = t.edge(10**9, 16)
        used = t.random.choice((t.edge(room), room // 2, room // 2 - 1,
                                min(room, room // 2 + room // 16 * t.below(9))))
        t.found(f"steps of {used} of {room}", {"steps": letters.work_steps(used, room)},
                t.ask("work_price", used=used, room=room))


