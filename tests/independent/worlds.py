"""Draws the bodies of documents: networks, relays, votes, all within what
PROTOCOL.md 9.1 allows."""
from packet import public_of
from primitives import ed25519_public
from schema import Hex, List, Number, Object, Text

LAYERS_MAX = 6


def value_draw(t, field):
    """Draw a value of a field that is checked alone."""
    if isinstance(field, Number):
        return t.edge(field.most, field.least)
    if isinstance(field, Hex):
        return t.bytes(t.random.choice(field.lengths)).hex()
    if isinstance(field, List):
        n = t.edge(min(field.most, 3), field.least)
        items = [value_draw(t, field.item) for _ in range(n)]
        return sorted(items, key=field.by) if field.by else items
    if isinstance(field, Object):
        return {key: value_draw(t, inner) for key, inner in field.fields.items()}
    return text_draw(t, field)


def text_draw(t, field):
    """Draw a text; where there is a pattern, an address."""
    if field.pattern != ".*":
        return address_draw(t)
    length = t.edge(field.most, field.least)
    return "".join(chr(33 + t.below(94)) for _ in range(length))


def address_draw(t):
    """Draw an address."""
    port = 1 + t.below(65535)
    if t.below(3):
        return ".".join(str(t.below(256)) for _ in range(4)) + f":{port}"
    return "[2001:db8::" + f"{1 + t.below(65535):x}" + f"]:{port}"


def params_draw(t, schema):
    """Draw parameters that go together."""
    p = value_draw(t, schema.PARAMS)
    p["geometry"] = {"suite": 1, "hops": 3 + t.below(6), "packet_len": 2048 + t.below(9999),
                     "delay_unit_us": t.edge(1_000_000, 1)}
    p["layers"] = 1 + t.below(min(LAYERS_MAX, p["geometry"]["hops"] - 2))
    c = p["conversations"]
    c["hold_min_s"], c["hold_max_s"] = sorted((c["hold_min_s"], c["hold_max_s"]))
    c["fronts"], c["front"] = t.random.choice(((1, 1 + t.below(62)), (2, 1 + t.below(31))))
    c["lane"] = 1 + t.below(63 - c["fronts"] * c["front"])
    c["sweep"] = 64 - c["fronts"] * c["front"] - c["lane"]
    p["list_entries"] = t.edge(384, 1)
    for i, profile in enumerate(p["profiles"]):
        profile["name"] = f"profile{i}"
    return p


def relay_draw(t, role, layers):
    """Draw a relay's entry."""
    low, high = sorted((t.edge(65535, 1), t.edge(65535, 1)))
    layer = {1: 0, 2: 1 + t.below(layers), 3: layers + 1}[role]
    return {"addresses": [address_draw(t) for _ in range(1 + t.below(4))],
            "bandwidth": t.edge(10**8), "counts": t.edge(65535) if role == 3 else 0,
            "family": t.random.choice((bytes(32), t.bytes(32))).hex(),
            "identity": t.bytes(32).hex(), "layer": layer,
            "placement": (t.bytes(32) if role == 3 else bytes(32)).hex(),
            "protocol_max": high, "protocol_min": low, "role": role,
            "since": t.edge(2**32 - 17), "sphinx_key": public_of(1, t.bytes(32)).hex()}


def standing_draw(t, layers):
    """Draw where a relay stood."""
    return {"counts": t.edge(65535), "identity": t.bytes(32).hex(),
            "layer": t.below(layers + 2), "placement": t.bytes(32).hex(),
            "seen": t.edge(2**32 - 17), "since": t.edge(2**32 - 17)}


def certified_draw(t):
    """Draw a certificate as it stands in a consensus; nobody has signed it."""
    low, high = sorted((t.edge(2**48), t.edge(2**48)))
    return {"from_s": low, "identity": t.bytes(32).hex(), "key": t.bytes(32).hex(),
            "share_key": t.bytes(32).hex(), "signature": t.bytes(64).hex(), "until_s": high}


def sorted_by(key, items):
    """Sort what has to be sorted."""
    return sorted(items, key=lambda item: item[key])


def consensus_draw(t, schema, counts=None):
    """Draw a consensus; counts are those of gateways, mixes of each layer, stores."""
    params = params_draw(t, schema)
    layers = params["layers"]
    counts = counts or [1 + t.below(4) for _ in range(layers + 2)]
    relays = []
    for layer in range(layers + 2):
        role = 1 if layer == 0 else 3 if layer == layers + 1 else 2
        for _ in range(counts[min(layer, len(counts) - 1)]):
            relays.append({**relay_draw(t, role, layers), "layer": layer})
    relays = sorted_by("identity", relays)
    out = [{"cut_permille": t.edge(1000), "identity": r["identity"]}
           for r in relays if t.below(8) == 0]
    away = [standing_draw(t, layers) for _ in range(t.below(4))]
    certificates = [certified_draw(t) for _ in range(t.below(4))]
    return {"away": sorted_by("identity", away),
            "certificates": sorted_by("identity", certificates),
            "cut": cut_draw(t, schema, relays, layers),
            "days": [t.bytes(32).hex() for _ in range(1 + t.below(16))],
            "epoch": t.edge(2**32 - 17), "left_out": out, "network": f"network-{t.below(9)}",
            "params": params, "relays": relays, "shared_random": t.bytes(32).hex(),
            "valid_after_s": t.edge(2**40), "work_challenge": t.bytes(16).hex()}


def cut_draw(t, schema, relays, layers):
    """Draw links that are cut."""
    cut = []
    for a in range(len(relays)):
        for b in range(a + 1, len(relays)):
            la, lb = relays[a]["layer"], relays[b]["layer"]
            link = schema.has_edge(layers, la, lb) or schema.has_edge(layers, lb, la)
            if link and t.below(6) == 0:
                cut += [a, b]
    return cut


def descriptor_draw(t, seed=None):
    """Draw a descriptor of the relay of this seed."""
    relay = relay_draw(t, 1 + t.below(3), 3)
    del relay["sphinx_key"]
    relay.update(layer=0, since=0, counts=0, placement="00" * 32,
                 identity=ed25519_public(seed or t.bytes(32)).hex())
    links = []
    for _ in range(t.below(5)):
        lost, sent = sorted((t.edge(65535), t.edge(65535)))
        links.append({"identity": t.bytes(32).hex(), "lost": lost, "sent": sent})
    return {"alarms": t.edge(10**6), "epoch": t.edge(2**32 - 17),
            "family_signature": t.bytes(64).hex(), "hibernates_until_s": t.edge(2**48),
            "links": sorted_by("identity", links), "network": f"network-{t.below(9)}",
            "relay": relay,
            "sphinx_keys": [public_of(1, t.bytes(32)).hex() for _ in range(1 + t.below(3))]}


def holder_draw(t):
    """Draw a holder of a share; nothing of it is true."""
    low, high = sorted((t.edge(2**48), t.edge(2**48)))
    return {"from_s": low, "identity": t.bytes(32).hex(), "key": t.bytes(32).hex(),
            "response": t.bytes(32).hex(), "share": t.bytes(32).hex(),
            "share_key": t.bytes(32).hex(), "signature": t.bytes(64).hex(), "until_s": high}


def vote_draw(t, schema):
    """Draw a vote."""
    params = params_draw(t, schema)
    n = t.below(5)
    texts = sorted({text_of(t) for _ in range(t.below(4))})
    holders = sorted_by("identity", [holder_draw(t) for _ in range(n)])
    commitments = [t.bytes(32).hex() for _ in range(1 + t.below(n) if n else 0)]
    known = [standing_draw(t, params["layers"]) for _ in range(t.below(4))]
    return {"author": t.bytes(32).hex(), "day": t.edge(2**32 - 1),
            "days": [t.bytes(32).hex() for _ in range(t.below(17))],
            "dealing": {"challenge": t.bytes(32).hex(), "commitments": commitments,
                        "holders": holders},
            "descriptors": texts, "epoch": t.edge(2**32 - 17, 1),
            "known": sorted_by("identity", known), "network": f"network-{t.below(9)}",
            "params": params}


def text_of(t):
    """Draw a text that stands for a signed descriptor."""
    signature = "\nsig " + t.bytes(32).hex() + "\n"
    return "brusio-descriptor/1 5\n" + text_draw(t, Text(1, 200)) + signature
