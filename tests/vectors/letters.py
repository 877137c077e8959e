#!/usr/bin/python3
"""Write letters.json: letters, invitations, ratchets, and what the sessions of a pair
seal and open, by PROTOCOL 8.1, 8.2, 8.4 and 8.10.

Made by the second implementation, tests/independent, which calls nothing of the C code.
Usage: tests/vectors/letters.py > tests/vectors/letters.json
"""
import json
import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'independent'))
import kems
import letters
import ratchet
from harness import Test, plain
from primitives import x25519_public
from schedules import AFTER_S, DAY_S, Side, World


class Recorder(Test):
    """Stands where the C side is: notes what it is asked, and what was found here."""

    def __init__(self, name):
        super().__init__(None, 29, name, 0)
        self.steps = []

    def ask(self, do, **values):
        self.steps.append({'do': do, **plain(values)})
        return {'err': None}

    def found(self, what, ours, answer):
        self.steps[-1]['found'] = plain(ours)


def letter_of(t, kind, length):
    room = letters.data_max(length)
    letter = {'ack': t.below(2**32), 'map': t.bytes(32), 'floor': t.below(2**32),
              'previous_period': t.below(2**32), 'previous_count': t.below(2**32),
              'kind': kind,
              'sequence': t.below(2**32) | 1 if kind not in (letters.ACK, letters.USED) else 0,
              'message': t.bytes(8), 'index': 0, 'total': 0, 'after': 0,
              'announced': int(kind not in (letters.ACK, letters.USED)), 'tokens': 1 + t.below(65535),
              'lease_s': t.below(2**32), 'data': b'', **letters.NO_PART}
    if kind in (letters.TEXT, letters.FILE):
        letter.update(total=room + 5, index=kind % 2, after=7)
        letter['data'] = t.bytes(room if letter['index'] == 0 else 5)
    return letter


def part_of(t, kind):
    count = 1 + t.below(6)
    return {'part_kind': kind, 'part_exchange': t.below(2**32), 'part_count': count,
            'part_first': t.below(8),
            'part_bytes': t.bytes(count * letters.PART_LEN[kind])}


def letters_make(t):
    out = []
    for seal in range(3):
        for kind in range(7):
            length = (203, 1232)[seal == 2 and kind in (letters.TEXT, letters.PING, letters.PONG)]
            head = dict(letters.NO_HEAD, seal=seal)
            if seal:
                head.update(generation=t.below(2**32), key=t.bytes(32))
            if seal == letters.BY_RATCHET:
                head.update(step=t.below(2**32), number=t.below(2**24),
                            previous=t.below(2**24), mixed=t.below(256))
            at = {'chain': t.bytes(32), 'period': 20000 + kind, 'n': t.below(2**32),
                  'pair': t.bytes(32) if kind % 2 else letters.NO_PAIR}
            key = {'key': t.bytes(32)} if seal == letters.BY_RATCHET else {}
            letter = letter_of(t, kind, length)
            if seal == letters.BY_RATCHET and letters.part_room(letter, length) > 1000:
                letter.update(part_of(t, 1 + kind % 2))
            sealed = letters.letter_seal(letter, head, **at, letter_len=length, **key)
            out.append({'letter': letter, 'head': head, **at, **key, 'sealed': sealed})
    return out


def invitations_make(t):
    out = []
    for expiry_h in (0, 24 * 400 - 1, 24 * 401, 480000, 2**32 - 1):
        fields = {'network': t.bytes(8), 'expiry_h': expiry_h, 'seed': t.bytes(32),
                  'key': x25519_public(t.bytes(32))}
        text = letters.invitation_make(**fields)
        out.append({'text': text, **letters.invitation_read(text)})
    return out


def ratchets_make(t):
    """A ratchet alone: letters in turn, some of which never come."""
    root, secrets = t.bytes(32), (t.bytes(32), t.bytes(32))
    sides = [ratchet.Ratchet(root, secret) for secret in secrets]
    sides[1].take(x25519_public(secrets[0]))
    steps = []
    for turn, count in enumerate((1, 2, 4, 1, 3, 2)):
        writer, reader = 1 - turn % 2, turn % 2
        for i in range(count):
            head, key = sides[writer].write()
            steps.append({'do': 'write', 'side': writer, 'head': head, 'key': key})
            if i % 2 == 1 and i + 1 < count or turn == 4 and i == 2:
                continue
            fresh = t.bytes(32)
            sides[reader], found, skipped = sides[reader].read(head, fresh)
            assert found == key
            steps.append({'do': 'read', 'side': reader, 'head': head, 'fresh': fresh,
                          'key': key, 'skipped': [{'step': s, 'number': n, 'key': k}
                                                  for s, n, k in skipped]})
    return {'root': root, 'secrets': secrets, 'steps': steps}


def sessions_make(t):
    """A pair: its first letters, late ones, an older copy, offers, a second one."""
    world = World(t)
    inviter, invitee = Side(world, 0, True), Side(world, 1, False)
    invitee.write(letters.HELLO)
    invitee.text()
    inviter.read_all()
    invitee.keep()
    inviter.write(letters.ACK)
    inviter.text()
    for at in reversed(invitee.unread()):
        invitee.read(at)
    invitee.text()
    inviter.read(inviter.unread()[-1])
    second = Side(world, 2, False)
    second.record.next = dict(invitee.record.next)
    second.text()
    inviter.read_all()
    inviter.warn()
    invitee.read_all()
    second.read_all()
    invitee.restore()
    invitee.text()
    inviter.read_all()
    for _ in range(3):
        world.time_s += AFTER_S
        for side in (inviter, invitee):
            side.read_all()
            side.act()
    inviter.offer()
    invitee.offer()
    inviter.text()
    invitee.text()
    inviter.read_all()
    invitee.read_all()
    invitee.text()
    inviter.restart()
    inviter.read_all()
    world.time_s += 5 * DAY_S
    inviter.forget()
    steps, t.steps = t.steps, []
    return {'len': 203, 'steps': steps}


def shares_make(t):
    """A pair that mixes shares, by the stand-in of kems.py: one who has no library at
    first, parts that are lost, an older copy from before the first share, and offers."""
    world = World(t)
    world.len, world.kem = 700, kems.TOY
    inviter, invitee = Side(world, 0, True), Side(world, 1, False)
    inviter.change()
    invitee.write(letters.HELLO)
    inviter.read_all()
    inviter.write(letters.ACK)
    invitee.read_all()
    inviter.change()
    invitee.keep()
    for turn in range(13):
        for side in (invitee, inviter):
            side.text(loses=turn == 1)
            side.read_all()
    inviter.restart()
    inviter.offer()
    inviter.write(letters.HELLO)
    for side in (invitee, inviter):
        side.read_all()
        side.text()
    invitee.restore()
    inviter.offer()
    inviter.write(letters.HELLO)
    invitee.read(invitee.unread()[-1])
    for _ in range(4):
        world.time_s += AFTER_S
        for side in (inviter, invitee):
            side.read_all()
            side.act()
    steps, t.steps = t.steps, []
    return {'len': 700, 'steps': steps}


def make():
    """Make all of it."""
    t = Recorder('vectors')
    return plain({'source': 'tests/vectors/letters.py', 'letters': letters_make(t),
                  'invitations': invitations_make(t), 'ratchets': ratchets_make(t),
                  'sessions': sessions_make(t), 'shares': shares_make(t)})


if __name__ == '__main__':
    print(json.dumps(make(), indent=1))
