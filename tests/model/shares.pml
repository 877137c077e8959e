/* tests/model/shares.pml - does the reader of a letter have every share that is in the
 * root of its chain? (doc/PROTOCOL.md 8.10; client/letters/ratchet.c, rekey.c)
 *
 * Two sides write LETTERS letters each, at any time; each is read at any time later, in
 * any order, or never. A key, and a ciphertext, are PARTS parts of which each letter carries
 * one, in turn. Side 1 has taken the offer of side 0. Late letters have their keys, and
 * what they carry counts.
 *
 * With -DEARLY who has made a share mixes it at once: then there has to be an error. With
 * -DREACHED=n both may not come to have mixed n: then there has to be one as well. */
#ifndef PARTS
#define PARTS 2
#endif
#ifndef LETTERS
#define LETTERS 5
#endif
#define LETTER (from * LETTERS + k)

byte step[2]; /* own keys before this one */
byte peer[2]; /* keys of the other's that are known */
byte mixed[2], next[2], got[2], written[2];
bool share[2];

/* Of each letter: its step, mixed, kind of part (0 none, 1 key, 2 ciphertext), part. */
byte l_step[2 * LETTERS], l_mixed[2 * LETTERS], l_kind[2 * LETTERS], l_part[2 * LETTERS];
bool l_read[2 * LETTERS];

#define SENDS(i) ((i == 1) == (mixed[i] % 2 == 0))
#ifdef EARLY
#define MIXES(i) share[i]
#else
#define MIXES(i) (share[i] && SENDS(i))
#endif

inline mix(i)
{
    mixed[i]++;
    share[i] = false;
    got[i] = 0;
    next[i] = 0
}

inline write(from)
{
    k = written[from];
    written[from]++;
    l_step[LETTER] = step[from];
    l_mixed[LETTER] = mixed[from];
    l_part[LETTER] = next[from];
    if
    :: SENDS(from) && !share[from] -> l_kind[LETTER] = 1
    :: !SENDS(from) && share[from] -> l_kind[LETTER] = 2
    :: else -> l_kind[LETTER] = 0
    fi;
    next[from] = (next[from] + 1) % PARTS
}

inline read(i)
{
    l_read[LETTER] = true;
    if
    :: l_step[LETTER] + 1 > peer[i] -> /* a new key */
        assert(l_step[LETTER] == peer[i]);
        if
        :: l_mixed[LETTER] != mixed[i] ->
            assert(l_mixed[LETTER] == mixed[i] + 1 && share[i]);
            mix(i)
        :: else
        fi;
        peer[i]++;
        step[i]++;
        if
        :: MIXES(i) -> mix(i)
        :: else
        fi
    :: else /* of a chain that is known, or late */
    fi;
    if
    :: !share[i] && l_kind[LETTER] == (SENDS(i) -> 2 : 1) &&
       l_mixed[LETTER] == mixed[i] ->
        got[i] = got[i] | (1 << l_part[LETTER]);
        share[i] = (got[i] == (1 << PARTS) - 1)
    :: else
    fi
}

active proctype world()
{
    byte from, k;
    peer[1] = 1;
    do
    :: atomic {
            select(from : 0 .. 1);
            if
            :: written[from] < LETTERS && (from == 1 || peer[0] > 0) -> write(from)
            :: written[from] > 0 ->
                select(k : 0 .. (LETTERS - 1));
                if
                :: k < written[from] && !l_read[LETTER] -> read((1 - from))
                :: else
                fi
            :: else
            fi;
            from = 0;
            k = 0
        }
#ifdef REACHED
        assert(mixed[0] < REACHED || mixed[1] < REACHED)
#endif
    od
}
