/*
 * The admin API without its transport: one call, given whole, is answered whole.
 *
 *     struct api_call call;
 *     api_call_init(&call, api, &caller);
 *     if (api_begin(&call, &(struct api_ask){.method = SLICE("POST"), .path = SLICE("/people"), …}))
 *         api_run(&call, body);                         // what api_begin() refused is answered already
 *     … call.answer.status, call.answer.body …
 *     api_call_clear(&call);
 *
 * HTTP (admin/api/http.h) and commands that find no gateway running (cli/governing.h) call it alike, so that both meet
 * the same checks. Order: path, method, role, kind of body, then the body itself: a stranger's body is not read.
 * What is behind it may wait for the disk; it never waits for a peer.
 */
#ifndef MOONGATE_ADMIN_API_API_H
#define MOONGATE_ADMIN_API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/api/caller.h"
#include "base/arena.h"
#include "base/slice.h"

#define API_BASE "/admin/v1"
#define API_PARAMETERS_MAX 3

struct api_browser;
struct api_call;
struct api_checks;
struct api_route;
struct governance; /* store/governance.h */
struct json_t; /* jansson.h cannot be included beside wire/json.h */
struct provider_switches;
struct registry;

/* What calls work on; all borrowed. */
struct admin_api {
    struct registry *registry; /* NULL: it cannot be opened now … */
    const char *trouble;       /* … and why */
    const char *data_dir;      /* for the key that signs evidence */
    struct provider_switches *switches; /* NULL: no worker is to be told */
    const struct api_checks *checks; /* of the checklist (admin/api/checklist.h); NULL: nobody has the policies */
    /* Who must agree to what: of the policies in force, borrowed while the call lasts. It gives NULL where they are not
     * known now; NULL itself: nobody knows them. */
    const struct governance *(*rules)(void *rules_arg);
    void *rules_arg;
    const struct api_route *routes; /* NULL: api_routes */
};

/* What is asked. Slices are copied. */
struct api_ask {
    struct slice method;
    struct slice path; /* behind API_BASE, as it came */
    struct slice query;
    struct slice content_type; /* with a body */
    struct slice if_match, idempotency_key;
    bool has_body;
};

struct api_answer {
    int status;
    struct json_t *body;  /* NULL: none */
    struct slice text;    /* instead of it, in the call's arena … */
    const char *content_type; /* … and what it is; NULL: the body is JSON */
    int64_t rev;          /* of the object that is answered, its ETag; 0: it has none */
    const char *allow;    /* 405: the methods that are taken */
    unsigned retry_after_s; /* 429, 503; 0: nothing is said */
    struct slice cookie;  /* Set-Cookie; empty: none */
    bool has_changed;     /* who goes by the registry is to be told */
};

struct api_call {
    struct admin_api *api;
    const struct api_caller *by;
    const struct api_browser *browser; /* admin/api/session.h; NULL: a command calls */
    const struct api_route *route;
    struct arena arena; /* what the call needs until it is cleared */
    struct slice method, query, if_match, idempotency_key;
    struct slice parameters[API_PARAMETERS_MAX]; /* in the order of the path, decoded */
    struct json_t *body; /* checked by the route's fields; an empty object where none came */
    struct api_answer answer;
};

/* `by` NULL: nobody knows who asks. */
void api_call_init(struct api_call *call, struct admin_api *api, const struct api_caller *by);
void api_call_clear(struct api_call *call);
/* False: it is answered. */
bool api_begin(struct api_call *call, const struct api_ask *ask);
void api_run(struct api_call *call, struct slice body);

#endif
