"""Packets, SURBs and the published vectors (PROTOCOL.md 2 and 3)."""
import json
import pathlib

import packet
from primitives import Refused, hpolyc_decrypt, hpolyc_encrypt

VECTORS = pathlib.Path(__file__).parent.parent / "vectors"
X25519_P = 2**255 - 19


def vectors_read(name):
    """Read a file of vectors."""
    return json.loads((VECTORS / name).read_text())


def geometry_words(geo):
    """Say a geometry to C."""
    return {"suite": geo.suite, "hops": geo.hops, "packet_len": geo.packet_len,
            "delay_unit_us": geo.delay_unit_us}


def relay_draw(t, suite):
    """Draw a relay."""
    secret = t.bytes(32)
    return {"secret": secret, "public": packet.public_of(suite, secret),
            "identity": t.bytes(32), "index": t.edge(65535), "delay": t.edge(65535),
            "deadline": t.edge(65535)}


def hops_words(path):
    """Say a path to C."""
    keys = ("public", "identity", "index", "delay", "deadline")
    return [{key: hop[key] for key in keys} for hop in path]


def hop_read(geo, epoch, digest, relay, data):
    """Unwrap data at a relay: what C says of it too, and the packet after it."""
    block, keys, data = packet.unwrap(geo, epoch, digest, relay, data)
    found = {k: block[k] for k in ("command", "next", "delay", "deadline")}
    payload = data[geo.header_len :]
    found.update(tag=keys.tag, payload=payload, intact=payload[:16] == bytes(16))
    if block["command"] == packet.DELIVER:
        found.update(handle=block["handle"], surb_id=block["surb_id"])
    if block["command"] == packet.FORWARD:
        found["header"] = data[: geo.header_len]
    return found, data


def travel(t, what, geo, epoch, digest, path, data):
    """Unwrap data at every hop of path, here and in C; give the last hop's packet."""
    for i, relay in enumerate(path):
        said = t.ask("unwrap", **geometry_words(geo), epoch=epoch, digest=digest,
                     seed=relay["secret"], identity=relay["identity"], packet=data)

        def unwrapped():
            nonlocal data
            found, data = hop_read(geo, epoch, digest, relay, data)
            return found

        if not t.alike(f"{what}, hop {i}", unwrapped, said, reason=True):
            return None
        t.same(f"{what}, delay of hop {i}", relay["delay"], said["delay"])
        t.same(f"{what}, deadline of hop {i}", relay["deadline"], said["deadline"])
    return data


def request_round(t, geo):
    """Make a request here and in C, and open each on both sides."""
    epoch, digest, n = t.below(256), t.bytes(32), 1 + t.below(geo.hops)
    path = [relay_draw(t, geo.suite) for _ in range(n)]
    body, seed = t.bytes(geo.body_len), t.bytes(32)
    chance = packet.Chance.of_seed(geo, n, seed)
    ours = packet.request_make(geo, epoch, digest, path, body, chance)
    words = dict(geometry_words(geo), epoch=epoch, digest=digest, path=hops_words(path))
    t.found("request of a seed", {"packet": ours},
            t.ask("request_make", **words, seed=seed, body=body))
    drawn = packet.Chance(geo, n, t.bytes)
    free = packet.request_make(geo, epoch, digest, path, body, drawn)
    for what, data in (("request", ours), ("request of draws", free)):
        last = travel(t, what, geo, epoch, digest, path, data)
        t.same("body", packet.payload_check(last[geo.header_len :]), body.hex())
    travel(t, "changed request", geo, epoch, digest, path, t.changed(ours))
    header = bytearray(ours)
    header[t.below(geo.header_len)] ^= 1 << t.below(8)
    travel(t, "changed header", geo, epoch, digest, path, bytes(header))
    travel(t, "other digest", geo, epoch, t.bytes(32), path, ours)
    travel(t, "other epoch", geo, (epoch + 1) % 256, digest, path, ours)


def answer_round(t, geo):
    """Make a SURB here and in C, use it and open the answer on both sides."""
    epoch, digest, n = t.below(256), t.bytes(32), 1 + t.below(geo.hops)
    path = [relay_draw(t, geo.suite) for _ in range(n)]
    body, seed, handle, surb_id = t.bytes(geo.body_len), t.bytes(32), t.bytes(8), t.bytes(8)
    chance = packet.Chance.of_seed(geo, n, seed)
    surb, keys = packet.surb_make(geo, epoch, digest, path, handle, surb_id, chance)
    words = dict(geometry_words(geo))
    theirs = t.ask("surb_make", **words, epoch=epoch, digest=digest, path=hops_words(path),
                   seed=seed, handle=handle, surb_id=surb_id)
    order = b"".join(reversed(keys)) + chance.surb_key
    t.found("SURB", {"surb": surb, "keys": order}, theirs)
    data, first = packet.answer_make(geo, surb, body)
    t.found("answer", {"packet": data, "first": first},
            t.ask("surb_use", **words, surb=surb, body=body))
    last = travel(t, "answer", geo, epoch, digest, path, data)
    payload = last[geo.header_len :]
    for what, got in (("answer", payload), ("changed answer", t.changed(payload))):
        said = t.ask("surb_open", **words, keys=order, payload=got)
        t.alike(what, lambda: {"body": packet.answer_open(got, keys, chance.surb_key)}, said,
                reason=True)
    travel(t, "changed answer", geo, epoch, digest, path, t.changed(data))


def geometry_draw(t, suite):
    """Draw a geometry: hops, lengths, mostly small."""
    hops = 1 + t.below(8 if suite == 1 else 3)
    least = packet.Geometry(suite, hops, 0).header_len + 17
    return packet.Geometry(suite, hops, least + t.below(600))


def suites(t):
    """Say which suites C has; the hybrid one is there with OpenSSL 3.5."""
    return [s for s in (1, 2) if t.ask("suite_works", suite=s)["works"]]


def test_geometry(t):
    """Lengths, and which geometries there are."""
    for suite in suites(t):
        for hops in list(range(0, 10)) + [255]:
            for length in (0, 341, 342, 2048, 16384, 65535, t.below(65536)):
                geo = packet.Geometry(suite, hops, length)
                names = ("element_len", "block_len", "routing_len", "header_len",
                         "payload_len", "body_len", "surb_len")

                def lengths():
                    if not geo.is_allowed():
                        raise Refused("RANGE")
                    return {name: getattr(geo, name) for name in names}

                t.alike(f"geometry {suite} {hops} {length}", lengths,
                        t.ask("geometry", **geometry_words(geo)))


def test_keys(t):
    """Public keys, and points that are none."""
    geo = packet.Geometry(1, 5, 2048)
    points = [0, 1, X25519_P - 1, X25519_P, X25519_P + 1, X25519_P + 9, 2, 9]
    points += [325606250916557431795983626356110631294008115727848805560023387167927233504,
               39382357235489614581723060781553021112529911719440698176882885853963445705823]
    for point in points + [p + 2**255 for p in points]:
        public = point.to_bytes(32, "little")

        def check():
            packet.public_check(1, public)
            return {}

        t.alike(f"point {point:#x}", check,
                t.ask("public_check", **geometry_words(geo), public=public))
    for suite in suites(t):
        geo = packet.Geometry(suite, 2, 8192)
        for _ in range(4):
            seed = t.bytes(32)
            t.found("keys", {"public": packet.public_of(suite, seed)},
                    t.ask("keypair", **geometry_words(geo), seed=seed))


def test_requests(t):
    """Requests, both ways."""
    for suite in suites(t):
        for _ in range(40 if suite == 1 else 2):
            request_round(t, geometry_draw(t, suite))
    request_round(t, packet.Geometry(1, 5, 2048))


def test_answers(t):
    """SURBs and answers, both ways."""
    for suite in suites(t):
        for _ in range(40 if suite == 1 else 2):
            answer_round(t, geometry_draw(t, suite))
    answer_round(t, packet.Geometry(1, 5, 2048))


def vector_hop(t, geo, keys, hop):
    """Compare what a hop computes."""
    names = {"element": keys.element, "shared_secret": keys.share, "context": keys.context,
             "header_key": keys.header, "payload_key": keys.payload, "mac_key": keys.mac,
             "replay_tag": keys.tag, "keystream": keys.stream}
    t.found("hop", names, hop)


def vector_travel(t, geo, v, relays, hops):
    """Unwrap a vector's packet at each of its hops; give the last payload."""
    digest = bytes.fromhex(v["digest"])
    for i, hop in enumerate(hops):
        data = bytes.fromhex(hop["packet"])
        block, keys, after = packet.unwrap(geo, v["epoch"], digest, relays[i], data)
        vector_hop(t, geo, keys, hop)
        if i + 1 < len(hops):
            t.same("next packet", after, hops[i + 1]["packet"])
    return after[geo.header_len :]


def vector_relays(t, suite, path):
    """Read the relays of vectors."""
    relays = []
    for hop in path:
        secret = bytes.fromhex(hop["seed"])
        t.same("public key", packet.public_of(suite, secret), hop["public_key"])
        relays.append({**hop, "secret": secret, "public": bytes.fromhex(hop["public_key"]),
                       "identity": bytes.fromhex(hop["identity"])})
    return relays


def vectors_run(t, name, suite):
    """Make and open all packets of a file of vectors."""
    v = vectors_read(name)
    g = v["geometry"]
    geo = packet.Geometry(suite, g["hops"], g["packet_len"])
    relays, digest = vector_relays(t, suite, v["path"]), bytes.fromhex(v["digest"])
    for r in v["requests"]:
        n, body = len(r["hops"]), bytes.fromhex(r["body"])
        chance = packet.Chance.of_seed(geo, n, bytes.fromhex(r["seed"]))
        made = packet.request_make(geo, v["epoch"], digest, relays[:n], body, chance)
        t.same("request", made, r["hops"][0]["packet"])
        payload = vector_travel(t, geo, v, relays, r["hops"])
        t.same("payload", payload, r["payload"])
    for a in v["answers"]:
        n, body = len(a["hops"]), bytes.fromhex(a["body"])
        chance = packet.Chance.of_seed(geo, n, bytes.fromhex(a["seed"]))
        surb, keys = packet.surb_make(geo, v["epoch"], digest, relays[:n],
                                      bytes.fromhex(a["handle"]),
                                      bytes.fromhex(a["surb_id"]), chance)
        t.same("SURB", surb, a["surb"])
        t.same("keys", keys[::-1] + [chance.surb_key], a["keys"])
        t.same("answer", packet.answer_make(geo, surb, body)[0], a["hops"][0]["packet"])
        payload = vector_travel(t, geo, v, relays, a["hops"])
        t.same("payload", payload, a["payload"])
        t.same("body", packet.answer_open(payload, keys, chance.surb_key), a["body"])


def test_vectors(t):
    """The published packets."""
    vectors_run(t, "sphinx.json", 1)


def test_vectors_hybrid(t):
    """The published packets of the hybrid suite."""
    vectors_run(t, "sphinx-mlkem768.json", 2)


def test_vectors_hpolyc(t):
    """The payload cipher's own vectors, of those with an empty tweak."""
    for v in vectors_read("hpolyc.json")["vectors"]:
        if v["tweak"]:
            continue
        key, clear = bytes.fromhex(v["key"]), bytes.fromhex(v["plaintext"])
        t.same("encrypted", hpolyc_encrypt(key, clear), v["ciphertext"])
        t.same("decrypted", hpolyc_decrypt(key, bytes.fromhex(v["ciphertext"])),
               v["plaintext"])
