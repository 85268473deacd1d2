/*
 * A bundle on its way to be a generation of policies: it is loaded between the turns of a worker's loop.
 *
 *     struct loading *loading = loading_begin(&background, &order, on_loaded, worker);
 *     loading_cancel(loading);        // nobody wants it any more: on_loaded does not come
 *
 *     loading_watch_dead(&background);  // from now on generations are freed that way too
 *
 * Never holds the loop for longer than a slice of the background (net/background.h).
 */
#ifndef MOONGATE_SERVER_LOADING_H
#define MOONGATE_SERVER_LOADING_H

#include <stdint.h>

#include "exchange/settings.h"
#include "lua/policy.h"
#include "net/background.h"
#include "server/report.h"

struct loading;

struct loading_order {
    uint64_t number;
    struct slice bytes;        /* mapped by pipe_memfd_map(); taken */
    struct settings *settings; /* a reference is held until the end */
};

struct loading_result {
    uint64_t number;
    struct policy_set *policies; /* the callee's; NULL: the report says why */
    struct report *report;       /* borrowed until the return */
};

typedef void (*loaded_fn)(void *arg, const struct loading_result *result);

/* on_loaded comes once, from a later turn of the loop; after it the loading is gone. */
struct loading *loading_begin(struct background *background, const struct loading_order *order, loaded_fn on_loaded,
                              void *arg);
/* At any time before on_loaded; what was done so far is given back in later turns. NULL is welcome. */
void loading_cancel(struct loading *loading);

/* Generations whose last reference goes are freed in slices; NULL: at once, as ever. */
void loading_watch_dead(struct background *background);

#endif
