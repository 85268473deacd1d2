/*
 * What the checklist's files share: a script of the policies' state, asked from beside jansson.
 */
#ifndef MOONGATE_ADMIN_CHECKLIST_CHECKLIST_INNER_H
#define MOONGATE_ADMIN_CHECKLIST_CHECKLIST_INNER_H

#include "base/buf.h"
#include "base/fault.h"

struct policy_set;

/* As policy_set_ask(). */
bool checklist_ask(struct policy_set *set, const char *script, struct slice question, struct buf *answer, int *code,
                   struct fault *why);

#endif
