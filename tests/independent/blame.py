"""Links that are cut and relays that are left out (PROTOCOL.md 9.3.1)."""
from schema import has_edge

UNIT = 10**9
CUT_MAX = 8192
NONE = "00" * 32


class Blame:
    """Judges the links of relays, which stand in the order of their numbers, by what
    their descriptors tell: told[i] has {identity: (sent, lost)} of relay i."""

    def __init__(self, relays, told, layers):
        self.relays, self.told, self.layers = relays, told, layers
        self.out = {}
        self.cut = []
        self.bad = self.links_bad()

    def are_linked(self, a, b):
        """May relay a send to b, or b to a, and are they of two families?"""
        one, two = self.relays[a], self.relays[b]
        if one["family"] == two["family"] != NONE:
            return False
        return (has_edge(self.layers, one["layer"], two["layer"])
                or has_edge(self.layers, two["layer"], one["layer"]))

    def says_bad(self, a, b):
        """Give the loss that a's descriptor tells of its link with b, if that is bad."""
        sent, lost = self.told[a].get(self.relays[b]["identity"], (0, 0))
        return 1000 * lost // sent if sent >= 8 and 1000 * lost >= 200 * sent else None

    def links_bad(self):
        """Find the links said to be bad: (a, b) with a < b, and their losses."""
        bad, number = {}, {r["identity"]: i for i, r in enumerate(self.relays)}
        for a in range(len(self.relays)):
            for identity in self.told[a]:
                b = number.get(identity)
                if b is None or b == a or not self.are_linked(a, b):
                    continue
                loss = self.says_bad(a, b)
                if loss is not None:
                    pair = (min(a, b), max(a, b))
                    bad[pair] = max(loss, bad.get(pair, 0))
        return bad

    def is_in(self, i):
        """Is a relay not left out so far?"""
        return self.relays[i]["identity"] not in self.out

    def neighbour(self, i):
        """Name the neighbour that a relay is of."""
        r = self.relays[i]
        return (r["layer"], i if r["family"] == NONE else r["family"])

    def layers_beside(self, layer):
        """Count the layers that one may send to or get from, but gateways."""
        return sum(has_edge(self.layers, layer, other) or has_edge(self.layers, other, layer)
                   for other in range(1, self.layers + 2))

    def sums(self):
        """Give each relay's sum over what is not left out."""
        members, neighbours = {}, {}
        here = [i for i in range(len(self.relays)) if self.is_in(i)]
        for i in here:
            name = self.neighbour(i)
            members[name] = members.get(name, 0) + 1
            neighbours.setdefault(name[0], set()).add(name)
        has = {i: {} for i in here}
        for a, b in self.bad:
            la, lb = self.relays[a]["layer"], self.relays[b]["layer"]
            if 0 in (la, lb) or not (self.is_in(a) and self.is_in(b)):
                continue
            has[a][lb] = has[a].get(lb, 0) + UNIT // members[self.neighbour(b)]
            has[b][la] = has[b].get(la, 0) + UNIT // members[self.neighbour(a)]
        return {i: sum(x // len(neighbours[layer]) for layer, x in has[i].items())
                for i in here}

    def leave_out(self):
        """Leave out relays, one after the other; fills out with their cut_permille."""
        had = {}
        for r in self.relays:
            had[r["layer"]] = had.get(r["layer"], 0) + 1
        gone = {}
        while True:
            worst = None
            for i, total in self.sums().items():
                layer = self.relays[i]["layer"]
                beside = self.layers_beside(layer)
                if layer == 0 or 2 * total <= beside * UNIT:
                    continue
                if gone.get(layer, 0) >= (had[layer] + 1) // 4:
                    continue
                if worst is None or total * worst[1] > worst[2] * beside:
                    worst = (i, beside, total)
            if worst is None:
                return
            i, beside, total = worst
            whole = UNIT * beside
            layer, identity = self.relays[i]["layer"], self.relays[i]["identity"]
            self.out[identity] = min(1000, (1000 * total + whole // 2) // whole)
            gone[layer] = gone.get(layer, 0) + 1

    def links_of(self, i, layer):
        """Count the links of a relay with those of a layer that are not left out."""
        return sum(1 for j in range(len(self.relays)) if j != i and self.is_in(j)
                   and self.relays[j]["layer"] == layer and self.are_linked(i, j))

    def cut_of(self, i, layer, as_teller):
        """Count the links of a relay with a layer that are cut, and count for it: of a
        mix by its own word, or by that of others."""
        is_mix = self.relays[i]["role"] == 2
        count = 0
        for a, b, by in self.cut:
            if i in (a, b) and self.relays[a if b == i else b]["layer"] == layer:
                count += not is_mix or (by == i) == as_teller
        return count

    def may_cut(self, x, y):
        """May the link be cut by the word of x about y?"""
        if self.says_bad(x, y) is None:
            return False
        lx, ly = self.relays[x]["layer"], self.relays[y]["layer"]
        return (2 * (self.cut_of(x, ly, True) + 1) <= self.links_of(x, ly)
                and 2 * (self.cut_of(y, lx, False) + 1) <= self.links_of(y, lx))

    def cut_links(self):
        """Cut links; fills cut with (a, b, by whose word)."""
        order = sorted(self.bad, key=lambda pair: (-self.bad[pair], pair))
        for a, b in order:
            if not (self.is_in(a) and self.is_in(b)):
                continue
            la, lb = self.relays[a]["layer"], self.relays[b]["layer"]
            between = sum(self.links_of(i, lb) for i in range(len(self.relays))
                          if self.is_in(i) and self.relays[i]["layer"] == la)
            already = sum(1 for c, d, _ in self.cut if {
                self.relays[c]["layer"], self.relays[d]["layer"]} == {la, lb})
            if between < 6 or 4 * (already + 1) > between or len(self.cut) == CUT_MAX:
                continue
            for x, y in ((a, b), (b, a)):
                if self.may_cut(x, y):
                    self.cut.append((a, b, x))
                    break
