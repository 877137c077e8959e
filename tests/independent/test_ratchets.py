"""Ratchets and sessions (PROTOCOL.md 8.10), in random schedules."""
import random

from harness import Different
from schedules import schedule_run


def test_schedules(t):
    """Pairs under loss, delay, older copies, offers, and seconds; each schedule has a
    seed of its own, which a failure names."""
    for i in range(t.schedules):
        t.random = random.Random(f"{t.seed}/schedule/{i}")
        try:
            schedule_run(t, 20 + t.below(60))
        except Different as e:
            raise Different(f"schedule {i}: {e}") from e
