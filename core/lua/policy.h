/*
 * One generation of policies: a bundle loaded into a Lua state of its own, and the decisions it takes.
 *
 *     struct policy_errors errors;
 *     policy_errors_init(&errors);
 *     struct policy_set *set = policy_set_load(bundle, settings, &errors); // NULL: the errors say all that is wrong
 *     policy_errors_print(&errors, bundle, &out);
 *
 *     struct policy_eval *eval = policy_decide(set, x);
 *     while (policy_eval_step(eval) == POLICY_MORE) ...;   // each further step in a later turn of the loop
 *     policy_eval_free(eval);                              // x->verdict says what was decided
 *
 * A generation lives until its last reference goes: each evaluation holds one, and who serves the exchange should hold
 * one to its end. Single-threaded; nothing here blocks, reads a file or opens a connection.
 *
 * What policies can do wrong ends with them: a raise, an endless loop, a memory bomb or a passed deadline stops that
 * evaluation with VERDICT_FAULT. Limits: settings->policy_bytecodes, policy_cpu_ms, policy_deadline_ms, and
 * LIMIT_POLICY_EVAL_BYTES, LIMIT_POLICY_STATE_BYTES, LIMIT_POLICY_STACK_BYTES.
 */
#ifndef MOONGATE_LUA_POLICY_H
#define MOONGATE_LUA_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "exchange/exchange.h"
#include "exchange/settings.h"
#include "lua/bundle.h"

struct policy_set;
struct watch;
struct policy_eval;

/* One thing that is wrong with a bundle. */
struct policy_error {
    struct slice file; /* "policies/routing.lua" */
    int line, column;  /* 0: unknown; both count from 1 */
    struct slice text; /* "rules[1].when.max_latency: unknown condition 'max_latency'" */
    struct slice hint; /* "did you mean 'max_latency_ms'?"; may be empty */
    bool is_warning;   /* does not keep the bundle from loading */
};

struct policy_errors {
    struct policy_error *items; /* sorted by file, line, column */
    size_t count, cap;
    size_t error_count; /* those that are no warnings */
    struct arena arena;
};

void policy_errors_init(struct policy_errors *errors);
void policy_errors_clear(struct policy_errors *errors);
/* "policies/routing.lua:4:17: text (hint)" a line each, and under each the source line with a caret when the bundle is
 * given and knows the place. */
void policy_errors_print(const struct policy_errors *errors, const struct bundle *bundle, struct buf *out);

/*
 * Loads init.lua, models.lua, apps.lua and every policy of the chain under the limits, checks schema and
 * cross-references, runs each file's examples, and collects everything that is wrong. NULL when there is an error;
 * warnings come either way. A reference of the bundle is kept.
 * settings gives limits and the providers that targets must name; NULL: the default limits, and any provider will do.
 */
struct policy_set *policy_set_load(struct bundle *bundle, const struct settings *settings,
                                   struct policy_errors *errors);
/* The same for tests: `watch` (lua/watch.h) outlives the set. */
struct policy_set *policy_set_load_watched(struct bundle *bundle, const struct settings *settings, struct watch *watch,
                                           struct policy_errors *errors);
struct policy_set *policy_set_ref(struct policy_set *set);
void policy_set_unref(struct policy_set *set); /* NULL is welcome */

const char *policy_set_digest(const struct policy_set *set); /* the bundle's, 64 hex digits */
size_t policy_set_memory(const struct policy_set *set);      /* bytes of its Lua heap now */
/* Generations in this process that something still holds; refuse a reload at LIMIT_POLICY_GENERATIONS. */
size_t policy_live_generations(void);

enum policy_step {
    POLICY_DONE, /* x->verdict, trace, annotations and identity are filled */
    POLICY_MORE, /* the slice is over: step again in a later turn of the loop */
};

/*
 * Begins to decide one exchange; never NULL. x is borrowed until policy_eval_free. Expected to be filled before:
 * api, head, request (parsed body), model_path, key, key_presented, born_wall_ns. Nothing runs before the first step.
 *
 * Fills x->verdict, trace, annotations, app/department/user/team, the estimates and policy_digest.
 * API_MODELS, API_MODEL: ALLOW with verdict.models (what this key may use), or for API_MODEL 404 model_not_found.
 */
struct policy_eval *policy_decide(struct policy_set *set, struct exchange *x);
enum policy_step policy_eval_step(struct policy_eval *eval);
/* At any time: before POLICY_DONE this cancels, what is suspended is dropped and never resumed. NULL is welcome. */
void policy_eval_free(struct policy_eval *eval);

#endif
