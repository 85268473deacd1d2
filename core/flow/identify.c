#include "flow/identify.h"

#include "base/clock.h"
#include "base/limits.h"
#include "flow/metrics.h"
#include "wire/http.h"

/* "Bearer" and one or more spaces (RFC 6750 2.1; the scheme's case does not matter, RFC 9110 11.1). */
static struct slice bearer_token(struct slice authorization)
{
    struct slice rest;
    struct slice scheme = slice_split(authorization, ' ', &rest);
    return slice_iequal(scheme, SLICE("Bearer")) ? slice_trim(rest) : SLICE_NONE;
}

/* What that API's clients may write into the query instead (Google's ?key=). Of two the first counts. */
static struct slice key_in_query(struct exchange *x)
{
    struct slice rest = x->head.query, wanted = x->api->client->key_parameter, key;
    while (rest.len) {
        struct slice value, name = slice_split(slice_split(rest, '&', &rest), '=', &value);
        bool is_read = slice_equal(name, wanted) && http_decode_segment(&x->arena, value, &key);
        if (is_read) return key;
    }
    return SLICE_NONE;
}

static bool is_in_query(struct exchange *x, struct slice header)
{
    const struct dialect *client = x->api->client;
    return client->key_parameter.len && slice_iequal(header, client->key_header.name) && key_in_query(x).len > 0;
}

/* The bare credential in the first of the headers that has one; in *name which that was. */
static struct slice find_credential(struct exchange *x, const struct slice *headers, size_t count,
                                    struct slice *name)
{
    for (size_t i = 0; i < count; i++) {
        struct slice value = slice_trim(exchange_header(x, headers[i]));
        struct slice bearer = bearer_token(value);
        bool is_authorization = slice_iequal(headers[i], SLICE("authorization"));
        *name = headers[i];
        if (bearer.len) return bearer;
        if (value.len && !is_authorization) return value; /* other headers hold it bare, as their clients send it */
    }
    for (size_t i = 0; i < count; i++) {
        *name = headers[i];
        if (is_in_query(x, headers[i])) return key_in_query(x);
    }
    return SLICE_NONE;
}

/* ---- Keys. */

/* Without an auth policy nobody asks, and records still say whose key it was. */
static const struct slice default_headers[] = {
    {"authorization", 13}, {"x-api-key", 9}, {"api-key", 7}, {"x-goog-api-key", 14}};
#define DEFAULT_HEADERS (sizeof default_headers / sizeof default_headers[0])

/* Nobody has said for too long that its owner is still there: it has ended then. */
static const struct key_record *as_confirmed(struct exchange *x, const struct key_record *key, uint64_t confirm_ns)
{
    uint64_t end = key ? key_record_end(key, confirm_ns) : 0;
    if (!key || end == key->expires_wall_ns) return key;
    struct key_record *lapsing = arena_alloc(&x->arena, sizeof *lapsing);
    *lapsing = *key;
    lapsing->expires_wall_ns = end;
    return lapsing;
}

static void take_key(struct exchange *x, const struct auth_rules *rules)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    struct slice name, key;
    if (rules)
        key = find_credential(x, rules->key_headers, rules->key_header_count, &name);
    else
        key = find_credential(x, default_headers, DEFAULT_HEADERS, &name);
    if (!key.len) return;
    x->identity.key_presented = true;
    x->identity.credential_header = arena_copy(&x->arena, name);
    keyring_digest(key, digest);
    x->identity.key = as_confirmed(x, keyring_find(x->identity.keyring, digest), rules ? rules->confirm_ns : 0);
}

/* ---- Tokens. */

static struct slice find_token(struct exchange *x, const struct auth_rules *rules, struct slice *name)
{
    if (!rules || rules->issuer_count == 0) return SLICE_NONE;
    struct slice text = find_credential(x, rules->token_headers, rules->token_header_count, name);
    return jwt_looks_like(text) ? text : SLICE_NONE;
}

/* Would other keys make a difference? */
static bool is_for_want_of_keys(const struct token_answer *answer)
{
    bool is_fetched = answer->issuer && answer->issuer->url.len;
    return is_fetched && (answer->refusal == JWT_NO_KEYS || answer->refusal == JWT_UNKNOWN_KEY);
}

static void wait_over(void *arg)
{
    identify_again(arg);
}

static void cancel(struct job *job)
{
    if (list_is_empty(&job->wait.link)) return;
    list_remove(&job->wait.link);
    loop_timer_disarm(&job->timer);
    job->flow->waiting_count--;
}

/* True: identify_again() comes, with the issuer's answer or without it. */
static bool wait_for_keys(struct job *job, struct slice url)
{
    struct flow *flow = job->flow;
    if (job->wait.has_waited || flow->waiting_count >= LIMIT_JWKS_WAITERS || !flow->parts.want_keys) return false;
    switch (keysets_ask(flow->parts.keysets, url, clock_mono_ns())) {
    case KEYSETS_NO: return false;
    case KEYSETS_ASK: flow->parts.want_keys(flow->parts.want_keys_arg, url); break;
    case KEYSETS_WAIT: break;
    }
    job->wait.has_waited = true;
    flow->waiting_count++;
    list_append(&flow->waiting, &job->wait.link);
    job->stop = cancel;
    loop_timer_init(&job->timer, flow->parts.loop, wait_over, job);
    loop_timer_arm_ms(&job->timer, LIMIT_JWKS_WAIT_MS);
    return true;
}

static void keep_answer(struct job *job, struct token_answer *answer)
{
    struct exchange *x = job->x;
    struct flow *flow = job->flow;
    x->identity.token_refusal = answer->refusal;
    /* While an issuer cannot be asked, an unknown key may be a new one: that is our failure, not the caller's. */
    if (answer->refusal == JWT_UNKNOWN_KEY && answer->issuer->url.len &&
        keysets_is_failing(flow->parts.keysets, answer->issuer->url)) {
        x->identity.token_refusal = JWT_NO_KEYS;
    }
    if (answer->issuer) x->identity.token_issuer = arena_copy(&x->arena, answer->issuer->token.issuer);
    x->identity.token_claim = arena_copy(&x->arena, answer->claim);
    struct slice subject = answer->token ? token_record(answer->token)->subject : SLICE_NONE;
    if (subject.len && people_is_disabled(x->people, x->identity.token_issuer, subject)) {
        x->identity.token_refusal = JWT_DISABLED;
        token_unref(answer->token);
        return;
    }
    x->identity.token = answer->token;
    if (answer->token) x->identity.key = token_record(answer->token);
}

/* False: the request waits. */
static bool take_token(struct job *job, const struct auth_rules *rules, struct slice text, struct slice name)
{
    struct exchange *x = job->x;
    struct token_answer answer;
    /* What a generation on its way out verifies must not be found by its successor,
     * whose claims may mean other things. */
    struct tokens *cache = job->policies == job->flow->parts.policies ? job->flow->tokens : NULL;
    tokens_judge(cache, rules, job->flow->parts.keysets, text, clock_wall_ns(), &answer);
    if (is_for_want_of_keys(&answer) && wait_for_keys(job, answer.issuer->url)) return false;
    x->identity.token_presented = true;
    x->identity.credential_header = arena_copy(&x->arena, name);
    keep_answer(job, &answer);
    return true;
}

/* ---- The step. */

static void count_failure(struct job *job, const struct auth_rules *rules)
{
    const struct identity *id = &job->x->identity;
    if (!rules) return;
    if (id->token_presented) {
        if (id->token_refusal != JWT_GOOD)
            metrics_auth_failed(job->flow->metrics, slice_str(jwt_refusal_word(id->token_refusal)));
    } else if (!id->key) {
        metrics_auth_failed(job->flow->metrics, id->key_presented ? SLICE("key_unknown") : SLICE("missing"));
    } else if (!key_record_is_live(id->key, job->x->born_wall_ns)) {
        metrics_auth_failed(job->flow->metrics, id->key->is_revoked ? SLICE("key_revoked") : SLICE("key_expired"));
    }
}

static void look(struct job *job)
{
    const struct auth_rules *rules = policy_set_auth(job->policies);
    struct slice name, token = find_token(job->x, rules, &name);
    if (token.len) {
        if (!take_token(job, rules, token, name)) return;
    } else {
        take_key(job->x, rules);
    }
    count_failure(job, rules);
    job->wait.identified(job);
}

void identify(struct job *job, void (*then)(struct job *job))
{
    job->wait.identified = then;
    look(job);
}

void identify_again(struct job *job)
{
    cancel(job);
    look(job);
}

bool identify_is_refused(const struct job *job)
{
    const struct auth_rules *rules = policy_set_auth(job->policies);
    const struct identity *id = &job->x->identity;
    bool is_good = id->key && key_record_is_live(id->key, job->x->born_wall_ns);
    return rules && rules->refuses_strangers && !is_good;
}
