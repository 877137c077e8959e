/* sim/command/trial.h - how long a scenario will take, told from a small part
 * of it. */
#ifndef SIM_COMMAND_TRIAL_H
#define SIM_COMMAND_TRIAL_H
#include "sim/packets/packets.h"

/* Return the memory that a run of s will need, in bytes, about; p is its plan.
 */
double trial_memory(const struct scenario *s, const struct packets_plan *p,
                    bool real_crypto);

/* Return the seconds that a run of s will take on this machine, about: within a
 * factor of three. Some seconds are spent on trying, and little memory, however
 * large s is. NAN: the trial has failed, with *err and problem. */
double trial_seconds(const struct scenario *s, const struct packets_plan *p,
                     bool real_crypto, int *err,
                     struct scenario_problem *problem);
#endif
