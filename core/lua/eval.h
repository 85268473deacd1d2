/*
 * Inside of policy.h: what a generation and an evaluation consist of. For the files of this floor only.
 */
#ifndef MOONGATE_LUA_EVAL_H
#define MOONGATE_LUA_EVAL_H

#include "exchange/exchange.h"
#include "lua/policy.h"
#include "lua/vm.h"

struct policy_set {
    unsigned refs;
    struct vm *vm;
    struct bundle *bundle;
    struct vm_limits limits;
    int decide_ref, after_fault_ref; /* registry: functions of scripts/chain.lua */
    uint64_t serials;                /* evaluations begun; names views */
    struct policy_eval *running;     /* whose slice it is; NULL between slices */
    uint64_t random;                 /* math.random while loading */
    struct watch *watch;             /* of tests; usually NULL */
    int watched_ref;                 /* registry: list of policies' names and tables, when watched */
    /* while loading only */
    const struct settings *settings;
    struct policy_errors *errors;
};

struct policy_eval {
    struct policy_set *set;
    struct exchange *x;
    struct vm_task task;
    uint64_t serial;
    uint64_t random;
    lua_State *co;                   /* NULL before the first step */
    int decide_ref, after_fault_ref; /* registry: functions of scripts/chain.lua */
    int co_ref, state_ref;           /* registry: the coroutine, and its table of facts (scripts/facts.lua) */
    bool is_done;
    unsigned faults;    /* policies that failed and were passed over */
    struct pair *added; /* identity that enrich() added, beside user, app, department, team */
    size_t added_count;
    size_t annotation_bytes;
};

/* The two functions are references in the registry, and stay the caller's. */
void eval_init(struct policy_eval *eval, struct policy_set *set, struct exchange *x, int decide_ref,
               int after_fault_ref);
/* Gives up what the state holds of it; never raises. */
void eval_clear(struct policy_eval *eval);
enum policy_step eval_step(struct policy_eval *eval);

/* One more thing that is wrong; copies the texts. */
void policy_errors_add(struct policy_errors *errors, const struct policy_error *error);
void policy_errors_sort(struct policy_errors *errors);

#endif
