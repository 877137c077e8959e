"""From votes to the consensus (PROTOCOL.md 9.3)."""
import copy

import documents
import schema
import tally
import worlds
from packet import public_of
from primitives import ed25519_public

NETWORK = "network"


class House:
    """Authorities, relays and what they know, drawn: small, and much of it disputed."""

    def __init__(self, t):
        self.t, self.n = t, t.random.choice((1, 3, 4, 4, 5, 7))
        self.f = (self.n - 1) // 3
        self.epoch = 1000 + t.below(100)
        seeds = [t.bytes(32) for _ in range(self.n)]
        self.seeds = {ed25519_public(s): s for s in seeds}
        self.ids = sorted(self.seeds)
        self.params = worlds.params_draw(t, schema)
        self.params.update(
            layers=1 + t.below(3), epoch_len_s=3600,
            period_s=t.random.choice((3600, 7200, 86400)),
            letter_days=1 + t.below(5),
            newcomer_permille=t.random.choice((1, 100, 500, 10**6)),
            store_trial_epochs=t.random.choice((0, 3, 24)))
        self.params["geometry"]["hops"] = 5
        self.start_s = 1_700_000_000 + t.below(10**6)
        self.period = self.start_s // self.params["period_s"]
        self.families = [t.bytes(32) for _ in range(3)]
        self.relays = [self.relay_make() for _ in range(5 + t.below(30))]
        self.identities = [r["relay"]["identity"] for r in self.relays]
        self.links_tell()
        self.days = [t.bytes(32).hex() for _ in range(1 + t.below(6))]
        self.day = self.period - t.below(3)
        self.known = [self.standing_make(i) for i in self.identities if t.below(8)]
        self.known += [self.standing_make(t.bytes(32).hex()) for _ in range(t.below(6))]
        self.is_first = t.below(5) == 0

    def relay_make(self):
        """Draw a relay's descriptor, with the seed that signs it."""
        t, seed = self.t, self.t.bytes(32)
        d = worlds.descriptor_draw(t, seed)
        family = t.random.choice([None, None] + self.families)
        d["relay"]["family"] = ed25519_public(family).hex() if family else "00" * 32
        identity = bytes.fromhex(d["relay"]["identity"])
        d["family_signature"] = (documents.family_sign(family, identity).hex() if family
                                 else "00" * 64)
        offers = (t.below(100), t.below(10), 50, t.edge(10**6))
        d["relay"]["bandwidth"] = t.random.choice(offers)
        d["relay"]["role"] = t.random.choice((1, 2, 2, 2, 3))
        d["sphinx_keys"] = [public_of(1, t.bytes(32)).hex() for _ in range(1 + t.below(3))]
        d["epoch"] = self.epoch - (t.below(3) if t.below(4) == 0 else 0)
        d["hibernates_until_s"] = t.random.choice([0] * 8 + [self.start_s, self.start_s + 1])
        d["network"], d["links"], d["seed"] = NETWORK, [], seed
        return d

    def links_tell(self):
        """Have relays tell of links, some of them of very many."""
        t = self.t
        for d in self.relays:
            share = t.random.choice((0, 0, 0.2, 0.9))
            others = sorted(i for i in self.identities if t.random.random() < share)[:32]
            for identity in others:
                sent = t.random.choice((7, 8, 8, 12, 40))
                fifth = sent // 5
                lost = t.random.choice((0, fifth, fifth + 1, sent, t.below(sent + 1)))
                d["links"].append({"identity": identity, "lost": lost, "sent": sent})

    def standing_make(self, identity):
        """Draw where a relay stood."""
        t, layers = self.t, self.params["layers"]
        roles = {d["relay"]["identity"]: d["relay"]["role"] for d in self.relays}
        role = roles.get(identity, 1 + t.below(3)) if t.below(12) else 1 + t.below(3)
        layer = {1: 0, 2: 1 + t.below(layers), 3: layers + 1}[role]
        since = t.random.choice((0, 1, self.epoch - 1, self.epoch - t.below(40)))
        return {"counts": t.edge(65535) if role == 3 else 0,
                "identity": identity, "layer": layer,
                "placement": (t.bytes(32) if role == 3 else bytes(32)).hex(),
                "seen": self.epoch - t.random.choice((1, 1, 1, 2, 24, 25, t.below(130))),
                "since": since}

    def text_of(self, d):
        """Sign a descriptor."""
        body = {k: v for k, v in d.items() if k != "seed"}
        data = documents.canonical(body)
        line = documents.document_sign("descriptor", data, d["seed"])
        return documents.document_write("descriptor", data, [line]).decode()

    def texts_draw(self, others):
        """List descriptors, as one authority has them."""
        t, texts = self.t, set()
        for d, other in zip(self.relays, others):
            if t.below(6):
                texts.add(self.text_of(other if t.below(5) == 0 else d))
            if t.below(12) == 0:
                texts.add(self.text_of(other))
        if t.below(4) == 0:
            texts.add("no descriptor at all")
        return sorted(texts)

    def known_draw(self):
        """Say where relays stood, as one authority has it, which may differ."""
        t, found = self.t, []
        for s in [] if self.is_first and t.below(4) else self.known:
            if t.below(10) == 0:
                continue
            s = dict(s)
            if t.below(6) == 0:
                s["seen"] = max(0, s["seen"] - t.below(3))
            if t.below(12) == 0:
                s = {**self.standing_make(s["identity"])}
            found.append(s)
        return worlds.sorted_by("identity", found)

    def holders_draw(self):
        """Draw holders; of their certificates some are old, some new, some forged."""
        t, found = self.t, []
        for identity in self.ids:
            low = self.start_s - t.random.choice((0, 50, t.below(99)))
            high = t.random.choice((self.start_s - 1, self.start_s, self.start_s + 9, 2**40))
            low = min(low, high)
            c = documents.Certificate(t.bytes(32), t.bytes(32), low, high)
            c.sign(self.seeds[identity] if t.below(8) else t.bytes(32))
            found.append({"from_s": c.from_s, "identity": identity.hex(), "key": c.key.hex(),
                          "response": t.bytes(32).hex(), "share": t.bytes(32).hex(),
                          "share_key": c.share_key.hex(), "signature": c.signature.hex(),
                          "until_s": c.until_s})
        return found

    def votes_draw(self):
        """Draw a vote of each authority, or of most."""
        t, votes = self.t, []
        others = [{**copy.deepcopy(d), "alarms": d["alarms"] ^ 1} for d in self.relays]
        for other in others:
            if t.below(3) == 0:
                other["relay"]["role"] = 1 + t.below(3)
        for author in self.ids:
            if self.n > 1 and t.below(12) == 0:
                continue
            days, day = list(self.days), self.day
            if t.below(4) == 0:
                days, day = t.random.choice(((days[:-1], day), (days, day + 1), ([], 0),
                                             (days[::-1], day)))
            params = {**self.params, "work_bits": 3} if t.below(12) == 0 else self.params
            votes.append({"author": author.hex(), "day": day, "days": days,
                          "dealing": {"challenge": t.bytes(32).hex(),
                                      "commitments": [t.bytes(32).hex()],
                                      "holders": self.holders_draw()},
                          "descriptors": self.texts_draw(others), "epoch": self.epoch,
                          "known": self.known_draw(), "network": NETWORK, "params": params})
        return votes


def test_tally(t):
    """The same votes give the same consensus, to the byte."""
    made = 0
    for _ in range(30):
        house = House(t)
        votes, shared = house.votes_draw(), t.bytes(32)
        if not votes:
            continue
        said = t.ask("tally", votes=[documents.canonical(v).decode() for v in votes],
                     authorities=b"".join(house.ids), random=shared,
                     valid_after_s=house.start_s)

        def here():
            made_here = tally.Tally(votes, house.ids, shared, house.start_s).run()
            return {"body": documents.canonical(made_here).decode()}

        made += t.alike(f"tally of {len(votes)} of {house.n}", here, said)
    t.same("some are made", True, made > 0)
