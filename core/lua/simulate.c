#include "lua/simulate.h"

#include "base/clock.h"
#include "store/claims.h"
#include "store/keyring_build.h"
#include "store/topups_build.h"
#include "wire/json.h"
#include "exchange/lines.h"

static const uint8_t no_digest[KEY_DIGEST_BYTES];

static struct slice member_text(const struct json_tape *tape, struct slice name, struct arena *arena)
{
    uint32_t node = json_get(tape, 0, name);
    return json_is(tape, node, JSON_STRING) ? arena_copy(arena, json_text(tape, node, arena)) : SLICE("");
}

static bool refuse_api(struct exchange *x, struct slice name, struct fault *why)
{
    struct slice words = SLICE("");
    const struct api *api, *next;
    for (size_t i = 0; (api = api_at(i)) != NULL; i++) {
        const char *link = i == 0 ? "" : (next = api_at(i + 1)) != NULL ? ", " : " or ";
        words = arena_printf(&x->arena, "%.*s%s%s", SLICE_FMT(words), link, api->word);
    }
    x->api = &api_none;
    return fault_set(why, FAULT_BAD_REQUEST, "api '%.*s': %.*s", SLICE_FMT(name), SLICE_FMT(words));
}

static bool read_api(struct exchange *x, const struct json_tape *tape, struct fault *why)
{
    struct slice name = member_text(tape, SLICE("api"), &x->arena);
    x->api = api_find(name.len ? name : SLICE("chat"));
    if (!x->api) return refuse_api(x, name, why);
    x->model_path = member_text(tape, SLICE("model_path"), &x->arena);
    return true;
}

/* Of a file for a batch: the gateway reads them in turns (flow/batched.h). */
static bool read_lines(struct exchange *x, struct fault *why)
{
    struct chat_request *r = &x->request;
    if (!lines_are_in(r)) return true;
    uint32_t text = json_get(&r->tape, json_get(&r->tape, 0, SLICE("file")), SLICE("text"));
    bool has_text = json_is(&r->tape, text, JSON_STRING);
    struct lines *lines = lines_new(r, has_text ? json_text(&r->tape, text, &x->arena) : SLICE_NONE, &x->arena);
    enum lines_state state = LINES_MORE;
    while (state == LINES_MORE)
        state = lines_step(lines, SIZE_MAX, why);
    return state == LINES_READ;
}

static bool read_body(struct exchange *x, const struct json_tape *tape, struct fault *why)
{
    if (x->api->kind != API_CALL) return true;
    uint32_t node = json_get(tape, 0, SLICE("body"));
    buf_append(&x->body, node == JSON_NONE ? SLICE("{}") : json_raw(tape, node));
    bool is_read = chat_parse_for(&x->request, x->api->client, buf_slice(&x->body), x->api->asks,
                                  slice_str(x->api->stands_for), &x->arena, why);
    if (x->api->is_stream) x->request.is_stream = true;
    return is_read && read_lines(x, why);
}

static void read_headers(struct exchange *x, const struct json_tape *tape)
{
    uint32_t headers = json_get(tape, 0, SLICE("headers"));
    if (!json_is(tape, headers, JSON_OBJECT)) return;
    x->head.headers = arena_alloc(&x->arena, (json_count(tape, headers) + 1) * sizeof *x->head.headers);
    for (uint32_t node = json_first(tape, headers); node != JSON_NONE; node = json_next(tape, node)) {
        if (!json_is(tape, node, JSON_STRING)) continue;
        struct slice key = json_key(tape, node);
        x->head.headers[x->head.header_count++] =
            (struct pair){arena_copy(&x->arena, slice_of(key.ptr + 1, key.len - 2)),
                          arena_copy(&x->arena, json_text(tape, node, &x->arena))};
    }
}

static bool read_key(struct exchange *x, const struct json_tape *tape, struct fault *why)
{
    uint32_t key = json_get(tape, 0, SLICE("key"));
    x->identity.key_presented =
        json_is(tape, key, JSON_OBJECT) || json_is(tape, json_get(tape, 0, SLICE("key_presented")), JSON_TRUE);
    if (x->identity.key_presented) x->identity.credential_header = SLICE("authorization");
    if (!json_is(tape, key, JSON_OBJECT)) {
        x->identity.keyring = keyring_empty();
        return true;
    }
    struct slice fields = json_raw(tape, key);
    struct slice rest = slice_trim(slice_of(fields.ptr + 1, fields.len - 1));
    struct slice snapshot = arena_printf(&x->arena, "{\"keys\":[{\"digest\":\"%064d\"%s%.*s]}", 0,
                                         rest.len && rest.ptr[0] == '}' ? "" : ",", SLICE_FMT(rest));
    x->identity.keyring = keyring_parse(snapshot, why);
    if (!x->identity.keyring) return false;
    x->identity.key = keyring_find(x->identity.keyring, no_digest);
    return true;
}

static bool read_topups(struct exchange *x, const struct json_tape *tape, struct fault *why)
{
    uint32_t list = json_get(tape, 0, SLICE("topups"));
    if (list == JSON_NONE) return true;
    x->topups = topups_parse(arena_printf(&x->arena, "{\"topups\":%.*s}", SLICE_FMT(json_raw(tape, list))), why);
    return x->topups != NULL;
}

static enum granted_state granted_state(struct slice word)
{
    if (slice_equal(word, SLICE("pending"))) return GRANTED_PENDING;
    return slice_equal(word, SLICE("glass")) ? GRANTED_GLASS : GRANTED_ACTIVE;
}

static enum granted_covers granted_covers(struct slice word)
{
    if (slice_equal(word, SLICE("app"))) return GRANTED_APP;
    return slice_equal(word, SLICE("department")) ? GRANTED_DEPARTMENT : GRANTED_USER;
}

static struct slice text_in(const struct json_tape *tape, uint32_t object, struct slice name, struct arena *arena)
{
    uint32_t node = json_get(tape, object, name);
    return json_is(tape, node, JSON_STRING) ? arena_copy(arena, json_text(tape, node, arena)) : SLICE("");
}

/* At that time, or so long after the request came. */
static bool read_end(const struct json_tape *tape, uint32_t grant, const struct exchange *x, int64_t *ends_s)
{
    uint32_t at = json_get(tape, grant, SLICE("ends_at")), lasts = json_get(tape, grant, SLICE("lasts_s"));
    if (json_is(tape, at, JSON_NUMBER)) return json_to_i64(tape, at, ends_s);
    bool is_good = json_is(tape, lasts, JSON_NUMBER) && json_to_i64(tape, lasts, ends_s);
    if (is_good) *ends_s += (int64_t)(x->born_wall_ns / NS_PER_S);
    return is_good;
}

static bool read_grants(struct exchange *x, const struct json_tape *tape, struct fault *why)
{
    uint32_t list = json_get(tape, 0, SLICE("grants"));
    if (!json_is(tape, list, JSON_ARRAY)) return true;
    struct granted *grants = arena_zalloc(&x->arena, (json_count(tape, list) + 1) * sizeof *grants);
    x->identity.grants = grants;
    for (uint32_t node = json_first(tape, list); node != JSON_NONE; node = json_next(tape, node)) {
        struct granted *g = &grants[x->identity.grant_count++];
        g->model = text_in(tape, node, SLICE("model"), &x->arena);
        g->id = text_in(tape, node, SLICE("id"), &x->arena);
        g->purpose = text_in(tape, node, SLICE("purpose"), &x->arena);
        g->state = granted_state(text_in(tape, node, SLICE("state"), &x->arena));
        g->covers = granted_covers(text_in(tape, node, SLICE("covers"), &x->arena));
        if (!read_end(tape, node, x, &g->ends_s))
            return fault_set(why, FAULT_BAD_REQUEST, "grants: ends_at or lasts_s is a number of seconds");
    }
    return true;
}

static void read_prompt(struct exchange *x, const struct json_tape *tape)
{
    uint32_t prompt = json_get(tape, 0, SLICE("prompt"));
    if (!json_is(tape, prompt, JSON_OBJECT)) return;
    x->prompted.name = text_in(tape, prompt, SLICE("name"), &x->arena);
    x->prompted.version = text_in(tape, prompt, SLICE("version"), &x->arena);
    x->prompted.label = text_in(tape, prompt, SLICE("label"), &x->arena);
    x->prompted.status = text_in(tape, prompt, SLICE("status"), &x->arena);
    x->prompted.sha256 = text_in(tape, prompt, SLICE("sha256"), &x->arena);
}

static bool read_token(struct exchange *x, const struct json_tape *tape, struct fault *why)
{
    uint32_t token = json_get(tape, 0, SLICE("token"));
    if (token == JSON_NONE) return true;
    x->identity.token_presented = true;
    x->identity.credential_header = SLICE("authorization");
    if (json_is(tape, token, JSON_OBJECT)) {
        x->identity.simulated_claims = arena_copy(&x->arena, json_raw(tape, token));
        return true;
    }
    for (int no = JWT_GOOD + 1; no < JWT_REFUSAL_COUNT; no++) {
        if (!json_text_is(tape, token, slice_str(jwt_refusal_word((enum jwt_refusal)no)))) continue;
        x->identity.token_refusal = (enum jwt_refusal)no;
        return true;
    }
    return fault_set(why, FAULT_BAD_REQUEST, "token: its claims, or why it is refused: expired, signature, audience …");
}

void simulate_adopt(struct exchange *x, const struct auth_rules *rules)
{
    struct jwt token;
    struct fault why;
    struct slice claims = x->identity.simulated_claims;
    if (!claims.len) return;
    x->identity.simulated_claims = SLICE_NONE;
    x->identity.token_refusal = JWT_ISSUER;
    jwt_init(&token);
    uint32_t iss = json_parse(&token.claims, claims, &why) ? json_get(&token.claims, 0, SLICE("iss")) : JSON_NONE;
    if (json_is(&token.claims, iss, JSON_STRING))
        x->identity.token_issuer = arena_copy(&x->arena, json_text(&token.claims, iss, &x->arena));
    const struct issuer_rules *issuer = rules ? auth_rules_issuer(rules, x->identity.token_issuer) : NULL;
    if (!issuer && rules && rules->issuer_count == 1 && iss == JSON_NONE) issuer = &rules->issuers[0];
    if (issuer) {
        struct key_record *record = arena_zalloc(&x->arena, sizeof *record);
        bool is_good = claims_read(issuer, &token, &x->arena, record, &x->identity.token_claim);
        x->identity.token_issuer = arena_copy(&x->arena, issuer->token.issuer);
        x->identity.token_refusal = is_good ? JWT_GOOD : JWT_CLAIM;
        x->identity.key = is_good ? record : NULL;
    }
    jwt_clear(&token);
}

/* False when the member is there and is no count; *is_there says whether it is. */
static bool read_count(const struct json_tape *tape, struct slice name, uint64_t *value, bool *is_there,
                       struct fault *why)
{
    int64_t count;
    uint32_t node = json_get(tape, 0, name);
    *is_there = node != JSON_NONE;
    if (!*is_there) return true;
    if (!json_is(tape, node, JSON_NUMBER) || !json_to_i64(tape, node, &count) || count < 0) {
        return fault_set(why, FAULT_BAD_REQUEST, "%.*s: a whole number of 0 or more is wanted", SLICE_FMT(name));
    }
    *value = (uint64_t)count;
    return true;
}

static bool read_numbers(struct exchange *x, const struct json_tape *tape, struct fault *why)
{
    bool has_input, has_output, has_time, has_cost;
    uint64_t seconds = 0, cost = 0;
    if (!read_count(tape, SLICE("input_tokens"), &x->estimate.input_tokens, &has_input, why) ||
        !read_count(tape, SLICE("output_tokens"), &x->estimate.output_tokens, &has_output, why) ||
        !read_count(tape, SLICE("time"), &seconds, &has_time, why) ||
        !read_count(tape, SLICE("cost_nano"), &cost, &has_cost, why)) {
        return false;
    }
    if (has_time && seconds > UINT64_MAX / NS_PER_S) return fault_set(why, FAULT_BAD_REQUEST, "time: too far away");
    x->estimate.is_made = x->estimate.is_flagged = has_input;
    if (has_cost) x->known_cost_nano = (int64_t)cost;
    if (has_time) x->born_wall_ns = seconds * NS_PER_S;
    return true;
}

struct exchange *simulate_exchange(struct slice json, struct fault *why)
{
    struct json_tape tape;
    struct exchange *x = exchange_new(clock_mono_ns(), clock_wall_ns());
    json_init(&tape);
    x->head.method = "POST";
    bool ok = json_parse(&tape, json, why) && read_api(x, &tape, why) && read_body(x, &tape, why) &&
              read_key(x, &tape, why) && read_token(x, &tape, why) && read_topups(x, &tape, why) &&
              read_numbers(x, &tape, why) && read_grants(x, &tape, why);
    if (ok) {
        read_headers(x, &tape);
        read_prompt(x, &tape);
        x->head.method = x->api->method;
    }
    json_clear(&tape);
    if (ok) return x;
    simulate_free(x);
    return NULL;
}

void simulate_free(struct exchange *x)
{
    if (!x) return;
    if (x->state != EXCHANGE_RECORDED) {
        if (x->state != EXCHANGE_SETTLING) exchange_move(x, EXCHANGE_SETTLING);
        exchange_move(x, EXCHANGE_RECORDED);
    }
    struct recall *recall = x->asked.recall;
    exchange_free(x);
    recall_free(recall);
}
