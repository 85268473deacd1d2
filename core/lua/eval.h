/*
 * Inside of policy.h: what a generation and an evaluation consist of. For the files of this floor only.
 */
#ifndef MOONGATE_LUA_EVAL_H
#define MOONGATE_LUA_EVAL_H

#include "exchange/exchange.h"
#include "exchange/terms.h"
#include "lua/observe.h"
#include "lua/policy.h"
#include "lua/vm.h"

#define EVAL_STRANDS_MAX 9 /* the evaluation's own, and what together() runs at a time */

/* Registry: functions of scripts/, LUA_NOREF where no policy defines the hook. */
struct policy_entry {
    int run_ref, after_fault_ref;
};

/* A coroutine that ended well and is used again: making and collecting one is a tenth of what a request costs here. */
struct spare_strand {
    lua_State *co;
    int co_ref; /* registry */
};
#define EVAL_SPARES_MAX 16
#define EVAL_SESSION_HEADERS 8
#define EVAL_KEPT 3   /* facts that go into the decision when it is made: data, session, labels */
extern const char *const eval_kept_names[EVAL_KEPT];
#define EVAL_VIEWS 12 /* kinds of ctx and what hangs on it */

struct policy_set {
    unsigned refs;
    struct vm *vm;
    struct bundle *bundle;
    struct vm_limits limits;
    struct policy_entry entries[POLICY_PHASES];
    bool buffers;                /* some on_response wants streams whole */
    const struct bundle_file *remote_file; /* that wants records in PostgreSQL; NULL: none does … */
    int remote_line;                       /* … and where it stands there */
    struct spare_strand spares[EVAL_SPARES_MAX];
    size_t spare_count;
    int state_refs[EVAL_SPARES_MAX]; /* registry: places for tables of facts, nobody's at the moment */
    size_t state_ref_count;
    uint64_t serials;            /* evaluations begun; names views */
    struct policy_eval *running; /* whose slice it is; NULL between slices */
    uint64_t random;             /* math.random while loading */
    const struct policy_host *host; /* who will be asked; NULL: nobody counts, and simulations ask nobody */
    void *host_arg;
    struct policy_observer observer; /* of tests; usually nobody */
    int watched_ref;             /* registry: list of policies' names and tables, when observed */
    int64_t loaded_s;            /* wall clock: when it was ready */
    struct auth_rules *auth;     /* NULL: no auth policy in the chain */
    struct terms_table *terms;   /* what its targets cost, and how they are counted */
    char *governance;            /* JSON (store/governance.h); NULL until it is loaded */
    int use_ref;                 /* registry: use() of scripts/boot.lua */
    int view_refs[EVAL_VIEWS];   /* registry: metatables of views, 0: not asked for yet */
    int facts_ref;               /* registry: what makes an evaluation's table of facts */
    int kept_refs[EVAL_KEPT];    /* registry: names of facts that records have */
    char session_headers[EVAL_SESSION_HEADERS][32]; /* by which clients name one; "" ends them */
    bool keeps_state;            /* some policy remembers more than its request */
    /* while loading only */
    bool is_checked;
    const struct settings *settings;
    struct policy_errors *errors;
};

enum strand_state { STRAND_FREE, STRAND_READY, STRAND_WAITING, STRAND_JOINING, STRAND_ENDED };

/* One coroutine of an evaluation: its own first, further ones are children of together(). */
struct strand {
    enum strand_state state;
    lua_State *co;
    int co_ref; /* registry */
    struct strand *parent;
    unsigned children;         /* STRAND_JOINING: those that have not ended */
    unsigned turns;
    int order;                 /* among its siblings, from 1 */
    uint64_t ticket;           /* STRAND_WAITING: what it waits for */
    struct http_answer *reply; /* came for it, and was not taken yet; see calls.h */
    const struct counters_answer *counted; /* the same, of the counters; in the exchange's arena */
};

struct policy_eval {
    struct policy_set *set;
    struct exchange *x;
    struct policy_call how;
    struct policy_entry entry;
    struct verdict *answer; /* x->decision.verdict, or own_answer in the later phases */
    struct verdict *own_answer;
    struct vm_task task;
    uint64_t serial;
    uint64_t random;
    int state_ref; /* registry: its table of facts (scripts/facts.lua) */
    const struct redact_rules *detector; /* of the chain's redaction policy; NULL: nothing is looked for */
    struct strand strands[EVAL_STRANDS_MAX];
    struct strand *current; /* inside a slice */
    bool is_done;
    bool is_late;    /* a call was given up at the evaluation's own deadline */
    unsigned faults; /* policies that failed and were passed over */
    unsigned calls;  /* to services */
};

/* The two functions are references in the registry, and stay the caller's; how may be NULL for a bare request. */
void eval_init(struct policy_eval *eval, struct policy_set *set, struct exchange *x, const struct policy_entry *entry,
               const struct policy_call *how);
/* Gives up what the state holds of it and cancels its calls; never raises. */
void eval_clear(struct policy_eval *eval);
enum policy_step eval_step(struct policy_eval *eval);

/* One more coroutine with the function on top of L, which it takes: a child of the current one. NULL when there are
 * EVAL_STRANDS_MAX. May raise. */
struct strand *eval_add_child(lua_State *L, struct policy_eval *eval);
/* Its memory of the state goes, and its place. */
void eval_drop_strand(struct policy_eval *eval, struct strand *strand);

/* Runs fn (a lua_CFunction, arg as light userdata) in a fresh state as if it loaded the bundle, and drops the state. */
bool policy_set_run(struct bundle *bundle, struct policy_errors *errors, lua_CFunction fn, void *arg,
                    struct fault *why);

/* One more thing that is wrong; copies the texts. */
void policy_errors_add(struct policy_errors *errors, const struct policy_error *error);
void policy_errors_sort(struct policy_errors *errors);

#endif
