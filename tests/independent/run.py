#!/usr/bin/python3
"""tests/independent/run.py BUILD [--seed N] [NAME ..] - a second implementation of
doc/PROTOCOL.md, written from that page, against the C: each makes what the other
opens, and what is changed both refuse. NAMEs are those of tests, or parts of them;
the seed that is printed makes the same inputs again. --schedules N: so many random
courses of ratchets, 300 else, and 10,000 with BRUSIO_TEST_PROOF=1. Needs python3-nacl
and python3-cryptography, and the C side, BUILD/independent-peer."""
import argparse
import importlib
import os
import sys
import time
import traceback

sys.dont_write_bytecode = True
from harness import Different, Peer, Test

MODULES = ("test_packets", "test_frames", "test_letters", "test_ratchets",
           "test_documents", "test_networks", "test_shares", "test_tally")


def tests_find(words):
    """Find the tests whose names have one of these words in them; all for none."""
    for module in MODULES:
        for name, run in vars(importlib.import_module(module)).items():
            label = f"independent/{module[5:]}/{name[5:]}"
            if name.startswith("test_") and callable(run):
                if not words or any(word in label for word in words):
                    yield label, run


def test_run(peer, options, label, run):
    """Run a test; give what was compared, and what is wrong or nothing."""
    test = Test(peer, options.seed, label, options.schedules)
    try:
        run(test)
        if test.counts:
            print(f"{label}: " + ", ".join(f"{what} {n}" for what, n in
                                           sorted(test.counts.items())))
        return test.compared, None if test.compared else "nothing was compared"
    except Different as e:
        return test.compared, str(e)
    except Exception:  # a mistake here, or the C side has died
        return test.compared, traceback.format_exc()


def main():
    """Run the tests and count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--seed", type=int,
                        default=int(os.environ.get("BRUSIO_TEST_SEED")
                                    or int.from_bytes(os.urandom(4), "big")))
    is_proof = os.environ.get("BRUSIO_TEST_PROOF") == "1"
    parser.add_argument("--schedules", type=int, default=10000 if is_proof else 300)
    parser.add_argument("names", nargs="*")
    options = parser.parse_intermixed_args()
    print(f"independent: seed {options.seed} (--seed replays it)")
    passed = failed = compared = 0
    for label, run in tests_find(options.names):
        begin, peer = time.monotonic(), Peer(f"{options.build}/independent-peer")
        n, wrong = test_run(peer, options, label, run)
        if peer.close() and not wrong:
            wrong = "the C side did not end well"
        passed, failed, compared = passed + (not wrong), failed + bool(wrong), compared + n
        if wrong:
            print(f"[  FAILED  ] {label}: {wrong}")
        elif os.environ.get("V"):
            print(f"{label}: {n} compared, {time.monotonic() - begin:.2f} s")
    print(f"independent: {compared} compared")
    print(f"[  PASSED  ] {passed} test(s).")
    if failed:
        print(f"[  FAILED  ] {failed} test(s).")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
