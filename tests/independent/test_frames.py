"""Frames, and bodies of requests and answers (PROTOCOL.md 4 and 5)."""
import wire
from packet import Geometry


def read_both(t, what, do, here, data, **more):
    """Read data, data with a byte changed, data cut short: alike on both sides."""
    key = "frame" if do.endswith(("control_read", "piece_read", "frame_read")) else "body"
    key = "slice" if do == "slice_read" else key
    inputs = [data, data[: t.below(len(data))], data[:-1], data + b"\0"]
    inputs += [t.changed(data) for _ in range(3)]
    for at in range(0, min(8, len(data))):
        wrong = bytearray(data)
        wrong[at] = t.edge(255)
        inputs.append(bytes(wrong))
    for i, got in enumerate(inputs):
        t.alike(f"{what}, input {i}", lambda: here(got), t.ask(do, **{key: got}, **more))


def test_controls(t):
    """Control frames."""
    for _ in range(20):
        random, profile, handle = t.bytes(10 + t.below(300)), t.below(256), t.bytes(8)
        frame = wire.control_make(profile, handle, random)
        t.found("control", {"frame": frame},
                t.ask("control_make", profile=profile, handle=handle, over=random))
        read_both(t, "control", "control_read", wire.control_read, frame)


def test_pieces(t):
    """Pieces of a consensus."""
    for _ in range(20):
        random = t.bytes(19 + t.below(300))
        fields = {"time_ms": t.edge(2**63 - 1), "epoch": t.edge(2**32 - 1),
                  "index": t.edge(65535), "count": t.edge(65535),
                  "data": t.bytes(t.edge(len(random) - 19))}
        frame = wire.piece_make(**fields, random=random)
        t.found("piece", {"frame": frame}, t.ask("piece_make", **fields, over=random))
        read_both(t, "piece", "piece_read", wire.piece_read, frame)


def test_list_frames(t):
    """Frames that carry lists between relays."""
    for _ in range(20):
        random = t.bytes(100 + t.below(300))
        board_list = t.bytes(t.edge(len(random) - 1))
        frame = wire.list_frame_make(board_list, random)
        t.found("list frame", {"frame": frame},
                t.ask("list_frame_make", list=board_list, over=random))
        n = len(board_list)
        read_both(t, "list frame", "list_frame_read",
                  lambda got: wire.list_frame_read(got, n), frame, list_len=n)


def test_slices(t):
    """Slices, and where they lie."""
    for _ in range(20):
        random = t.bytes(8 + t.below(300))
        fields = {"kind": t.below(2), "interval": t.edge(2**32 - 1), "board": t.below(4),
                  "part": t.below(256), "data": t.bytes(t.edge(len(random) - 7))}
        data = wire.slice_make(**fields, random=random)
        t.found("slice", {"slice": data}, t.ask("slice_make", **fields, over=random))
        read_both(t, "slice", "slice_read", wire.slice_read, data)


def test_lengths(t):
    """Lengths of what a packet has room for."""
    for geo in [Geometry(1, 5, 2048)] + [Geometry(1, 1 + t.below(8), 1500 + t.below(9999))
                                         for _ in range(20)]:
        random, board_list = t.bytes(geo.packet_len), t.bytes(85 + 5 * t.below(384))
        frame = wire.answer_frame_make(random[1:9], random[9:17],
                                       random[17 : 17 + geo.payload_len],
                                       random[17 + geo.payload_len :])
        t.same("frame", geo.packet_len, len(frame))
        parts = wire.slice_cut(board_list, geo.packet_len, geo.payload_len)
        ours = {"room": len(frame) - 17 - geo.payload_len, "data_len": len(parts[0]),
                "parts": len(parts), "mark_at": 9, "payload_at": 17,
                "letter_len": wire.letter_len(geo.body_len, geo.surb_len)}
        if len(parts) == 1:
            ours.pop("data_len")
        t.found("lengths", ours, t.ask(
            "lengths", packet_len=geo.packet_len, payload_len=geo.payload_len,
            list_len=len(board_list), body_len=geo.body_len, surb_len=geo.surb_len))
    part = wire.slice_cut(bytes(999), 2048, 1723)[0]
    t.same("by default", [1232, 308, 301],
           [wire.letter_len(1707, 359), 2048 - 1723 - 17, len(part)])


def test_requests(t):
    """Requests' bodies."""
    for i in range(40):
        kind, surb = 1 + i % 4, t.bytes(100 + t.below(300))
        random = t.bytes(116 + len(surb) + 40 + t.below(300))
        r = {"kind": kind, "slot": t.below(16), "held": t.edge(65535), "surb": surb,
             "box": t.bytes(16 if kind == wire.ANNOUNCE else 32)}
        if kind == wire.ANNOUNCE:
            r["work"] = t.bytes(8)
        elif t.below(2):
            r["work"] = t.bytes(16)
        if kind == wire.PUT:
            r["signature"] = t.bytes(64)
            r["letter"] = t.bytes(len(random) - 116 - len(surb))
        body = wire.request_make(r, random)
        t.found("request", {"body": body}, t.ask("request_body_make", **r, over=random))
        n = len(surb)
        read_both(t, "request", "request_body_read", lambda got: wire.request_read(got, n),
                  body, surb_len=n)


def test_answers(t):
    """Answers' bodies."""
    for i in range(40):
        surb_len = 100 + t.below(300)
        random = t.bytes(116 + surb_len + 40 + t.below(300))
        roots = [{"interval": t.below(2) and t.edge(2**32 - 1), "root": t.bytes(16),
                  "back": t.edge(65535)} for _ in range(4)]
        a = {"status": 1 + i % 7, "slot": t.below(16), "full": t.edge(65535),
             "epoch": t.edge(2**32 - 1), "digest": t.bytes(32), "age": t.below(256),
             "arrived_ms": t.edge(2**63 - 1), "roots": roots}
        if a["status"] == wire.LETTER:
            a["letter"] = t.bytes(len(random) - 116 - surb_len)
        body = wire.answer_make(a, surb_len, random)
        t.found("answer", {"body": body},
                t.ask("answer_body_make", **a, surb_len=surb_len, over=random))
        read_both(t, "answer", "answer_body_read",
                  lambda got: wire.answer_read(got, surb_len), body, surb_len=surb_len)
