"""Whose a box is, who is a board, who passes lists on, lists (PROTOCOL.md 8.3, 9.3,
9.7); and the vectors of these."""
import json
import pathlib

import documents
import letters
import lists
import schema
import stores
import wire
import worlds
from primitives import blake, ed25519_public

VECTORS = pathlib.Path(__file__).parent.parent / "vectors"


def consensus_take(t, consensus):
    """Have C read a consensus; give its digest."""
    body = documents.canonical(consensus)
    digest = blake(256, body)
    period = consensus["valid_after_s"] // consensus["params"]["period_s"]
    t.found("consensus", {"digest": digest, "period": period % 2**32},
            t.ask("consensus_take", body=body))
    return digest


def test_waits(t):
    """W, where it is odd and anywhere."""
    for i in range(200):
        x = t.bytes(8) if i % 2 else (1 << i // 4 % 64).to_bytes(8, "big")
        if any(x):
            value = int.from_bytes(x, "big")
            t.found(f"W({value})", {"wait": stores.wait(value)}, t.ask("waits", x=x))


def test_days(t):
    """Values of days, and for which of them a store counts."""
    for _ in range(150):
        days = [t.bytes(32) for _ in range(1 + t.below(16))]
        most = 2**32 - 1
        q = t.random.choice((t.below(36), 20000, t.edge(most), most - t.below(20)))
        words = [{"value": d} for d in days]
        for p in (0, 1, q, min(most, q + 1), min(most, q + 9), max(0, q - t.below(20))):
            said = t.ask("days_ask", days=words, newest=q, period=p)
            bit = stores.counts_bit(q, p)
            value = stores.day_value(days, q, p)
            t.found(f"day {p} by {q}", {"value": value, "bit": bit}, said)
        later = min(most, q + t.random.choice((0, 1, 2, t.below(30), most)))
        keep, shared = 3 + t.below(14), t.bytes(32)
        for before in (words, []):
            ours = stores.days_next(days if before else [], q, later, keep, shared)
            t.found("days", {"days": b"".join(ours)},
                    t.ask("days_step", before=before, before_period=q, period=later,
                          keep=keep, random=shared))
        letter_days, period_s = t.edge(366, 1), t.edge(366 * 86400, 60)
        t.found("kept", {"keep": stores.days_keep(letter_days, period_s)},
                t.ask("days_kept", letter_days=letter_days, period_s=period_s))
        counts, k, b = t.edge(65535), t.edge(40), t.below(2)
        t.found("counts", {"counts": stores.counts_next(counts, k, b)},
                t.ask("days_count", before=counts, periods=k, **{"in": b}))


def test_stores(t):
    """The stores of boxes."""
    for _ in range(15):
        c = worlds.consensus_draw(t, schema)
        c["params"]["period_s"] = t.random.choice((86400, 3600, 60))
        c["valid_after_s"] = t.random.choice((1_800_000_000, t.below(600), t.edge(2**31)))
        consensus_take(t, c)
        q = c["valid_after_s"] // c["params"]["period_s"]
        for _ in range(15):
            p = t.random.choice((q, q + 1, max(0, q - t.below(20)), 0, 1, q + t.below(9)))
            box = t.bytes(32)
            t.alike(f"stores of {p} by {q}", lambda: stores.stores_of(c, p, box),
                    t.ask("stores", period=p, box=box))


def boards_draw(t):
    """Draw a consensus that has boards, most often, and the stores' seeds."""
    c = worlds.consensus_draw(t, schema, [1 + t.below(40) for _ in range(8)])
    c["valid_after_s"] = 1_800_000_000 + t.below(1000)
    c["params"].update(epoch_len_s=3600, list_interval_ms=t.edge(60000, 500),
                       boards=t.below(5))
    seeds, families = {}, [t.bytes(32).hex() for _ in range(2)] + ["00" * 32]
    for relay in c["relays"]:
        seed = t.bytes(32)
        relay["identity"] = ed25519_public(seed).hex()
        relay["family"] = t.random.choice(families)
        seeds[relay["identity"]] = seed
    c["relays"].sort(key=lambda r: r["identity"])
    c["left_out"] = [{"cut_permille": 1, "identity": r["identity"]}
                     for r in c["relays"] if t.below(8) == 0]
    c["cut"] = []
    return c, seeds


def test_boards(t):
    """Who is a board, and who passes lists to whom."""
    for _ in range(10):
        c, _ = boards_draw(t)
        consensus_take(t, c)
        for label in ("brusio/1 board", "brusio/1 carrier", "brusio/1 layer"):
            identity = c["relays"][0]["identity"]
            t.found("draw", {"drawn": lists.draw(c, label.encode(), identity)},
                    t.ask("draw", label=label, identity=identity))
        t.found("boards", {"boards": lists.boards_of(c)}, t.ask("boards"))
        ways = lists.Ways(c)
        for i in range(len(c["relays"])):
            said = t.ask("ways", relay=i)
            for side in ("before", "next"):
                t.same(f"{side} of {i}", sorted(getattr(ways, side)[i]), sorted(said[side]))


def entries_draw(t, n):
    """Draw the entries of a list."""
    found = set()
    while len(found) < n:
        found.add(t.bytes(5))
    return sorted(found)


def list_judge(t, what, c, digest, data):
    """Have both sides judge a list."""
    t.alike(what, lambda: lists.list_judge(c, digest, data), t.ask("list_judge", list=data))


def test_lists(t):
    """Lists, signed and judged both ways; pairs that are evidence."""
    for _ in range(12):
        c, seeds = boards_draw(t)
        c["params"]["boards"] = 4
        digest, boards = consensus_take(t, c), lists.boards_of(c)
        every, begin_ms = c["params"]["list_interval_ms"], c["valid_after_s"] * 1000
        first, n = -(-begin_ms // every), c["params"]["list_entries"]
        if not boards:
            continue
        board, interval = t.below(len(boards)), first + t.below(3600_000 // every)
        seed = seeds[c["relays"][boards[board]]["identity"]]
        before, entries = t.bytes(16), entries_draw(t, n)
        made = lists.list_make(digest, interval, board, before, b"".join(entries), seed)
        t.found("list", {"list": made, "root": lists.list_root(made)},
                t.ask("list_make", interval=interval, board=board, before=before,
                      entries=b"".join(entries), seed=seed))
        list_judge(t, "good", c, digest, made)
        for wrong in (made[:-1], made + b"\0", t.changed(made), t.changed(made)):
            list_judge(t, "changed", c, digest, wrong)
        twice = [entries[0]] * 2 + entries[2:] if n > 1 else entries
        tries = [(interval, board, entries[::-1]), (interval, board, twice),
                 (first - 1, board, entries), (first, board, entries), (0, board, entries),
                 (first + 3600_000 // every, board, entries), (interval, 4, entries),
                 (interval, (board + 1) % 4, entries)]
        for at, who, what in tries:
            other = lists.list_make(digest, at, who, before, b"".join(what), seed)
            list_judge(t, f"interval {at}, board {who}", c, digest, other)
            t.alike("pair", lambda: lists.pair_judge(c, digest, made, other),
                    t.ask("list_pair", a=made, b=other))
        other = lists.list_make(digest, interval, board, t.bytes(16), b"".join(entries), seed)
        t.same("evidence", True, t.alike(
            "pair", lambda: lists.pair_judge(c, digest, made, other),
            t.ask("list_pair", a=made, b=other)))
        for unix_ms in (begin_ms, begin_ms - 1, begin_ms + 3600_000, interval * every + 3):
            at = lists.interval_of(c["params"], unix_ms)
            is_of = lists.interval_is_of(c, at)
            t.found("time", {"interval": at, "is_of": is_of, "len": len(made)},
                    t.ask("list_time", unix_ms=unix_ms))
        slices_check(t, c, made, interval * every + 10)


def slices_check(t, c, made, now_ms):
    """Compare the slices in which a client gets a list."""
    room = 40 + t.below(400)
    parts = [made[i : i + room - 7] for i in range(0, len(made), room - 7)]
    interval = int.from_bytes(made[:4], "big")
    ours = [wire.slice_make(1, interval, made[4], i, part, b"\x5a" * room)
            for i, part in enumerate(parts)]
    if len(parts) <= 256:
        ours.append(b"\0" + b"\x5a" * (room - 1))
        t.found("slices", {"slices": ours},
                t.ask("list_slices", list=made, now_ms=now_ms, room=room, count=len(ours)))


def test_vectors_stores(t):
    """The published waits, days and boxes."""
    v = json.loads((VECTORS / "stores.json").read_text())
    for w in v["waits"]:
        t.same("wait", stores.wait(int(w["x"], 16)), w["wait"])
    days, before_q = [], 0
    for step in v["days"]["steps"]:
        shared, q = bytes.fromhex(step["random"]), step["period"]
        days = stores.days_next(days, before_q, q, v["days"]["keep"], shared)
        before_q = q
        t.same("days", days, step["days"])
        for asked in step["asked"]:
            t.same("value", stores.day_value(days, q, asked["period"]), asked["value"])
    s = v["stores"]
    c = {"valid_after_s": s["valid_after_s"], "params": {"period_s": s["period_s"]},
         "days": s["days"], "left_out": [],
         "relays": [{**r, "role": 3, "identity": str(i)} for i, r in enumerate(s["stores"])]}
    for b in s["boxes"]:
        found = stores.ranking(c, b["period"], bytes.fromhex(b["box"]))
        t.same("stores", found[:2], [b["first"], b["second"]])


def network_read(t, n):
    """Check a network of the published lists."""
    relays = [{**r, "counts": r["counts"]} for r in n["relays"]]
    c = {"valid_after_s": n["valid_after_s"], "relays": relays,
         "shared_random": n["shared_random"],
         "params": {"boards": n["boards_most"], "layers": n["layers"],
                    "epoch_len_s": n["epoch_len_s"], "list_entries": n["list_entries"],
                    "list_interval_ms": n["list_interval_ms"]},
         "left_out": [{"identity": r["identity"]} for r in n["relays"] if r["out"]]}
    boards, ways = lists.boards_of(c), lists.Ways(c)
    t.same("boards", boards, n["boards"])
    for i, following in enumerate(n["next"]):
        t.same(f"next of {i}", sorted(ways.next[i]), sorted(following))
    digest = bytes.fromhex(n["digest"])
    for item in n["lists"]:
        seed = bytes.fromhex(n["relays"][boards[item["board"]]]["seed"])
        made = lists.list_make(digest, item["interval"], item["board"],
                               bytes.fromhex(item["before"]),
                               bytes.fromhex(item["entries"]), seed)
        t.same("list", made, item["list"])
        t.same("root", lists.list_judge(c, digest, made)["root"], item["root"])
    return c


def test_vectors_lists(t):
    """The published boards, lists, announcement, answer and slices."""
    v = json.loads((VECTORS / "lists.json").read_text())
    for n in v["networks"]:
        network_read(t, n)
    n, a = v["networks"][0], v["announcement"]
    request = wire.request_make(
        {"kind": wire.ANNOUNCE, "box": bytes.fromhex(a["token"]),
         "work": bytes.fromhex(a["nonce"]), "surb": bytes.fromhex(a["surb"])},
        bytes.fromhex(a["random"]))
    t.same("announcement", request, a["request"])
    board = bytes.fromhex(n["relays"][n["boards"][0]]["identity"])
    challenge = bytes.fromhex(n["work_challenge"])
    worth = letters.work_worth(challenge, board, bytes.fromhex(a["token"]) + bytes(16),
                               bytes.fromhex(a["nonce"]))
    t.same("worth", worth, a["bits"])
    room = v["slices"]["room"]
    data = bytes.fromhex(n["lists"][0]["list"])
    for i, part in enumerate(v["slices"]["parts"]):
        random = bytes.fromhex(part["random"])
        made = wire.slice_make(1, n["lists"][0]["interval"], n["lists"][0]["board"], i,
                               data[i * (room - 7) : (i + 1) * (room - 7)], random)
        t.same(f"slice {i}", made, part["slice"])
