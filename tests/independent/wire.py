"""Frames on links, and bodies of requests and answers (PROTOCOL.md 4 and 5)."""
from primitives import Refused, number

PUT, GET, LOOP, ANNOUNCE = 1, 2, 3, 4
KEPT, RETRY, TAKEN, FULL, WORK, LETTER, EMPTY = range(1, 8)
BOARDS = 4


class Reader:
    """Takes bytes apart, from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def bytes(self, n):
        """Take n bytes, or refuse."""
        if n < 0 or self.at + n > len(self.data):
            raise Refused("SHORT")
        self.at += n
        return self.data[self.at - n : self.at]

    def number(self, n):
        """Take a number of n bytes."""
        return int.from_bytes(self.bytes(n), "big")

    def rest(self):
        """Take all that is left."""
        return self.bytes(len(self.data) - self.at)


def over(head, random):
    """Write head over the first of the random bytes that fill a frame."""
    if len(head) > len(random):
        raise Refused("LONG")
    return head + random[len(head) :]


def frame_open(frame, kind):
    """Begin to read a frame of this first byte."""
    r = Reader(frame)
    if r.number(1) != kind:
        raise Refused("FORMAT")
    return r


def control_make(profile, handle, random):
    """Make a control frame over random bytes."""
    return over(bytes([2, profile]) + handle, random)


def control_read(frame):
    """Read a control frame."""
    r = frame_open(frame, 2)
    return {"profile": r.number(1), "handle": r.bytes(8), "mark": mark_up(frame)}


def mark_up(frame):
    """Give the mark of a frame up (7)."""
    return frame[2:10]


def piece_make(time_ms, epoch, index, count, data, random):
    """Make a piece of a consensus over random bytes."""
    head = (b"\3" + number(time_ms, 8) + number(epoch, 4) + number(index, 2)
            + number(count, 2) + number(len(data), 2))
    return over(head + data, random)


def piece_read(frame):
    """Read a piece."""
    r = frame_open(frame, 3)
    piece = {"time_ms": r.number(8), "epoch": r.number(4), "index": r.number(2),
             "count": r.number(2)}
    piece["data"] = r.bytes(r.number(2))
    if piece["index"] >= piece["count"]:
        raise Refused("RANGE")
    return piece


def list_frame_make(board_list, random):
    """Make a frame that carries a board's list."""
    return over(b"\4" + board_list, random)


def list_frame_read(frame, list_len):
    """Read such a frame, where lists have this length."""
    return {"list": frame_open(frame, 4).bytes(list_len)}


def slice_make(kind, interval, board, part, data, random):
    """Make a slice over random bytes."""
    if kind == 0:
        return over(b"\0", random)
    return over(b"\1" + number(interval, 4) + bytes([board, part]) + data, random)


def slice_read(data):
    """Read a slice."""
    r = Reader(data)
    found = {"kind": r.number(1)}
    if found["kind"] == 0:
        return found
    found.update(interval=r.number(4), board=r.number(1), part=r.number(1), data=r.rest())
    if found["kind"] != 1 or not found["data"] or found["board"] >= BOARDS:
        raise Refused("FORMAT")
    return found


def slice_cut(board_list, packet_len, payload_len):
    """Cut a list into what each slice carries of it."""
    room = packet_len - payload_len - 24
    return [board_list[i : i + room] for i in range(0, len(board_list), room)]


def answer_frame_make(surb_id, mark, payload, slice_bytes):
    """Make the frame down that carries an answer."""
    return b"\1" + surb_id + mark + payload + slice_bytes


def answer_frame_read(frame, payload_len):
    """Read such a frame."""
    r = frame_open(frame, 1)
    return {"surb_id": r.bytes(8), "mark": r.bytes(8), "payload": r.bytes(payload_len),
            "slice": slice_read(r.rest())}


def letter_len(body_len, surb_len):
    """Give the length of letters."""
    return body_len - 116 - surb_len


def request_make(r, random):
    """Write a request's body over random bytes. r's work, signature and letter may
    be missing; of an announcement box is the token and work the nonce."""
    at, parts = 0, []
    lens = (("kind", 1), ("slot", 1), ("held", 2), ("box", 32), ("work", 16),
            ("surb", len(r["surb"])), ("signature", 64),
            ("letter", letter_len(len(random), len(r["surb"]))))
    unused = {PUT: ("held",), GET: ()}.get(r["kind"], ("slot", "held"))
    for name, length in lens:
        value = b"" if name in unused else r.get(name, b"")
        if isinstance(value, int):
            value = number(value, length)
        parts.append(value + random[at + len(value) : at + length])
        at += length
    return b"".join(parts)


def request_read(body, surb_len):
    """Read a request's body."""
    r = Reader(body)
    found = {"kind": r.number(1), "slot": r.number(1), "held": r.number(2),
             "box": r.bytes(32), "work": r.bytes(16), "surb": r.bytes(surb_len),
             "signature": r.bytes(64), "letter": r.rest()}
    if not found["letter"]:
        raise Refused("SHORT")
    if not PUT <= found["kind"] <= ANNOUNCE:
        raise Refused("FORMAT")
    if found["kind"] in (PUT, GET) and found["slot"] > 15:
        raise Refused("RANGE")
    return found


def answer_make(a, surb_len, random):
    """Write an answer's body over random bytes; age, letter, and the root and back
    of what is not there, stay random."""
    head = (bytes([a["status"], a["slot"]]) + number(a["full"], 2) + number(a["epoch"], 4)
            + a["digest"] + number(a["arrived_ms"], 8))
    head += bytes([a["age"]]) if a["status"] == LETTER else random[48:49]
    for root in a["roots"]:
        there = number(root["interval"], 4)
        if root["interval"]:
            head += there + root["root"] + number(root["back"], 2)
        else:
            head += there + random[len(head) + 4 : len(head) + 22]
    if "letter" in a:
        head += a["letter"]
    return over(head, random)


def answer_read(body, surb_len):
    """Read an answer's body."""
    r = Reader(body)
    a = {"status": r.number(1), "slot": r.number(1), "full": r.number(2),
         "epoch": r.number(4), "digest": r.bytes(32), "arrived_ms": r.number(8),
         "age": r.number(1)}
    a["roots"] = []
    for _ in range(BOARDS):
        root = {"interval": r.number(4), "root": r.bytes(16), "back": r.number(2)}
        if root["interval"] == 0:
            root["root"], root["back"] = b"", 0
        a["roots"].append(root)
    a["letter"] = r.bytes(letter_len(len(body), surb_len))
    if not a["letter"]:
        raise Refused("SHORT")
    if not KEPT <= a["status"] <= EMPTY:
        raise Refused("FORMAT")
    if a["status"] == LETTER and a["slot"] > 15:
        raise Refused("RANGE")
    if a["status"] != LETTER:
        a["age"] = 255
    return a
