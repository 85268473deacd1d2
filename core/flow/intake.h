/*
 * How much of requests this worker holds, for whom, and whether more may come: bodies and the indexes over them.
 *
 *     struct intake *intake = intake_new(key_bytes, worker_bytes);
 *     intake_join(intake, &hold, key->id);                     // the credential was good; empty: nobody asks for keys
 *     if (!intake_hold(&hold, bytes_now, &why)) … refuse …     // before the bytes are kept; less is always granted
 *     intake_leave(&hold);                                     // as often as one likes
 *     intake_free(intake);
 *
 * A request that is alone is granted whatever it needs, since limits.body bounds it: a cap below a single body would
 * refuse it for ever. Nothing is promised ahead: who has announced much and sends little holds little.
 */
#ifndef MOONGATE_FLOW_INTAKE_H
#define MOONGATE_FLOW_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

struct intake;

/* One request's part; all zeros: it has none. */
struct intake_hold {
    struct intake *intake;
    uint32_t holder;
    size_t bytes;
};

struct intake *intake_new(size_t key_bytes, size_t worker_bytes);
/* Every hold must have left. */
void intake_free(struct intake *intake);
void intake_set_limits(struct intake *intake, size_t key_bytes, size_t worker_bytes);

void intake_join(struct intake *intake, struct intake_hold *hold, struct slice key_id);
/* All that the request holds from now on. False: FAULT_KEY_FULL or FAULT_WORKER_FULL, and it holds what it held. */
bool intake_hold(struct intake_hold *hold, size_t bytes, struct fault *why);
void intake_leave(struct intake_hold *hold);

size_t intake_bytes(const struct intake *intake);
/* Keys that hold something, or may at any time. */
uint32_t intake_holders(const struct intake *intake);

#endif
