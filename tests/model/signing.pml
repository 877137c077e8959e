/* tests/model/signing.pml - can an epoch get two valid consensuses?
 *
 * No timing at all: each of HONEST authorities may compute either of two
 * consensuses, at any time and again after a crash, whatever the votes were; it
 * signs the first that it computes and keeps that before it says so. A crash may
 * take its disk; then it abstains. FAULTS liars sign both. A consensus is valid
 * with more than two thirds of all (directory/authority.h).
 *
 * With -DFORGETS an authority without its disk does not abstain: then there has
 * to be an error. */
#ifndef HONEST
#define HONEST 3
#endif
#ifndef FAULTS
#define FAULTS 1
#endif
#define ALL (HONEST + FAULTS)
#define NEED (2 * ALL / 3 + 1)

byte disk[HONEST];      /* 0: nothing, 1 or 2: signed that one, 3: lost */
byte shown[3] = FAULTS; /* signatures of consensus 1 and 2 that are out */
bool out[HONEST * 3];    /* which ones of an authority */

active proctype world()
{
    byte i, c;
    do
    :: atomic {
            select(i : 0 .. (HONEST - 1));
            if
            :: disk[i] == 0 -> /* computes one, keeps it */
                select(c : 1 .. 2);
                disk[i] = c
            :: disk[i] == 1 || disk[i] == 2 -> /* says so, again after crashes */
                c = disk[i];
                if
                :: !out[i * 3 + c] ->
                    out[i * 3 + c] = true;
                    shown[c]++
                :: else
                fi
            :: disk[i] < 3 -> /* loses its disk */
#ifdef FORGETS
                disk[i] = 0
#else
                disk[i] = 3
#endif
            :: else
            fi;
            i = 0;
            c = 0
        }
        assert(shown[1] < NEED || shown[2] < NEED)
    od
}
