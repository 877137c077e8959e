"""Rows that need days, or a liar, and so virtual time: the suites that show them."""
import os

from harness import row

SUITES = {
    ("R4", "a relay's clock is wrong for a second"):
        ("replay/i10_one_look_at_a_wrong_clock_changes_nothing",
         "replay/i10_a_flood_in_a_wrong_hour_does_not_last",
         "quota/i10_no_jump_of_a_clock_begins_a_month",
         "i10_relays/i10_a_mix_outlives_a_wrong_clock"),
    ("R9w", "a hostile contact's NUL, and what is too big for an answer"):
        ("client_calls/*",),
    ("R13", "fragments for ever"):
        ("i11_unfinished/*",),
    ("R14", "one talkative contact fills the inbox of all"):
        ("contacts/i11_a_full_inbox*",),
    ("R17w", "a clock that jumps loses messages"):
        ("clock/*",),
    ("R18", "an authority whose clock was ahead stays ahead"):
        ("authority/i10_a_start_by_a_wrong_clock_loses_nothing",
         "authority/i10_a_look_uses_up_no_epoch",
         "heap_directory/i10_certificates_outlive_a_wrong_clock"),
    ("R36", "a store under a clock that jumps"):
        ("times/i10_no_wrong_clock_destroys_letters",),
    ("N2.1", "a relay that was left out for lost loops never comes back"):
        ("i10_links/i10_a_broken_relay_is_out_and_comes_back",),
}


def shown(patterns):
    def run(t):
        root = os.path.dirname(os.path.dirname(t.bin))  # what they read is there
        for pattern in patterns:
            r = t.run([f"{t.bin}/run-tests", pattern], timeout=400,
                      cwd=root)
            t.check(r.rc == 0 and "PASSED" in r.out, f"{pattern}: {r.out[-800:]}")
    return run


for (number, title), patterns in SUITES.items():
    row(number, title)(shown(patterns))
