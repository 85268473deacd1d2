/* The audit record is one line of valid JSON, whatever the exchange holds, and holds no secret and no text. */
#include "../unit.h"

#include "base/clock.h"
#include "flow/record.h"

static struct exchange *sample(void)
{
    struct exchange *x = exchange_new(clock_mono_ns(), 1764000000123ull * NS_PER_MS);
    x->api = API_CHAT;
    x->head.path = SLICE("/v1/chat/completions");
    x->app = SLICE("support-\"bot\"\n");
    x->department = SLICE("support");
    x->verdict.kind = VERDICT_ALLOW;
    x->verdict.model = SLICE("gpt-4o");
    x->verdict.targets[0] = (struct target){SLICE("openai/gpt-4o"), SLICE("openai"), SLICE("gpt-4o"), NULL};
    x->verdict.target_count = 1;
    x->target_index = 0;
    x->usage.input_tokens = 11;
    x->usage.output_tokens = 0;
    x->response.status = x->response.upstream_status = 200;
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
    usage_init(&x->usage);
    write_record_of(x);
    EXPECT(json_is(&record, at("usage", NULL), JSON_NULL));
}

static void a_denial_names_policy_rule_and_place(void)
{
    struct exchange *x = sample();
    x->target_index = -1;
    x->verdict.kind = VERDICT_DENY;
    x->verdict.policy = SLICE("access");
    x->verdict.rule = SLICE("models.gpt-4o.departments");
    x->verdict.code = SLICE("department_not_authorized");
    x->outcome = OUTCOME_DENIED;
    struct trace_entry entry = {.policy = SLICE("access"),
                                .verb = SLICE("deny"),
                                .mode = SLICE("enforce"),
                                .file = SLICE("policies/access.lua"),
                                .line = 12};
    trace_add(&x->trace, &x->arena, &entry);
    write_record_of(x);
    uint32_t first = json_first(&record, at("trace", NULL));
    EXPECT_SLICE(SLICE("models.gpt-4o.departments"), text_at("decision", "rule"));
    EXPECT_SLICE(SLICE("policies/access.lua:12"), json_text(&record, json_get(&record, first, SLICE("at")), &texts));
    EXPECT(json_get(&record, first, SLICE("mode")) == JSON_NONE);
    EXPECT(at("target", NULL) == JSON_NONE);
}

static void a_policys_fault_is_for_the_record_only_there(void)
{
    struct exchange *x = sample();
    x->verdict.kind = VERDICT_FAULT;
    x->verdict.fault_text = SLICE("policies/budget.lua:38: boom");
    x->outcome = OUTCOME_POLICY_ERROR;
    write_record_of(x);
    EXPECT_SLICE(SLICE("policy_error"), text_at("fault", "code"));
    EXPECT_SLICE(SLICE("policies/budget.lua:38: boom"), text_at("fault", "text"));
}

int main(void)
{
    buf_init(&line);
    json_init(&record);
    arena_init(&texts);
    RUN(it_says_who_what_and_how_it_ended);
    RUN(unknown_usage_is_null);
    RUN(a_denial_names_policy_rule_and_place);
    RUN(a_policys_fault_is_for_the_record_only_there);
    buf_clear(&line);
    json_clear(&record);
    arena_clear(&texts);
    return unit_close("record");
}
