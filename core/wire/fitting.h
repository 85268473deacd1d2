/*
 * A body of OpenAI's API, made to fit a server that speaks less of it: members that it rejects are taken out and named,
 * those that it calls otherwise have its names. All else stays byte for byte.
 *
 *     struct fitting fitting = {.rejects = SLICE("store\ntools.strict"), .renames = SLICE("seed\trandom_seed")};
 *     if (fitting_touches(&fitting, &tape)) …
 *     fitting_edit(&fitting, &edits, &dropped);
 *
 * rejects, a line each: "store" a member of the root; "messages.name" a member of each element, also of the object
 * "function" in it; "response_format.json_schema" the whole member where its type is that, or what it has of that name.
 * "n" is not rejected where it is 1, which all servers do anyway.
 * renames: the old name, a tab, the new one; "role.developer\tsystem" is about the role of messages. What
 * stands under the new name already gives way, and is named unless it says the same. Only where the root is an object.
 * No state.
 */
#ifndef MOONGATE_WIRE_FITTING_H
#define MOONGATE_WIRE_FITTING_H

#include <stdbool.h>

#include "wire/splice.h"
#include "wire/translate/dropped.h"

struct fitting {
    struct slice rejects, renames; /* either may be empty */
};

static inline bool fitting_is_empty(const struct fitting *f)
{
    return !f->rejects.len && !f->renames.len;
}
/* Is there anything of that in it? */
bool fitting_touches(const struct fitting *f, const struct json_tape *tape);
/* Edits of the tape's body that no others cross. */
void fitting_edit(const struct fitting *f, struct splice *edits, struct dropped *dropped);

#endif
