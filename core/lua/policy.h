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
 *     policy_eval_free(eval);                              // x->decision.verdict says what was decided
 *
 *     if (policy_has(set, PHASE_ATTEMPT)) eval = policy_begin(set, x, &how); … policy_eval_answer(eval)
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
#include "base/finding.h"
#include "base/slice.h"
#include "exchange/exchange.h"
#include "exchange/settings.h"
#include "exchange/terms.h"
#include "lua/bundle.h"
#include "lua/host.h"

struct policy_set;
struct policy_eval;

/* One thing that is wrong with a bundle. */
struct policy_error {
    enum finding finding;
    struct slice file; /* "policies/routing.lua" */
    int line, column;  /* 0: unknown; both count from 1 */
    struct slice text; /* "rules[1].when.max_latency: unknown condition 'max_latency'" */
    struct slice hint; /* "did you mean 'max_latency_ms'?"; may be empty */
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
 * On a fiber loading rests when a slice is over, and ends soon with NULL once that is cancelled.
 * Loads init.lua, models.lua, apps.lua and every policy of the chain under the limits, checks schema and
 * cross-references, runs each file's examples, and collects everything that is wrong. NULL when there is an error;
 * warnings come either way. A reference of the bundle is kept.
 * settings gives limits and the providers that targets must name; NULL: the default limits, and any provider will do.
 */
struct policy_set *policy_set_load(struct bundle *bundle, const struct settings *settings,
                                   struct policy_errors *errors);
/* Does what each process would do at its first load, compiling scripts/ above all: for one that forks others. */
void policy_warm(void);

struct policy_observer; /* lua/observe.h */

/* What a generation is loaded for; every member may be NULL. */
struct policy_load {
    const struct settings *settings; /* borrowed while loading */
    /* Who will be asked: where it counts nothing, policies that want counting are warned of. Requests made up inside
     * (core.simulate) peek at its counters, which must answer at once then. Outlives the set. */
    const struct policy_host *host;
    void *host_arg;
    const struct policy_observer *observer; /* of tests; copied */
    /* The same bytes were loaded with the same settings before, by who told what is to be said of them: no warnings of
     * habits, no examples. */
    bool is_checked;
};
struct policy_set *policy_set_load_for(struct bundle *bundle, const struct policy_load *load,
                                       struct policy_errors *errors);

struct policy_set *policy_set_ref(struct policy_set *set);
void policy_set_unref(struct policy_set *set); /* NULL is welcome */
/* To free a large generation takes long: whoever must not stall is given each one whose last reference has gone, and
 * calls policy_set_free_dead() on a fiber (base/fiber.h), where it rests. fn NULL: they are freed at once. */
void policy_on_dead(void (*fn)(void *arg, struct policy_set *set), void *arg);
void policy_set_free_dead(struct policy_set *set);

const char *policy_set_digest(const struct policy_set *set); /* the bundle's, 64 hex digits */
size_t policy_set_memory(const struct policy_set *set);      /* bytes of its Lua heap now */
/* Since when its models are offered, in seconds since 1970. */
int64_t policy_set_loaded_s(const struct policy_set *set);
/* What its auth policy says about credentials; NULL when it has none. Valid while the set is held. */
const struct auth_rules *policy_set_auth(const struct policy_set *set);
/* What its targets cost, how they are counted. Never NULL; valid while the set is held. */
const struct terms_table *policy_set_terms(const struct policy_set *set);
/* Its rules of governance, for governance_read() of store/governance.h. Valid while the set is held. */
struct slice policy_set_governance(const struct policy_set *set);
/* Generations in this process that something still holds; refuse a reload at LIMIT_POLICY_GENERATIONS. */
size_t policy_live_generations(void);

/* When policies are asked. */
enum policy_phase {
    PHASE_REQUEST,  /* rules and on_request: decides, into x->decision.verdict */
    PHASE_ATTEMPT,  /* on_attempt: may x->decision.verdict.targets[x->target_index] be called? */
    PHASE_DELTA,    /* on_delta: may this text of a stream go out? No I/O */
    PHASE_RESPONSE, /* on_response: the answer is complete; may it go out? */
    PHASE_DONE,     /* on_done: all is over */
};
#define POLICY_PHASES (PHASE_DONE + 1)

/* Does any policy define the phase's hook? Where none does, nothing need be prepared for it. PHASE_REQUEST: always. */
bool policy_has(const struct policy_set *set, enum policy_phase phase);
/* Does a policy want streams whole before its on_response, so that it can still refuse them? */
bool policy_buffers(const struct policy_set *set);
/* Some rule or hook wants records in PostgreSQL: the first of them, by its file in the folder. */
bool policy_wants_remote(const struct policy_set *set, struct slice *path, int *line);

enum policy_step {
    POLICY_DONE,    /* x->decision and x->identity are filled; of later phases policy_eval_answer() */
    POLICY_MORE,    /* the slice is over: step again in a later turn of the loop */
    POLICY_WAITING, /* for an answer from outside: step again when on_ready was called */
};

/* What one evaluation is about. */
struct policy_call {
    enum policy_phase phase;
    struct slice delta;              /* PHASE_DELTA: the text; borrowed */
    bool is_sent;                    /* PHASE_RESPONSE: the client has the answer, a denial comes too late */
    bool is_rehearsal;               /* nothing comes of it: counters are peeked at, nobody is told anything */
    const struct settings *settings; /* egress; NULL: there is none to ask. Borrowed */
    const struct policy_host *host;  /* NULL: no services. Borrowed */
    void *host_arg;
    void (*on_ready)(void *arg); /* an evaluation that waited can be stepped again; must not step it itself */
    void *arg;
};

/*
 * Begins to decide one exchange; never NULL. x is borrowed until policy_eval_free. Expected to be filled before:
 * api, head, request (parsed body), model_path, key, key_presented, born_wall_ns. Nothing runs before the first step.
 * Later phases also expect decision, target_index, attempts, response and outcome as far as they are known.
 *
 * PHASE_REQUEST fills x->decision, what the auth policy settles of x->identity, and x->estimate.
 * API_MODELS, API_MODEL: ALLOW with verdict.models (what this key may use), or for API_MODEL 404 model_not_found.
 * API_OBJECT: the same, or a denial where it may use none, where a limit of requests is reached, or where answers are
 * masked, which no policy would see of one that is fetched. API_LIST: the same, masks or not: ids have no texts.
 */
struct policy_eval *policy_begin(struct policy_set *set, struct exchange *x, const struct policy_call *how);
/* PHASE_REQUEST, of whom the set was loaded for. */
struct policy_eval *policy_decide(struct policy_set *set, struct exchange *x);
enum policy_step policy_eval_step(struct policy_eval *eval);
/* Milliseconds until the evaluation has taken as long as it may; 0: it has, a step will stop it. */
uint32_t policy_eval_left_ms(const struct policy_eval *eval);
/* At any time: before POLICY_DONE this cancels, what is suspended is dropped and never resumed, and calls under way are
 * cancelled. NULL is welcome. */
void policy_eval_free(struct policy_eval *eval);

/* The word of a later phase: VERDICT_ALLOW, _DENY or _FAULT; targets and models are empty. Valid until the eval goes,
 * its slices as long as the exchange. */
const struct verdict *policy_eval_answer(const struct policy_eval *eval);

#endif
