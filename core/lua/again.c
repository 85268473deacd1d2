#include "lua/again.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "lua/simulate.h"

/* Reading one record. */
struct reading {
    struct exchange *x;
    const struct json_tape *tape;
    uint32_t facts, identity, added;
};

static uint32_t member(const struct reading *r, uint32_t object, const char *name)
{
    return object == JSON_NONE ? JSON_NONE : json_get(r->tape, object, slice_str(name));
}

static struct slice text_of(const struct reading *r, uint32_t object, const char *name)
{
    uint32_t node = member(r, object, name);
    if (!json_is(r->tape, node, JSON_STRING)) return SLICE("");
    return arena_copy(&r->x->arena, json_text(r->tape, node, &r->x->arena));
}

static int64_t number_of(const struct reading *r, uint32_t object, const char *name, int64_t absent)
{
    int64_t value = absent;
    uint32_t node = member(r, object, name);
    if (!json_is(r->tape, node, JSON_NUMBER) || !json_to_i64(r->tape, node, &value)) return absent;
    return value;
}

/* --- whose it was --- */

/* Of the four that a policy may have given, only the key's own. */
static struct slice own(const struct reading *r, const char *name)
{
    return member(r, r->added, name) == JSON_NONE ? text_of(r, r->identity, name) : SLICE("");
}

static struct slice *read_list(const struct reading *r, const char *name, size_t *count)
{
    uint32_t list = member(r, r->identity, name);
    *count = 0;
    if (!json_is(r->tape, list, JSON_ARRAY)) return NULL;
    struct slice *texts = arena_alloc(&r->x->arena, (json_count(r->tape, list) + 1) * sizeof *texts);
    for (uint32_t node = json_first(r->tape, list); node != JSON_NONE; node = json_next(r->tape, node)) {
        if (json_is(r->tape, node, JSON_STRING)) texts[(*count)++] = json_text(r->tape, node, &r->x->arena);
    }
    return texts;
}

static void read_labels(const struct reading *r, struct key_record *key)
{
    uint32_t labels = member(r, r->identity, "labels");
    if (!json_is(r->tape, labels, JSON_OBJECT)) return;
    key->labels = arena_alloc(&r->x->arena, (json_count(r->tape, labels) + 1) * sizeof *key->labels);
    for (uint32_t node = json_first(r->tape, labels); node != JSON_NONE; node = json_next(r->tape, node)) {
        if (!json_is(r->tape, node, JSON_STRING)) continue;
        key->labels[key->label_count++] = (struct key_label){json_key_text(r->tape, node, &r->x->arena),
                                                             json_text(r->tape, node, &r->x->arena)};
    }
}

static struct key_record *read_key(const struct reading *r)
{
    struct key_record *key = arena_zalloc(&r->x->arena, sizeof *key);
    *key = (struct key_record){.id = text_of(r, r->identity, "key_id"),
                               .app = own(r, "app"),
                               .department = own(r, "department"),
                               .user = own(r, "user"),
                               .team = own(r, "team"),
                               .tier = text_of(r, r->identity, "tier"),
                               .region = text_of(r, r->identity, "region"),
                               .clearance = text_of(r, r->identity, "clearance"),
                               .env = text_of(r, r->identity, "env")};
    key->roles = read_list(r, "roles", &key->role_count);
    key->approvals = read_list(r, "approvals", &key->approval_count);
    read_labels(r, key);
    return key;
}

static enum jwt_refusal refusal_of(struct slice word)
{
    for (int no = JWT_GOOD + 1; no < JWT_REFUSAL_COUNT; no++)
        if (slice_equal(word, slice_str(jwt_refusal_word((enum jwt_refusal)no)))) return (enum jwt_refusal)no;
    return JWT_ISSUER;
}

/* Why nothing of it was believed. */
static void read_refused(const struct reading *r, struct slice word)
{
    struct identity *id = &r->x->identity;
    struct key_record *key;
    id->credential_header = text_of(r, r->identity, "header");
    if (slice_equal(word, SLICE("missing"))) return;
    id->token_presented = slice_equal(word, SLICE("refused"));
    id->key_presented = !id->token_presented;
    if (id->token_presented) {
        id->token_refusal = refusal_of(text_of(r, r->identity, "refusal"));
        id->token_claim = text_of(r, r->identity, "claim");
        return;
    }
    if (slice_equal(word, SLICE("unknown"))) return;
    id->key = key = read_key(r);
    key->is_revoked = slice_equal(word, SLICE("revoked"));
    key->expires_wall_ns = key->is_revoked ? 0 : 1;
}

static void read_identity(const struct reading *r)
{
    struct identity *id = &r->x->identity;
    struct slice refused = text_of(r, r->identity, "credential");
    id->keyring = keyring_empty();
    id->token_issuer = text_of(r, r->identity, "issuer");
    if (refused.len) {
        read_refused(r, refused);
        return;
    }
    id->credential_header = SLICE("authorization");
    id->token_presented = id->token_issuer.len > 0;
    id->token_refusal = JWT_GOOD;
    id->key_presented = !id->token_presented;
    id->key = read_key(r);
}

/* --- what it asked for --- */

static const char *const hints[][2] = {{"task", "x-moongate-task"},
                                       {"quality", "x-moongate-quality"},
                                       {"data", "x-moongate-data"},
                                       {"label", "x-moongate-label"},
                                       {"max_latency_ms", "x-moongate-max-latency-ms"}};
#define HINTS (sizeof hints / sizeof hints[0])

static void read_hints(const struct reading *r)
{
    struct exchange_request_head *head = &r->x->head;
    head->headers = arena_alloc(&r->x->arena, HINTS * sizeof *head->headers);
    for (size_t i = 0; i < HINTS; i++) {
        struct slice value = text_of(r, r->facts, hints[i][0]);
        if (value.len) head->headers[head->header_count++] = (struct pair){slice_str(hints[i][1]), value};
    }
}

static unsigned read_uses(const struct reading *r)
{
    static const char *const names[] = {"tools", "hosted_tools", "remote_mcp", "images", "files", "audio", "caching",
                                        "stored"};
    uint32_t list = member(r, r->facts, "uses");
    unsigned uses = 0;
    if (!json_is(r->tape, list, JSON_ARRAY)) return 0;
    for (uint32_t node = json_first(r->tape, list); node != JSON_NONE; node = json_next(r->tape, node)) {
        for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
            if (json_text_is(r->tape, node, slice_str(names[i]))) uses |= 1u << i;
    }
    return uses;
}

static void read_request(const struct reading *r)
{
    struct chat_request *request = &r->x->request;
    uint32_t temperature = member(r, r->facts, "temperature");
    request->dialect = r->x->api->client;
    request->kind = r->x->api->asks;
    request->model = text_of(r, 0, "model_asked");
    request->is_stream = json_is(r->tape, member(r, 0, "stream"), JSON_TRUE);
    request->max_tokens = number_of(r, r->facts, "max_tokens", -1);
    request->generated = (uint32_t)number_of(r, r->facts, "answers", 1);
    request->tool_count = (uint32_t)number_of(r, r->facts, "tools", 0);
    request->pieces = (struct chat_pieces){.images = number_of(r, r->facts, "pictures", 0),
                                           .characters = number_of(r, r->facts, "characters", 0),
                                           .searches = number_of(r, r->facts, "searches", 0),
                                           .may_search = number_of(r, r->facts, "may_search", 0),
                                           .may_call = number_of(r, r->facts, "may_call", 0),
                                           .seconds = number_of(r, r->facts, "seconds", 0)};
    request->service_tier = text_of(r, r->facts, "service_tier");
    request->uses = read_uses(r);
    if (json_is(r->tape, temperature, JSON_NUMBER)) request->temperature = json_to_double(r->tape, temperature);
}

static void read_estimate(const struct reading *r)
{
    struct estimate *e = &r->x->estimate;
    uint32_t shown = member(r, 0, "estimate"), flag = member(r, r->facts, "estimated");
    int64_t at_most = r->x->request.max_tokens > 0 ? r->x->request.max_tokens : 0;
    if (flag == JSON_NONE) flag = member(r, shown, "estimated");
    e->is_made = true;
    e->input_tokens = (uint64_t)number_of(r, r->facts, "input_tokens", number_of(r, shown, "input_tokens", 0));
    e->output_tokens = (uint64_t)number_of(r, r->facts, "output_tokens", at_most);
    e->is_flagged = json_is(r->tape, flag, JSON_TRUE);
    e->is_partial = json_is(r->tape, member(r, shown, "at_least"), JSON_TRUE);
    r->x->known_cost_nano = number_of(r, r->facts, "cost_nano", -1);
}

/* Of a list of models, the one that is asked about stands in the facts. */
static const struct api *find_api(const struct reading *r)
{
    struct slice name = text_of(r, 0, "api");
    bool is_one = member(r, r->facts, "model_path") != JSON_NONE;
    struct slice dialect = text_of(r, 0, "dialect");
    return api_named(name, dialect.len ? dialect : slice_str(api_none.client->name), is_one,
                     text_of(r, 0, "path"));
}

static bool read_record(const struct reading *r, struct fault *why)
{
    struct exchange *x = r->x;
    struct slice id = text_of(r, 0, "id");
    int64_t time_ns = number_of(r, r->facts, "time_ns", 0);
    const struct api *api = find_api(r);
    if (!id.len || id.len >= sizeof x->id) return fault_set(why, FAULT_BAD_REQUEST, "no record: it has no id");
    memcpy(x->id, id.ptr, id.len + 1);
    if (!api) return fault_set(why, FAULT_BAD_REQUEST, "%s: it asked for nothing that policies decide", x->id);
    if (time_ns <= 0)
        return fault_set(why, FAULT_BAD_REQUEST, "%s: its record is of a version that kept no facts", x->id);
    x->api = api;
    x->head.method = api->method;
    x->head.path = text_of(r, 0, "path");
    x->model_path = text_of(r, r->facts, "model_path");
    x->born_wall_ns = (uint64_t)time_ns;
    x->decision.session = text_of(r, 0, "session");
    read_identity(r);
    read_hints(r);
    read_request(r);
    read_estimate(r);
    return true;
}

struct exchange *again_exchange(struct slice record, struct fault *why)
{
    struct recall *recall = recall_new(record, why);
    if (!recall) return NULL;
    struct exchange *x = exchange_new(clock_mono_ns(), clock_wall_ns());
    x->asked.recall = recall;
    x->api = &api_none;
    struct reading r = {.x = x, .tape = recall_tape(recall)};
    r.facts = json_get(r.tape, 0, SLICE("facts"));
    r.identity = json_get(r.tape, 0, SLICE("identity"));
    r.added = member(&r, r.identity, "added");
    if (read_record(&r, why)) return x;
    simulate_free(x);
    return NULL;
}

void again_decide(struct policy_set *set, struct exchange *x, const struct settings *settings)
{
    struct answers answers = {.x = x};
    struct policy_call how = {
        .phase = PHASE_REQUEST, .settings = settings, .host = answers_host(), .host_arg = &answers};
    struct policy_eval *eval = policy_begin(set, x, &how);
    enum policy_step step;
    while ((step = policy_eval_step(eval)) != POLICY_DONE)
        if (step == POLICY_WAITING) answers_give(&answers);
    policy_eval_free(eval);
}
