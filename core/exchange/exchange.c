#include "exchange/exchange.h"

#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "exchange/terms.h"

#define TO(state) (1u << EXCHANGE_##state)

/* Legal moves: every way ends in SETTLING, then RECORDED, and nothing leaves RECORDED. */
static const unsigned moves[EXCHANGE_STATES] = {
    [EXCHANGE_RECEIVING] = TO(DECIDING) | TO(REPLYING) | TO(SETTLING),
    [EXCHANGE_DECIDING] = TO(CALLING) | TO(REPLYING) | TO(SETTLING),
    [EXCHANGE_CALLING] = TO(CALLING) | TO(STREAMING) | TO(REPLYING) | TO(SETTLING),
    [EXCHANGE_STREAMING] = TO(SETTLING),
    [EXCHANGE_REPLYING] = TO(SETTLING),
    [EXCHANGE_SETTLING] = TO(RECORDED),
    [EXCHANGE_RECORDED] = 0,
};

/* Random bytes are fetched 25 ids at a time: by a process that forks none any more, or two would make the same. */
void exchange_make_id(char id[EXCHANGE_ID_BYTES], uint64_t wall_ns)
{
    static uint8_t pool[250]; /* getrandom never returns less than asked for up to 256 bytes (getrandom(2)) */
    static size_t left;
    uint8_t bits[UUID_BYTES];
    if (left < UUID_RANDOM_BYTES) {
        check(getrandom(pool, sizeof pool, 0) == (ssize_t)sizeof pool);
        left = sizeof pool;
    }
    uuid_of(bits, wall_ns, pool + (left -= UUID_RANDOM_BYTES));
    memcpy(id, "req_", 4);
    uuid_write(id + 4, bits);
}

struct exchange *exchange_new(uint64_t mono_ns, uint64_t wall_ns)
{
    struct exchange *x = mem_zalloc(1, sizeof *x);
    x->born_mono_ns = mono_ns;
    x->born_wall_ns = wall_ns;
    x->entered_ns[EXCHANGE_RECEIVING] = mono_ns;
    x->api = &api_none;
    x->target_index = -1;
    x->known_cost_nano = -1;
    arena_init(&x->arena);
    buf_init(&x->body);
    buf_init(&x->upload);
    buf_init(&x->response.text);
    buf_init(&x->texts.prompt.bytes);
    buf_init(&x->texts.answer.bytes);
    chat_init(&x->request);
    exchange_make_id(x->id, wall_ns);
    return x;
}

void exchange_free(struct exchange *x)
{
    if (!x) return;
    check(x->state == EXCHANGE_RECORDED);
    count_free(x->count);
    chat_clear(&x->request);
    buf_clear(&x->body);
    buf_clear(&x->upload);
    buf_clear(&x->response.text);
    buf_clear(&x->texts.prompt.bytes);
    buf_clear(&x->texts.answer.bytes);
    keyring_unref(x->identity.keyring);
    topups_unref(x->topups);
    grants_unref(x->grants);
    people_unref(x->people);
    token_unref(x->identity.token);
    redact_stop(x->decision.redact);
    arena_clear(&x->arena);
    mem_free(x);
}

bool exchange_may_move(enum exchange_state from, enum exchange_state to)
{
    return (moves[from] >> to) & 1;
}

void exchange_move(struct exchange *x, enum exchange_state to)
{
    check(exchange_may_move(x->state, to));
    x->state = to;
    x->entered_ns[to] = clock_mono_ns();
}

struct attempt *exchange_add_attempt(struct exchange *x)
{
    size_t max = x->decision.verdict.target_count;
    check(x->target_index >= 0 && x->attempt_count < max);
    if (!x->attempts) x->attempts = arena_alloc(&x->arena, max * sizeof *x->attempts);
    struct attempt *attempt = arena_zalloc(&x->arena, sizeof *attempt);
    x->attempts[x->attempt_count++] = attempt;
    attempt->target = x->target_index;
    attempt->began_ns = clock_mono_ns();
    attempt->estimate = x->estimate;
    usage_init(&attempt->usage);
    return attempt;
}

struct attempt *exchange_attempt(const struct exchange *x)
{
    for (size_t i = x->attempt_count; i-- > 0;) {
        if (!x->attempts[i]->is_denied) return x->attempts[i];
    }
    return NULL;
}

void exchange_end_attempt(struct exchange *x, enum fault_code error)
{
    struct attempt *attempt = exchange_attempt(x);
    if (!attempt || attempt->ended_ns) return;
    attempt->ended_ns = clock_mono_ns();
    attempt->error = error;
}

const struct estimate *exchange_estimate(const struct exchange *x)
{
    const struct attempt *attempt = exchange_attempt(x);
    return attempt ? &attempt->estimate : &x->estimate;
}

bool exchange_edit(struct exchange *x, struct slice name, struct slice json)
{
    size_t i = 0;
    while (i < x->decision.edit_count && !slice_equal(x->decision.edits[i].name, name))
        i++;
    if (i == DECISION_EDITS_MAX) return false;
    if (!x->decision.edits) x->decision.edits = arena_alloc(&x->arena, DECISION_EDITS_MAX * sizeof *x->decision.edits);
    x->decision.edits[i] = (struct body_edit){arena_copy(&x->arena, name), arena_copy(&x->arena, json)};
    if (i == x->decision.edit_count) x->decision.edit_count++;
    return true;
}

/* An edit's JSON is a text in quotes; names of tiers need no escapes. */
static struct slice unquoted(struct slice json)
{
    if (json.len < 2 || json.ptr[0] != '"') return SLICE("");
    return slice_of(json.ptr + 1, json.len - 2);
}

static const struct body_edit *edit_of(const struct exchange *x, struct slice name)
{
    for (size_t i = 0; i < x->decision.edit_count; i++) {
        if (slice_equal(x->decision.edits[i].name, name)) return &x->decision.edits[i];
    }
    return NULL;
}

bool exchange_sets(const struct exchange *x, struct slice name)
{
    const struct body_edit *edit = edit_of(x, name);
    return edit && edit->json.len;
}

struct slice exchange_service_tier(const struct exchange *x)
{
    const struct body_edit *edit = edit_of(x, SLICE("service_tier"));
    return edit ? unquoted(edit->json) : x->request.service_tier;
}

const struct dialect *exchange_spoken(const struct exchange *x, const struct terms *terms)
{
    const struct dialect *client = x->api->client;
    return terms && terms->kind.len ? dialect_for(terms->kind, terms->traits, client) : client;
}

/* The form keeps its members as they stand in the body, to see which of them are edited. */
size_t exchange_request_bytes(const struct exchange *x)
{
    size_t body = buf_len(&x->body);
    return body + (x->form ? body : 0) + buf_len(&x->upload) + json_bytes(&x->request.tape);
}

const char *exchange_outcome_name(enum exchange_outcome outcome)
{
    switch (outcome) {
    case OUTCOME_NONE: return "none";
    case OUTCOME_OK: return "ok";
    case OUTCOME_DENIED: return "denied";
    case OUTCOME_INVALID: return "invalid";
    case OUTCOME_UPSTREAM_ERROR: return "upstream_error";
    case OUTCOME_INCOMPLETE: return "stream_incomplete";
    case OUTCOME_CLIENT_CLOSED: return "client_closed";
    case OUTCOME_POLICY_ERROR: return "policy_error";
    case OUTCOME_DRAINED: return "drained";
    case OUTCOME_INTERNAL: return "internal_error";
    case OUTCOME_INTENT: return "intent";
    }
    return "?";
}

struct slice exchange_header(const struct exchange *x, struct slice name)
{
    for (size_t i = 0; i < x->head.header_count; i++) {
        if (slice_iequal(x->head.headers[i].name, name)) return x->head.headers[i].value;
    }
    return SLICE_NONE;
}
