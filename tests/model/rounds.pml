/* tests/model/rounds.pml - do f + 1 rounds give all honest authorities the same
 * votes of a lying author? (directory/rounds.h)
 *
 * FAULTS liars work together, one of them is the author of up to VALUES
 * different votes; HONEST others. Signatures of honest ones that have passed a
 * vote on are known to the liars, so for a vote they can show FAULTS + (honest
 * ones that count it) signatures, to whom and when they like. An honest one whose
 * clock is in round r counts a vote shown with r signatures, unless two count
 * already. What it counts it passes on, with one signature more, and that
 * reaches each other honest one before his clock leaves the round after: clocks
 * differ by less than a round, with the time a message takes.
 *
 * Votes of honest authors need no model: nobody else can sign them.
 *
 * Reduced: messages are not queued one by one; a message that may arrive at any
 * time up to a deadline is the choice of any moment before it. The alphabet is
 * VALUES votes; three are all that can differ, since two exclude the author. */
#ifndef HONEST
#define HONEST 3
#endif
#ifndef FAULTS
#define FAULTS 1
#endif
#ifndef VALUES
#define VALUES 3
#endif
#ifndef ROUNDS
#define ROUNDS (FAULTS + 1)
#endif
#define AT(i, v) ((i) * VALUES + (v))

byte clock[HONEST] = 1;             /* ROUNDS + 1: over */
byte counted_in[HONEST * VALUES];   /* the round, 0: it does not count */
byte counted[HONEST];               /* so many votes */
byte signatures[VALUES] = FAULTS;   /* that the liars can show */
byte done;

/* Everything that had to reach i by the end of its round is there. */
inline may_leave_round(i, yes)
{
    d_step {
        yes = 1;
        j = 0;
        do
        :: j < HONEST ->
            if
            :: clock[j] < clock[i] -> yes = 0 /* clocks: less than a round */
            :: else
            fi;
            v = 0;
            do
            :: v < VALUES ->
                if
                :: counted_in[AT(j, v)] > 0 &&
                       counted_in[AT(j, v)] < clock[i] &&
                       counted_in[AT(i, v)] == 0 && counted[i] < 2 ->
                    yes = 0
                :: else
                fi;
                v++
            :: else -> break
            od;
            j++
        :: else -> break
        od
    }
}

/* Two outcomes are the same: none, the same single one, or more than one. */
inline check_outcomes()
{
    d_step {
        i = 1;
        do
        :: i < HONEST ->
            assert(counted[i] == counted[0]);
            v = 0;
            do
            :: v < VALUES ->
                assert(counted[0] != 1 || (counted_in[AT(i, v)] > 0) ==
                                              (counted_in[AT(0, v)] > 0));
                v++
            :: else -> break
            od;
            i++
        :: else -> break
        od
    }
}

active proctype world()
{
    byte i, j, v, k, yes;
    do
    :: done < HONEST ->
        atomic {
            select(k : 0 .. (HONEST * (VALUES + 1) - 1));
            i = k / (VALUES + 1);
            k = k % (VALUES + 1);
            if
            :: clock[i] <= ROUNDS && k < VALUES &&
                   counted_in[AT(i, k)] == 0 && counted[i] < 2 &&
                   signatures[k] >= clock[i] ->
                counted_in[AT(i, k)] = clock[i];
                counted[i]++;
                signatures[k]++
            :: clock[i] <= ROUNDS && k == VALUES ->
                may_leave_round(i, yes);
                if
                :: yes ->
                    clock[i]++;
                    if
                    :: clock[i] > ROUNDS -> done++
                    :: else
                    fi
                :: else
                fi
            :: else
            fi;
            i = 0; j = 0; v = 0; k = 0; yes = 0
        }
    :: else -> break
    od;
    check_outcomes()
}
