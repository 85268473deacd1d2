/* The record is one line of valid JSON, whatever the exchange holds, and holds no secret and no text. */
#include "../unit.h"

#include "base/clock.h"
#include "flow/record.h"

static struct exchange *sample(void)
{
    struct exchange *x = exchange_new(clock_mono_ns(), 1764000000123ull * NS_PER_MS);
    x->api = api_find(SLICE("chat"));
    x->head.path = SLICE("/v1/chat/completions");
    x->identity.app = SLICE("support-\"bot\"\n");
    x->identity.department = SLICE("support");
    x->decision.verdict.kind = VERDICT_ALLOW;
    x->decision.verdict.model = SLICE("gpt-4o");
    x->decision.verdict.targets = arena_zalloc(&x->arena, 2 * sizeof *x->decision.verdict.targets);
    x->decision.verdict.targets[0] = (struct target){SLICE("openai/gpt-4o"), SLICE("openai"), SLICE("gpt-4o"), NULL};
    x->decision.verdict.target_count = 1;
    x->target_index = 0;
    struct attempt *attempt = exchange_add_attempt(x);
    attempt->usage.input_tokens = 11;
    attempt->usage.output_tokens = 0;
    x->response.status = attempt->status = 200;
    x->outcome = OUTCOME_OK;
    return x;
}

static struct buf line;
static struct json_tape record;
static struct arena texts;

static void write_record_of(struct exchange *x)
{
    struct fault why;
    buf_reset(&line);
    exchange_move(x, EXCHANGE_SETTLING);
    record_format(&line, x);
    EXPECT_INT('\n', buf_ptr(&line)[buf_len(&line) - 1]);
    EXPECT(memchr(buf_ptr(&line), '\n', buf_len(&line) - 1) == NULL);
    if (!json_parse(&record, buf_slice(&line), &why)) UNIT_FAIL("%s in %.*s", why.text, SLICE_FMT(buf_slice(&line)));
    exchange_move(x, EXCHANGE_RECORDED);
    exchange_free(x);
}

/* The value at outer, or at outer.inner; JSON_NONE when absent. */
static uint32_t at(const char *outer, const char *inner)
{
    uint32_t node = json_get(&record, 0, slice_str(outer));
    return inner && node != JSON_NONE ? json_get(&record, node, slice_str(inner)) : node;
}

static struct slice text_at(const char *outer, const char *inner)
{
    uint32_t node = at(outer, inner);
    return json_is(&record, node, JSON_STRING) ? json_text(&record, node, &texts) : SLICE("(none)");
}

/* E8: a credential pasted into the name of a model, or into a path. */
static void a_secret_that_was_pasted_does_not_stay(void)
{
    struct exchange *x = sample();
    x->request.model = SLICE("sk-" "abcdefghijklmnopqrst0123456789");
    x->decision.verdict.model = SLICE_NONE;
    x->head.path = SLICE("/v1/models/ghp_" "abcdefghijklmnopqrstuvwxyz0123456789?x");
    write_record_of(x);
    EXPECT_SLICE(SLICE("[api_key]"), text_at("model_asked", NULL));
    EXPECT_SLICE(SLICE("[api_key]"), text_at("model", NULL));
    EXPECT_SLICE(SLICE("/v1/models/[api_key]?x"), text_at("path", NULL));
}

static void it_says_who_what_and_how_it_ended(void)
{
    write_record_of(sample());
    EXPECT_SLICE(SLICE("2025-11-24T16:00:00.123Z"), text_at("time", NULL));
    EXPECT_SLICE(SLICE("ok"), text_at("outcome", NULL));
    EXPECT_SLICE(SLICE("openai/gpt-4o"), text_at("target", NULL));
    EXPECT_SLICE(SLICE("support-\"bot\"\n"), text_at("identity", "app"));
    EXPECT_SLICE(SLICE("11"), json_raw(&record, at("usage", "input_tokens")));
    EXPECT_SLICE(SLICE("0"), json_raw(&record, at("usage", "output_tokens"))); /* nothing is not unknown */
    EXPECT(at("usage", "cached_tokens") == JSON_NONE);
    EXPECT(at("fault", NULL) == JSON_NONE);
}

static void unknown_usage_is_null(void)
{
    struct exchange *x = sample();
    usage_init(&exchange_attempt(x)->usage);
    write_record_of(x);
    EXPECT(json_is(&record, at("usage", NULL), JSON_NULL));
}

/* The second target's attempt behind the sample's, as what was given up for it leaves it. */
static struct attempt *fall_back(struct exchange *x)
{
    struct verdict *v = &x->decision.verdict;
    v->targets[v->target_count++] = (struct target){SLICE("other/small"), SLICE("other"), SLICE("small"), NULL};
    struct attempt **more = arena_zalloc(&x->arena, 2 * sizeof *more);
    more[0] = x->attempts[0];
    x->attempts = more; /* the array is as long as the verdict was */
    x->target_index = 1;
    return exchange_add_attempt(x);
}

static struct slice raw_of(uint32_t attempt, const char *outer, const char *inner)
{
    uint32_t node = json_get(&record, attempt, slice_str(outer));
    return json_raw(&record, node == JSON_NONE ? 0 : json_get(&record, node, slice_str(inner)));
}

static void each_attempt_has_its_own_money_and_the_record_their_sum(void)
{
    struct exchange *x = sample();
    struct attempt *second = fall_back(x), *first = x->attempts[0];
    first->parts = (struct usage_parts){.count = {[USAGE_INPUT] = 11, [USAGE_REQUESTS] = 1}};
    first->cost = (struct cost){.state = COST_KNOWN, .nano = 22000};
    first->is_billed = first->is_closed = true;
    first->error = FAULT_UPSTREAM_CLOSED;
    first->request_id = SLICE("up-1");
    first->events = 7;
    second->usage.input_tokens = 12;
    second->usage.output_tokens = 5;
    second->parts = (struct usage_parts){.count = {[USAGE_INPUT] = 12, [USAGE_OUTPUT] = 5, [USAGE_REQUESTS] = 1}};
    second->cost = (struct cost){.state = COST_KNOWN, .nano = 1500};
    second->is_billed = second->is_closed = true;
    second->status = 200;
    second->finish_reason = SLICE("stop");
    second->events = 3;
    exchange_move(x, EXCHANGE_DECIDING);
    exchange_move(x, EXCHANGE_CALLING);
    exchange_move(x, EXCHANGE_STREAMING);
    write_record_of(x);
    uint32_t one = json_first(&record, at("attempts", NULL)), two = json_next(&record, one);
    EXPECT_SLICE(SLICE("11"), raw_of(one, "usage", "input_tokens"));
    EXPECT_SLICE(SLICE("11"), raw_of(one, "billed", "input"));
    EXPECT_SLICE(SLICE("22000"), raw_of(one, "cost", "nano_usd"));
    EXPECT_SLICE(SLICE("5"), raw_of(two, "billed", "output"));
    EXPECT_SLICE(SLICE("1500"), raw_of(two, "cost", "nano_usd"));
    EXPECT_SLICE(SLICE("23"), json_raw(&record, at("usage", "input_tokens")));
    EXPECT_SLICE(SLICE("23"), json_raw(&record, at("billed", "input")));
    EXPECT_SLICE(SLICE("5"), json_raw(&record, at("billed", "output")));
    EXPECT_SLICE(SLICE("2"), json_raw(&record, at("billed", "requests")));
    EXPECT_SLICE(SLICE("23500"), json_raw(&record, at("cost", "nano_usd")));
    EXPECT_SLICE(SLICE("stop"), text_at("upstream", "finish_reason"));
    EXPECT(at("upstream", "request_id") == JSON_NONE); /* the first one's */
    EXPECT_SLICE(SLICE("3"), json_raw(&record, at("events", NULL)));
}

/* on_attempt refuses the second target: nobody answered, and what the first one took is paid for all the same. */
static void what_was_billed_before_a_denial_stays_billed(void)
{
    struct exchange *x = sample();
    fall_back(x)->is_denied = true;
    x->attempts[0]->parts = (struct usage_parts){.count = {[USAGE_INPUT] = 11, [USAGE_REQUESTS] = 1}};
    x->attempts[0]->cost = (struct cost){.state = COST_KNOWN, .nano = 22000};
    x->attempts[0]->is_billed = x->attempts[0]->is_closed = true;
    x->attempts[0]->events = 7;
    x->target_index = -1;
    write_record_of(x);
    EXPECT(at("target", NULL) == JSON_NONE);
    EXPECT_SLICE(SLICE("22000"), json_raw(&record, at("cost", "nano_usd")));
    EXPECT_SLICE(SLICE("0"), json_raw(&record, at("events", NULL))); /* none of them reached the client */
}

static void a_denial_names_policy_rule_and_place(void)
{
    struct exchange *x = sample();
    x->target_index = -1;
    x->decision.verdict.kind = VERDICT_DENY;
    x->decision.verdict.policy = SLICE("access");
    x->decision.verdict.rule = SLICE("models.gpt-4o.departments");
    x->decision.verdict.code = SLICE("department_not_authorized");
    x->outcome = OUTCOME_DENIED;
    struct trace_entry entry = {.policy = SLICE("access"),
                                .verb = SLICE("deny"),
                                .mode = SLICE("enforce"),
                                .file = SLICE("policies/access.lua"),
                                .line = 12};
    trace_add(&x->decision.trace, &x->arena, &entry);
    entry.line = 0; /* a file says so as a whole */
    trace_add(&x->decision.trace, &x->arena, &entry);
    write_record_of(x);
    uint32_t first = json_first(&record, at("trace", NULL));
    uint32_t second = json_next(&record, first);
    EXPECT_SLICE(SLICE("policies/access.lua"), json_text(&record, json_get(&record, second, SLICE("at")), &texts));
    EXPECT_SLICE(SLICE("models.gpt-4o.departments"), text_at("decision", "rule"));
    EXPECT_SLICE(SLICE("policies/access.lua:12"), json_text(&record, json_get(&record, first, SLICE("at")), &texts));
    EXPECT(json_get(&record, first, SLICE("mode")) == JSON_NONE);
    EXPECT(at("target", NULL) == JSON_NONE);
}

static void a_policys_fault_is_for_the_record_only_there(void)
{
    struct exchange *x = sample();
    x->decision.verdict.kind = VERDICT_FAULT;
    x->decision.verdict.fault_text = SLICE("policies/budget.lua:38: boom");
    x->outcome = OUTCOME_POLICY_ERROR;
    write_record_of(x);
    EXPECT_SLICE(SLICE("policy_error"), text_at("fault", "code"));
    EXPECT_SLICE(SLICE("policies/budget.lua:38: boom"), text_at("fault", "text"));
}

static uint32_t chance = 20261129;

static uint32_t draw(uint32_t below)
{
    chance = (uint32_t)((uint64_t)chance * 48271 % 2147483647);
    return chance % below;
}

/* Quotes, control characters, halves of characters, long runs. */
static struct slice hostile(struct exchange *x)
{
    static const char *const pieces[] = {"\"", "\\", "\n", "\x01", "\x7f", "\xff", "\xc3", "\xed\xa0\x80", "{", "}",
                                         "\",\"", "é", "\xf0\x9f\x98\x80", "name", "null", "\xe2\x80\xae"};
    char text[600];
    size_t len = 0;
    for (uint32_t n = draw(draw(4) ? 6 : 120); n > 0; n--) {
        const char *piece = pieces[draw(sizeof pieces / sizeof pieces[0])];
        memcpy(text + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return arena_copy(&x->arena, slice_of(text, len));
}

static void fill_identity(struct exchange *x, struct key_record *key)
{
    struct slice *list = arena_alloc(&x->arena, 2 * sizeof *list);
    struct key_label *labels = arena_alloc(&x->arena, 2 * sizeof *labels);
    struct pair *added = arena_alloc(&x->arena, 2 * sizeof *added);
    for (int i = 0; i < 2; i++) {
        list[i] = hostile(x);
        labels[i] = (struct key_label){hostile(x), hostile(x)};
        added[i] = (struct pair){hostile(x), hostile(x)};
    }
    *key = (struct key_record){.id = hostile(x), .app = hostile(x), .tier = hostile(x), .roles = list, .role_count = draw(3),
                               .approvals = list, .approval_count = draw(3), .labels = labels, .label_count = draw(3),
                               .is_revoked = draw(4) == 0};
    x->identity.key = draw(4) ? key : NULL;
    x->identity.added = added;
    x->identity.added_count = draw(3);
    x->identity.user = hostile(x);
    x->identity.token_presented = draw(4) == 0;
    x->identity.token_issuer = hostile(x);
    x->identity.token_refusal = (enum jwt_refusal)draw(JWT_REFUSAL_COUNT);
    x->identity.token_claim = hostile(x);
}

static void fill_asked(struct exchange *x)
{
    for (uint32_t n = draw(20); n > 0; n--)
        asked_note(&x->asked, &x->arena, (enum asked_group)draw(ASKED_GROUPS), hostile(x), ASKED_AS_TEXT,
                   draw(5) ? hostile(x) : SLICE_NONE);
    for (uint32_t n = draw(4); n > 0; n--)
        asked_miss(&x->asked, &x->arena, hostile(x));
}

static void it_is_json_whatever_it_holds(void)
{
    for (int round = 0; round < 3000; round++) {
        struct key_record key;
        struct exchange *x = sample();
        struct pair headers[] = {{SLICE("User-Agent"), hostile(x)}, {SLICE("traceparent"), hostile(x)},
                                 {SLICE("x-request-id"), hostile(x)}, {SLICE("X-Client-Request-Id"), hostile(x)}};
        struct slice labels[] = {hostile(x), hostile(x)};
        x->head.headers = headers;
        x->head.header_count = draw(5);
        x->head.path = hostile(x);
        x->request.model = hostile(x);
        fill_identity(x, &key);
        fill_asked(x);
        x->decision.data = hostile(x);
        x->decision.session = hostile(x);
        x->decision.labels = labels;
        x->decision.label_count = draw(3);
        x->decision.verdict.code = x->decision.verdict.reason = hostile(x);
        x->decision.verdict.kind = (enum verdict_kind)(VERDICT_NONE + draw(4));
        x->decision.verdict.fault_text = hostile(x);
        x->config_digest = draw(2) ? "00" : NULL;
        x->attempts[0]->request_id = hostile(x);
        write_record_of(x); /* fails when it cannot be parsed, or is more than a line */
    }
}

static void it_says_all_that_was_asked(void)
{
    static struct slice roles[] = {{"lead", 4}};
    static struct key_record key;
    struct exchange *x = sample();
    key = (struct key_record){.id = SLICE("key_1"), .department = SLICE("support"), .roles = roles, .role_count = 1};
    x->identity.key = &key; /* app was settled by a policy, department is the key's */
    struct pair headers[] = {{SLICE("user-agent"), SLICE("curl/8")}, {SLICE("x-request-id"), SLICE("mine-1")}};
    x->head.headers = headers;
    x->head.header_count = 2;
    asked_note(&x->asked, &x->arena, ASKED_HEADERS, SLICE("x-team"), ASKED_AS_TEXT, SLICE("blue"));
    asked_miss(&x->asked, &x->arena, SLICE("request.last_user_text"));
    write_record_of(x);
    EXPECT_SLICE(SLICE("{\"headers\":{\"x-team\":\"blue\"}}"), json_raw(&record, at("asked", NULL)));
    EXPECT_SLICE(SLICE("[\"request.last_user_text\"]"), json_raw(&record, at("not_replayable", NULL)));
    EXPECT_SLICE(SLICE("{\"app\":\"support-\\\"bot\\\"\\n\"}"), json_raw(&record, at("identity", "added")));
    EXPECT_SLICE(SLICE("[\"lead\"]"), json_raw(&record, at("identity", "roles")));
    EXPECT_SLICE(SLICE("[\"openai/gpt-4o\"]"), json_raw(&record, at("decided", "targets")));
    EXPECT_SLICE(SLICE("1764000000123000000"), json_raw(&record, at("facts", "time_ns")));
    EXPECT_SLICE(SLICE("mine-1"), text_at("client", "request_id"));
    EXPECT_SLICE(SLICE("curl/8"), text_at("client", "user_agent"));
    EXPECT(at("session", NULL) == JSON_NONE);
}

int main(void)
{
    buf_init(&line);
    json_init(&record);
    arena_init(&texts);
    RUN(it_says_who_what_and_how_it_ended);
    RUN(a_secret_that_was_pasted_does_not_stay);
    RUN(unknown_usage_is_null);
    RUN(each_attempt_has_its_own_money_and_the_record_their_sum);
    RUN(what_was_billed_before_a_denial_stays_billed);
    RUN(a_denial_names_policy_rule_and_place);
    RUN(it_says_all_that_was_asked);
    RUN(it_is_json_whatever_it_holds);
    RUN(a_policys_fault_is_for_the_record_only_there);
    buf_clear(&line);
    json_clear(&record);
    arena_clear(&texts);
    return unit_close("record");
}
