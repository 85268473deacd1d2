/*
 * What the policies decided of one request: let it through to these targets in this order, or deny it.
 *
 * Filled by lua/ from the chain's answer, read by flow/. Slices live in the exchange's arena.
 */
#ifndef MOONGATE_EXCHANGE_VERDICT_H
#define MOONGATE_EXCHANGE_VERDICT_H

#include "base/limits.h"
#include "base/slice.h"

struct terms; /* exchange/terms.h */

/* Where a model runs: the provider account of moongate.lua, and the model name that this provider knows. */
struct target {
    struct slice name;     /* "openai/small": as policies and records spell it */
    struct slice provider; /* "openai" */
    struct slice model;    /* "small" */
    const struct terms *terms; /* the deciding generation's; NULL: it knows no such target */
};

enum verdict_kind {
    VERDICT_NONE,  /* not decided yet */
    VERDICT_ALLOW, /* targets[0 .. target_count) in order of preference, at least one unless the API calls nobody */
    VERDICT_DENY,
    VERDICT_FAULT, /* a policy raised, was stopped or timed out: 500 policy_error, details only in the record */
};

struct verdict {
    enum verdict_kind kind;
    struct target *targets; /* at most LIMIT_TARGETS */
    size_t target_count;
    struct slice model; /* the model's canonical name in models.lua, "small" for an alias or dated snapshot */

    int status;          /* of a denial: 4xx or 5xx */
    struct slice code;   /* "department_not_authorized" */
    struct slice reason; /* for people */
    struct slice policy, rule;
    uint32_t retry_after_s; /* 0: none */
    struct slice approval;  /* JSON: who may let him through, for how long, how to ask; empty: nobody is asked */

    /* VERDICT_FAULT: "policies/budget.lua:38: attempt to call …" for the record and the log, never for the client. */
    struct slice fault_text;
    /* Warnings of ctx:warn, for x-moongate-warning. */
    struct slice warnings[8];
    size_t warning_count;

    /* API_MODELS, API_MODEL: the names this caller may use, sorted. */
    struct slice *models;
    size_t model_count;
};

#endif
