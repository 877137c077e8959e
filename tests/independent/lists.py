"""Boards, who passes lists on, and lists (PROTOCOL.md 9.7)."""
from primitives import Refused, blake, ed25519_sign, ed25519_verify, number
from wire import BOARDS, Reader

CARRIERS = 32


def draw(consensus, label, identity):
    """Draw for a relay (9.3)."""
    shared = bytes.fromhex(consensus["shared_random"])
    return blake(256, label + shared + bytes.fromhex(identity))


def order_drawn(consensus, label, numbers):
    """Sort relays by what is drawn for them."""
    relays = consensus["relays"]
    return sorted(numbers, key=lambda i: draw(consensus, label, relays[i]["identity"])[:8])


def layer_of(consensus, layer):
    """Give the numbers of a layer's relays that are not left out."""
    out = {o["identity"] for o in consensus["left_out"]}
    return [i for i, r in enumerate(consensus["relays"])
            if r["layer"] == layer and r["identity"] not in out]


def boards_of(consensus):
    """Give the numbers of the boards, by their index."""
    last, chosen, families = consensus["params"]["layers"] + 1, [], set()
    stores = [i for i in layer_of(consensus, last) if consensus["relays"][i]["counts"] & 1]
    for i in order_drawn(consensus, b"brusio/1 board", stores):
        family = consensus["relays"][i]["family"]
        if family == "00" * 32 or family not in families:
            chosen.append(i)
            families.add(family)
    return chosen[: consensus["params"]["boards"]]


def sources(places, j, n):
    """Give from whom the one at place j of n gets lists, of those at these places."""
    m, found = len(places), []
    for k in range(3 if m else 0):
        at = (j * m // n + k * -(-m // 3)) % m
        if places[at] not in found:
            found.append(places[at])
    return found


def returns(carriers, j, n):
    """Give the carriers to which the store at place j of n passes lists."""
    m = len(carriers)
    count = min(m, max(4, -(-4 * m // n)))
    return [carriers[(j * m // n + k) % m] for k in range(count)]


class Ways:
    """Who passes lists to whom in a consensus."""

    def __init__(self, consensus):
        count = len(consensus["relays"])
        self.before = [[] for _ in range(count)]
        self.next = [[] for _ in range(count)]
        layers = consensus["params"]["layers"]
        boards = boards_of(consensus)
        if not boards:
            return

        def ordered(layer):
            return order_drawn(consensus, b"brusio/1 carrier", layer_of(consensus, layer))

        carriers = ordered(1)[:CARRIERS]
        for i in carriers:
            self.link(i, list(boards))
        stores = ordered(layers + 1)
        for j, store in enumerate(stores):
            for i in returns(carriers, j, len(stores)) if store not in boards else []:
                self.before[i].append(store)
                self.next[store].append(i)
        above = carriers
        for layer in range(2, layers + 2):
            here = ordered(layer)
            self.layer_link(above, here)
            if layer == layers:
                self.layer_link(here, ordered(0))
            above = here
        if layers == 1:
            self.layer_link(carriers, ordered(0))

    def link(self, relay, before):
        """Note from whom a relay gets lists."""
        self.before[relay] = before
        for i in before:
            self.next[i].append(relay)

    def layer_link(self, above, here):
        """Note from whom each relay of a layer gets lists."""
        for j, relay in enumerate(here):
            self.link(relay, sources(above, j, len(here)))


def list_len(params):
    """Give the length of lists."""
    return 85 + 5 * params["list_entries"]


def list_signed(digest, unsigned):
    """Give what a board signs."""
    return blake(512, b"brusio/1 list" + digest + unsigned)


def list_make(digest, interval, board, before, entries, seed):
    """Make and sign a list."""
    unsigned = number(interval, 4) + bytes([board]) + before + entries
    return unsigned + ed25519_sign(seed, list_signed(digest, unsigned))


def list_root(data):
    """Give a list's root."""
    return blake(128, b"brusio/1 list root" + data[:-64])


def interval_of(params, unix_ms):
    """Say in which interval a time is."""
    return unix_ms // params["list_interval_ms"]


def interval_is_of(consensus, interval):
    """Do lists of this interval belong to this consensus?"""
    start_ms = interval * consensus["params"]["list_interval_ms"]
    begin_ms = consensus["valid_after_s"] * 1000
    return begin_ms <= start_ms < begin_ms + consensus["params"]["epoch_len_s"] * 1000


def list_read(params, data):
    """Read a list; nothing is verified."""
    if len(data) != list_len(params):
        raise Refused("LONG")
    r = Reader(data)
    found = {"interval": r.number(4), "board": r.number(1), "before": r.bytes(16)}
    entries = [r.bytes(5) for _ in range(params["list_entries"])]
    if found["interval"] == 0 or found["board"] >= BOARDS:
        raise Refused("RANGE")
    if entries != sorted(set(entries)):
        raise Refused("FORMAT")
    return {**found, "root": list_root(data)}


def list_judge(consensus, digest, data):
    """Read and verify a list of this consensus."""
    found, boards = list_read(consensus["params"], data), boards_of(consensus)
    if not interval_is_of(consensus, found["interval"]):
        raise Refused("EPOCH")
    if found["board"] >= len(boards):
        raise Refused("NOT_FOUND")
    identity = bytes.fromhex(consensus["relays"][boards[found["board"]]]["identity"])
    if not ed25519_verify(identity, list_signed(digest, data[:-64]), data[-64:]):
        raise Refused("SIGNATURE")
    return found


def pair_judge(consensus, digest, a, b):
    """Refuse two lists that do not prove that a board contradicts itself."""
    first, second = list_judge(consensus, digest, a), list_judge(consensus, digest, b)
    same = ("interval", "board")
    if any(first[k] != second[k] for k in same) or first["root"] == second["root"]:
        raise Refused("ARG")
    return {}
