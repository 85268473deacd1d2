/*
 * What the registry can tell of how it is governed, for the checklist (admin/checklist), and what is noted there for it
 * without anything being changed: that the ledger was verified, a backup made, a restore tried.
 *
 *     json_t *facts = registry_evidence(r, since_s, now_s, &why);       // of one moment; NULL and *why
 *     registry_note(r, &by, "audit.verify", SLICE("ledger"), json_pack("{s:s}", "state", "intact"), &why);
 *
 * A note is an event as each change has one, so that the ledger gets it too. Sums are of all rows, names of a few:
 * EVIDENCE_SAMPLE at most. Lists hold what people make by hand: roles, reviews, prompts in production, break-glass;
 * EVIDENCE_LISTED of each at most.
 */
#ifndef MOONGATE_STORE_REGISTRY_EVIDENCE_H
#define MOONGATE_STORE_REGISTRY_EVIDENCE_H

#include "store/registry/registry.h"

#define EVIDENCE_SAMPLE 5
#define EVIDENCE_LISTED 10000

/* A new object:
 *     keys     {"live", "unowned", "endless", "sample": [ids]}           endless: no end, or one after a year
 *     leavers  {"disabled", "left", "sample": [ids]}                     left: live keys and grants of disabled people
 *     roles    [{"person", "who", "role", "scope", "kind"}]              that count now; who: as whom he counts
 *     glass    [{"id", "ends_at", "closed_at"}]                          break-glass since; closed_at 0: it is not
 *     prompts  [{"name", "status", "reviews", "passed", "failed", "ran_at"}]   in production
 *     reviews  [{"id", "plan", "opened_at", "due_at", "is_done"}]        the newest first
 *     delivered  {"sink": seconds since 1970}                            when each took a notice last
 *     revokes_waiting  n                                                 decided, and not in force
 *     events   [{"action", "object", "at", "actor", "after"}]            the newest of each that the checklist goes by
 */
struct json_t *registry_evidence(struct registry *r, int64_t since_s, int64_t now_s, struct fault *why);
/* Takes `after`. */
bool registry_note(struct registry *r, const struct change_by *by, const char *action, struct slice object,
                   struct json_t *after, struct fault *why);

#endif
