"""From votes to the consensus (PROTOCOL.md 9.3)."""
from collections import Counter

import documents
import schema
import shares
import stores
from blame import Blame
from lists import draw
from primitives import Refused, blake

ZEROS = "00" * 32


def certificate_of(entry):
    """Read the certificate of a holder or a consensus's entry."""
    return documents.Certificate(
        *(bytes.fromhex(entry[k]) for k in ("key", "share_key")), entry["from_s"],
        entry["until_s"], bytes.fromhex(entry["signature"]))


def most(values, least):
    """Give the value named most often, by `least` at least; of equals the smallest."""
    counts = Counter(values)
    best = min(counts, key=lambda v: (-counts[v], v), default=None)
    return best if best is not None and counts[best] >= least else None


def dealing_judge(vote, authorities, start_s):
    """Judge the dealing in a vote (9.4): its context and its holders' places."""
    told, n = vote["dealing"], len(authorities)
    f, at, keys = (n - 1) // 3, [], []
    context = shares.context_of(vote["epoch"], bytes.fromhex(vote["author"]), vote["network"])
    if len(told["commitments"]) != f + 1 or len(told["holders"]) < n - f:
        raise Refused("THRESHOLD")
    for holder in told["holders"]:
        identity, c = bytes.fromhex(holder["identity"]), certificate_of(holder)
        if identity not in authorities or not c.covers(start_s):
            raise Refused("PEER")
        c.check(identity)
        at.append(authorities.index(identity) + 1)
        keys.append(c.share_key)
    shares.deal_check(context, at, keys, {
        "commitments": [bytes.fromhex(c) for c in told["commitments"]],
        "shares": [bytes.fromhex(h["share"]) for h in told["holders"]],
        "responses": [bytes.fromhex(h["response"]) for h in told["holders"]],
        "challenge": bytes.fromhex(told["challenge"])})
    return {"context": context, "at": bytes(at)}


class Tally:
    """The votes, in the order of their authors; authorities are sorted identities."""

    def __init__(self, votes, authorities, shared_random, valid_after_s):
        self.votes, self.n = votes, len(authorities)
        self.authorities = authorities
        self.f = (self.n - 1) // 3
        self.shared, self.start_s = shared_random, valid_after_s
        self.epoch = votes[0]["epoch"] if votes else 0

    def params_take(self):
        """Take the parameters that more than half of all authorities voted for."""
        texts = [documents.canonical(v["params"]) for v in self.votes]
        best = most(texts, self.n // 2 + 1)
        if best is None:
            raise Refused("THRESHOLD")
        self.params = next(v["params"] for v, text in zip(self.votes, texts) if text == best)
        self.layers = self.params["layers"]
        self.period = self.start_s // self.params["period_s"]

    def certificates(self):
        """Give of each authority the newest certificate of any vote."""
        newest = {}
        for vote in self.votes:
            for holder in vote["dealing"]["holders"]:
                identity, c = bytes.fromhex(holder["identity"]), certificate_of(holder)
                if identity not in self.authorities or not c.covers(self.start_s):
                    continue
                try:
                    c.check(identity)
                except Refused:
                    continue
                if identity not in newest or c.order() > newest[identity].order():
                    newest[identity] = c
        return [{"from_s": c.from_s, "identity": identity.hex(), "key": c.key.hex(),
                 "share_key": c.share_key.hex(), "signature": c.signature.hex(),
                 "until_s": c.until_s} for identity, c in sorted(newest.items())]

    def listed(self):
        """Choose the descriptor of each relay that more than half list."""
        texts = Counter(text for vote in self.votes for text in vote["descriptors"])
        opened, voters = {}, {}
        for text in texts:
            try:
                identity = schema.descriptor_open(text.encode()).hex()
            except Refused:
                continue
            d = documents.body_read(documents.document_read("descriptor", text.encode())[0])
            if d["network"] != self.votes[0]["network"]:
                continue
            opened.setdefault(identity, []).append((-texts[text], text, d))
        for identity, of in opened.items():
            names = {text for _, text, _ in of}
            voters[identity] = sum(1 for v in self.votes if names & set(v["descriptors"]))
        chosen = {}
        for identity, of in opened.items():
            d = min(of, key=lambda item: item[:2])[2]
            serves = d["epoch"] <= self.epoch < d["epoch"] + len(d["sphinx_keys"])
            if 2 * voters[identity] > self.n and serves:
                if d["hibernates_until_s"] <= self.start_s:
                    chosen[identity] = d
        return chosen

    def role_of(self, layer):
        """Give the role of a layer."""
        return 1 if layer == 0 else 3 if layer == self.layers + 1 else 2

    def days_take(self):
        """Choose the list of days that goes on, and make that of this consensus."""
        lists = Counter((v["day"], tuple(v["days"])) for v in self.votes
                        if v["days"] and v["day"] <= self.period)
        lists = {k: n for k, n in lists.items() if n >= self.f + 1}
        self.before = None
        if lists:
            latest = max(day for day, _ in lists)
            self.before = min((k for k in lists if k[0] == latest),
                              key=lambda k: (-lists[k], len(k[1]), k[1]))
        keep = stores.days_keep(self.params["letter_days"], self.params["period_s"])
        day, days = self.before or (0, ())
        days = stores.days_next([bytes.fromhex(d) for d in days], day, self.period, keep,
                                self.shared)
        return [d.hex() for d in days]

    def known_take(self):
        """Find where each relay stood, by f + 1 votes at least."""
        entries = {}
        for vote in self.votes:
            goes_on = self.before == (vote["day"], tuple(vote["days"]))
            for s in vote["known"]:
                entries.setdefault(s["identity"], []).append((s, goes_on))
        self.known = {}
        for identity, of in entries.items():
            for role in (1, 2, 3):
                same = [(s, on) for s, on in of if self.role_of(s["layer"]) == role]
                standing = self.standing_of(identity, same)
                if standing:
                    self.known[identity] = standing
                    break
        knowing = sum(1 for vote in self.votes if vote["known"])
        self.is_first = knowing < self.f + 1

    def standing_of(self, identity, same):
        """Agree where a relay stood, of the votes that know it in one role."""
        least = self.f + 1
        found = {name: most([s[name] for s, _ in same], least)
                 for name in ("layer", "placement", "since")}
        if None in found.values():
            return None
        counts = most([s["counts"] for s, goes_on in same if goes_on], least) or 0
        seen = sorted((s["seen"] for s, _ in same), reverse=True)[self.f]
        return {**found, "counts": counts, "identity": identity, "seen": seen}

    def is_known(self, identity, role):
        """Is a relay known in this role?"""
        s = self.known.get(identity)
        return s is not None and self.role_of(s["layer"]) == role

    def is_recent(self, since):
        """Has one with this since only come in?"""
        d = max(1, self.params["period_s"] // self.params["epoch_len_s"])
        return since != 0 and since + d > self.epoch

    def is_away(self, s):
        """Is one that stood so, and is not in, still remembered?"""
        most_epochs = self.params["letter_days"] * 86400 // self.params["epoch_len_s"]
        return s["seen"] < self.epoch and self.epoch - s["seen"] <= most_epochs

    def drawn(self, label, identity):
        """Draw for a relay."""
        return draw({"shared_random": self.shared.hex()}, label, identity)

    def newcomers_admit(self, chosen):
        """Drop the newcomers for whom there is no room."""
        if self.is_first:
            return chosen
        admitted = {}
        for role in (1, 2, 3):
            here = {i: d for i, d in chosen.items() if d["relay"]["role"] == role}
            old = {i for i in here if self.is_known(i, role)}
            o = sum(1 for i in old if not self.is_recent(self.known[i]["since"]))
            r = sum(1 for i, s in self.known.items()
                    if self.is_known(i, role) and self.is_recent(s["since"]))
            room = max(0, max(1, o * self.params["newcomer_permille"] // 1000) - r)
            new = sorted((i for i in here if i not in old),
                         key=lambda i: self.drawn(b"brusio/1 newcomer", i)[:8])
            admitted.update({i: here[i] for i in old | set(new[:room])})
        return admitted

    def bandwidths_bound(self, relays):
        """Bound what relays of a role offer by four times the median."""
        for role in (1, 2, 3):
            weights = sorted(r["bandwidth"] + 1 for r in relays if r["role"] == role)
            if weights:
                w = weights[(len(weights) + 1) // 2 - 1]
                for r in relays:
                    if r["role"] == role:
                        r["bandwidth"] = min(r["bandwidth"], 4 * w - 1)

    def counts_of(self, c, since, is_in):
        """Make a store's counts of those as known."""
        trial = self.params["store_trial_epochs"]
        if is_in and (self.is_first or trial == 0):
            return 65535
        k = self.period - self.before[0] if self.before else 1
        b = is_in and (since == 0 or self.epoch - since >= trial)
        return stores.counts_next(c, k, int(b))

    def relay_make(self, d):
        """Make a relay's entry; a new mix has no layer yet."""
        r, identity = dict(d["relay"]), d["relay"]["identity"]
        r["sphinx_key"] = d["sphinx_keys"][self.epoch - d["epoch"]]
        s = self.known[identity] if self.is_known(identity, r["role"]) else None
        r["since"] = s["since"] if s else 0 if self.is_first else self.epoch
        r["layer"] = s["layer"] if s else {1: 0, 3: self.layers + 1}.get(r["role"])
        r["placement"], r["counts"] = ZEROS, 0
        if r["role"] == 3:
            r["placement"] = (s["placement"] if s
                              else self.drawn(b"brusio/1 placement", identity).hex())
            r["counts"] = self.counts_of(s["counts"] if s else 0, r["since"], True)
        return r

    def layers_give(self, relays):
        """Give new mixes layers, and even layers out."""
        mixes = sorted((r for r in relays if r["role"] == 2),
                       key=lambda r: self.drawn(b"brusio/1 layer", r["identity"])[:8])
        weight = {layer: 0 for layer in range(1, self.layers + 1)}
        for r in mixes:
            if r["layer"] is not None:
                weight[r["layer"]] += r["bandwidth"] + 1
        for r in mixes:
            if r["layer"] is None:
                r["layer"] = min(weight, key=lambda layer: (weight[layer], layer))
                weight[r["layer"]] += r["bandwidth"] + 1
        while True:
            light = min(weight, key=lambda layer: (weight[layer], layer))
            heavy = max(weight, key=lambda layer: (weight[layer], -layer))
            if weight[heavy] <= 2 * weight[light]:
                return
            for r in mixes:
                w = r["bandwidth"] + 1
                if r["layer"] == heavy and weight[light] + w < weight[heavy]:
                    r["layer"] = light
                    weight[light], weight[heavy] = weight[light] + w, weight[heavy] - w
                    break
            else:
                return

    def away(self, relays):
        """Give those that are known and not in."""
        here, found = {r["identity"] for r in relays}, []
        for identity, s in sorted(self.known.items()):
            if identity not in here and self.is_away(s):
                store = self.role_of(s["layer"]) == 3
                counts = self.counts_of(s["counts"], s["since"], False) if store else 0
                found.append({**s, "counts": counts})
        return found

    def run(self):
        """Make the consensus, or refuse."""
        self.params_take()
        days = self.days_take()
        self.known_take()
        chosen = self.newcomers_admit(self.listed())
        relays = [self.relay_make(chosen[i]) for i in sorted(chosen)]
        self.bandwidths_bound(relays)
        self.layers_give(relays)
        if {r["layer"] for r in relays} != set(range(self.layers + 2)):
            raise Refused("MISSING")
        links = [chosen[r["identity"]]["links"] for r in relays]
        told = [{k["identity"]: (k["sent"], k["lost"]) for k in of} for of in links]
        blame = Blame(relays, told, self.layers)
        blame.leave_out()
        blame.cut_links()
        pairs = sorted((a, b) for a, b, _ in blame.cut)
        return {"away": self.away(relays), "certificates": self.certificates(),
                "cut": [number for pair in pairs for number in pair], "days": days,
                "epoch": self.epoch,
                "left_out": [{"cut_permille": blame.out[i], "identity": i}
                             for i in sorted(blame.out)],
                "network": self.votes[0]["network"], "params": self.params,
                "relays": relays, "shared_random": self.shared.hex(),
                "valid_after_s": self.start_s,
                "work_challenge": blake(256, b"brusio/1 work" + self.shared)[:16].hex()}
