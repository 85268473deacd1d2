/*
 * What the admin API's calls ask of the registry beside what they change: was this one made before, and whose fault is
 * it that it failed.
 *
 *     struct call_before before;
 *     if (!registry_call_begin(r, &(struct call_name){key, person, digest}, now_s, &before, &why)) …
 *     if (before.state == CALL_NEW) … registry_call_end(r, &name, answer, &why);      // or registry_call_forget()
 *
 * A call is known by its Idempotency-Key and who makes it, for LIMIT_CALL_KEPT_S; its digest tells another body. The
 * claim is committed before the change and the answer after it: who dies in between leaves one that nobody can answer
 * (CALL_OPEN), and not a change that is made twice. Answers are kept without secrets: that is the caller's to see to.
 */
#ifndef MOONGATE_STORE_REGISTRY_CALLS_H
#define MOONGATE_STORE_REGISTRY_CALLS_H

#include "base/arena.h"
#include "store/registry/registry.h"

#define LIMIT_CALL_KEPT_S 86400

struct call_name {
    struct slice key, person, digest;
};

enum call_state { CALL_NEW, CALL_DONE, CALL_OTHER_BODY, CALL_OPEN };

struct call_before {
    enum call_state state;
    struct slice answer; /* CALL_DONE: as registry_call_end() was given it, in the arena */
};

bool registry_call_begin(struct registry *r, const struct call_name *name, int64_t now_s, struct arena *arena,
                         struct call_before *before, struct fault *why);
bool registry_call_end(struct registry *r, const struct call_name *name, struct slice answer, struct fault *why);
/* It changed nothing: the next may try again. */
bool registry_call_forget(struct registry *r, const struct call_name *name, struct fault *why);

/* Of the last change, by whomever. */
bool registry_revision(struct registry *r, int64_t *rev, struct fault *why);
/* Of the last failure: the database's own, and not of what was asked. */
bool registry_is_trouble(const struct registry *r, const struct fault *why);

#endif
