"""What the tests share: the C side, random inputs that can be replayed, counts."""
import json
import random
import subprocess

from primitives import Refused


def plain(value):
    """Write value as the C side has it: bytes as hex, great numbers as texts."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and value >= 2**63:
        return str(value)
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


class Peer:
    """The C side (peer.c): a request a line, an answer a line."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, do, **values):
        """Have C do something; give what it says."""
        self.process.stdin.write(json.dumps({"do": do, **plain(values)}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"peer died of '{do}'")
        return json.loads(line)

    def close(self):
        """End the C side, which has to have been content to the last."""
        self.process.stdin.close()
        return self.process.wait()


class Different(Exception):
    """The two sides do not agree."""


class Test:
    """One test: its random bytes, what it has compared, what differed. schedules: how
    many a test of schedules runs; counts: what happened, to be told."""

    def __init__(self, peer, seed, name, schedules):
        self.peer, self.seed, self.name, self.schedules = peer, seed, name, schedules
        self.counts = {}
        self.random = random.Random(f"{seed}/{name}")
        self.compared = 0

    def bytes(self, n):
        """Draw n bytes."""
        return self.random.randbytes(n)

    def below(self, n):
        """Draw a number below n."""
        return self.random.randrange(n)

    def edge(self, most, least=0):
        """Draw a number from least to most; the ends often, and few bits often."""
        shape = self.below(4)
        if shape == 0:
            return self.random.choice((least, most))
        if shape == 1:
            return min(most, least + self.below(1 << (1 + self.below(most.bit_length() + 1))))
        return self.random.randint(least, most)

    def ask(self, do, **values):
        """Have C do something."""
        return self.peer.ask(do, **values)

    def same(self, what, ours, theirs):
        """Require that both sides say the same."""
        self.compared += 1
        ours = plain(ours)
        if ours != theirs:
            raise Different(f"{what}:\n    here  {short(ours)}\n    in C  {short(theirs)}")

    def found(self, what, ours, answer):
        """Require that C's answer has all that was found here, field by field."""
        if "err" in answer:
            raise Different(f"{what}: refused in C as {answer['err']}, not here")
        for key, value in ours.items():
            self.same(f"{what}, {key}", value, answer.get(key))

    def alike(self, what, do, answer, reason=False):
        """Require that do() and C, which said answer, find the same or both refuse;
        with reason for the same reason. Says whether it was found."""
        try:
            ours = do()
        except Refused as e:
            self.compared += 1
            if "err" not in answer:
                raise Different(f"{what}: refused here as {e}, in C {short(answer)}") from e
            if reason:
                self.same(what, str(e), answer["err"])
            return False
        self.found(what, ours, answer)
        return True

    def changed(self, data):
        """Change one bit of data, anywhere."""
        bit = self.below(8 * len(data))
        out = bytearray(data)
        out[bit // 8] ^= 1 << bit % 8
        return bytes(out)


def short(value):
    """Write value for people, its middle left out."""
    text = json.dumps(value, sort_keys=True)
    return text if len(text) < 400 else text[:250] + " .. " + text[-140:]
