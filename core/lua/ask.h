/*
 * Questions about a generation of policies, answered by a script inside its own state: what the commands `explain` and
 * `diff` do. Nothing of it is on a request's way.
 *
 *     struct buf answer;
 *     int code;
 *     if (policy_set_ask(set, "explain", SLICE("{\"flags\":{\"model\":\"auto\"}}"), &answer, &code, &why)) ...
 *
 * scripts/<name>.lua gives a function; it gets the question as a table and returns a text and a number. The script may
 * decide made-up requests with the real engine (core.simulate), under the limits that hold for requests.
 */
#ifndef MOONGATE_LUA_ASK_H
#define MOONGATE_LUA_ASK_H

#include "base/buf.h"
#include "base/fault.h"
#include "lua/policy.h"

/* question: one JSON value. Appends the answer and sets *code; false and *why when the script failed. */
bool policy_set_ask(struct policy_set *set, const char *script, struct slice question, struct buf *answer, int *code,
                    struct fault *why);

/* The same, and what the script reports goes into errors. */
bool policy_set_ask_all(struct policy_set *set, const char *script, struct slice question, struct policy_errors *errors,
                        struct buf *answer, int *code, struct fault *why);

#endif
