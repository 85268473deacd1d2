/*
 * Which provider accounts somebody has switched off, in memory that the processes of a gateway share: what the admin
 * process reads in the registry (store/registry/switches.h), and workers look at before each call.
 *
 *     provider_switches_set(all, name, &(struct provider_switch){.is_off = true, .until_s = 0, .is_cut = true});
 *     struct provider_switch s = provider_switches_get(all, name);      // any process
 *     if (provider_switch_is_off(&s, now_s)) …                          // its targets are passed over
 *     if (provider_switches_cuts(all)) …                                // what runs at some is to be ended
 *
 * One writer. All that is said of an account is one word: nobody waits, and nobody sees half. A switch that is thrown
 * back keeps its place; there is room for PROVIDER_SWITCHES_SLOTS names ever thrown. Of two accounts the names' hashes
 * differ (64 bits); they are the operator's. Zeroed memory: all are on.
 */
#ifndef MOONGATE_STORE_PROVIDER_SWITCHES_H
#define MOONGATE_STORE_PROVIDER_SWITCHES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/slice.h"

#define PROVIDER_SWITCHES_SLOTS (2 * LIMIT_PROVIDERS)

struct provider_switches_slot {
    _Atomic uint64_t key;  /* the name's hash; 0: nobody's yet */
    _Atomic uint64_t word; /* off, cut, and until when */
};

struct provider_switches {
    struct provider_switches_slot slots[PROVIDER_SWITCHES_SLOTS];
    _Atomic uint32_t cuts; /* how many are off whose calls are to end */
};

struct provider_switch {
    bool is_off;
    bool is_cut;     /* and what runs there is ended */
    int64_t until_s; /* seconds since 1970; 0: until it is thrown back */
};

/* False: there is no room. */
bool provider_switches_set(struct provider_switches *all, struct slice name, const struct provider_switch *to);
/* NULL `all`: it is on. */
struct provider_switch provider_switches_get(const struct provider_switches *all, struct slice name);
bool provider_switch_is_off(const struct provider_switch *s, int64_t now_s);
bool provider_switches_cuts(const struct provider_switches *all);

#endif
