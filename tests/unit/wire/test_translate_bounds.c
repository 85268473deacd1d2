/* Answers that cost more than they say: choices and members told again, ids and names of any length. */
#include "../unit.h"

#include "base/limits.h"
#include "hearing.h"
#include "translating.h"

static struct translating t;
static struct hearing h;
static struct buf bytes;

static void hear(const struct dialect *provider, const struct dialect *client)
{
    translate_stream(&t, provider, client, buf_slice(&bytes), 0);
    hearing_begin(&h, client);
    hearing_stream(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s: %s", h.wrong, h.place);
}

static void done(void)
{
    hearing_clear(&h);
    translating_clear(&t);
    buf_reset(&bytes);
}

static bool left(const char *text)
{
    return memmem(buf_ptr(&t.out), buf_len(&t.out), text, strlen(text)) != NULL;
}

#define O_END "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"

/* ---- choices */

static void append_choices(int count)
{
    buf_append(&bytes, SLICE("data: {\"id\":\"x\",\"model\":\"m\",\"choices\":["));
    for (int i = 0; i < count; i++)
        buf_printf(&bytes, "%s{\"index\":0,\"delta\":{\"content\":\"%c\"}}", i ? "," : "", 'a' + i % 26);
    buf_append(&bytes, SLICE("]}\n\n" O_END));
}

/* What each of them says is said once. */
static void a_choice_may_come_twice_in_an_event(void)
{
    const struct dialect *const clients[] = {&dialect_anthropic, &dialect_responses};
    for (int i = 0; i < 2; i++) {
        append_choices(3);
        hear(&dialect_openai, clients[i]);
        EXPECT(h.has_ended);
        EXPECT_SLICE(SLICE("abc"), buf_slice(&h.text));
        done();
        append_choices(4000);
        hear(&dialect_openai, clients[i]);
        EXPECT_INT(4000, buf_len(&h.text));
        done();
    }
}

/* Each member is looked at once, however often its name comes. */
static void members_may_come_many_times(void)
{
    const int count = 250000;
    buf_append(&bytes, SLICE("{\"choices\":[{\"message\":{\"content\":\"a\""));
    for (int i = 0; i < count; i++)
        buf_append(&bytes, i % 2 ? SLICE(",\"reasoning\":\"\"") : SLICE(",\"reasoning_details\":[]"));
    buf_append(&bytes, SLICE("},\"finish_reason\":\"stop\"}]}"));
    translate_body(&t, &dialect_openai, &dialect_anthropic, buf_slice(&bytes));
    hearing_begin(&h, &dialect_anthropic);
    hearing_body(&h, buf_slice(&t.out));
    EXPECT_SLICE(SLICE("a"), buf_slice(&h.text));
    EXPECT_INT(0, t.dropped.count);
    done();
}

/* Of those between them nothing is said. */
static void other_choices_are_lost(void)
{
    buf_append(&bytes, SLICE("data: {\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":1,\"delta\":{\"content\":\"no\"}},"
                             "{\"index\":0,\"delta\":{\"reasoning\":\"r\",\"content\":\"a\"}},{\"index\":2,\"text\":\"no\"},"
                             "{\"index\":0,\"delta\":{\"refusal\":\"b\"}}]}\n\n" O_END));
    hear(&dialect_openai, &dialect_responses);
    EXPECT_SLICE(SLICE("a"), buf_slice(&h.text));
    EXPECT_SLICE(SLICE("b"), buf_slice(&h.refusal));
    EXPECT_SLICE(SLICE("r"), buf_slice(&h.reasoning));
    EXPECT_INT(1, t.dropped.count);
    done();
}

/* Parts of a message that are no text. */
static void parts_that_nobody_reads_are_named(void)
{
    struct buf names;
    buf_init(&names);
    buf_append(&bytes, SLICE("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                             "{\"type\":\"image_url\",\"image_url\":{}},{\"type\":\"reference\",\"reference_ids\":[1]},7,"
                             "{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"t\"}]}]}}]}\n\n" O_END));
    hear(&dialect_openai, &dialect_anthropic);
    dropped_write(&t.dropped, &names);
    EXPECT_SLICE(SLICE("answer.image_url, answer.reference, answer.content"), buf_slice(&names));
    EXPECT_SLICE(SLICE("a"), buf_slice(&h.text));
    EXPECT_SLICE(SLICE("t"), buf_slice(&h.reasoning));
    buf_clear(&names);
    done();
}

/* ---- ids and names */

static void append_openai(int id, int model, int call_id, int name)
{
    buf_printf(&bytes,
               "data: {\"id\":\"%0*d\",\"model\":\"%0*d\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
               "\"id\":\"%0*d\",\"function\":{\"name\":\"%0*d\",\"arguments\":\"{}\"}}]}}]}\n\n" O_END,
               id, 1, model, 2, call_id, 3, name, 4);
}

static void append_anthropic(int id, int model, int call_id, int name)
{
    buf_printf(&bytes,
               "data: {\"type\":\"message_start\",\"message\":{\"id\":\"%0*d\",\"type\":\"message\",\"model\":\"%0*d\","
               "\"content\":[]}}\n\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
               "\"tool_use\",\"id\":\"%0*d\",\"name\":\"%0*d\",\"input\":{}}}\n\n"
               "data: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
               "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}\n\n"
               "data: {\"type\":\"message_stop\"}\n\n",
               id, 1, model, 2, call_id, 3, name, 4);
}

static const struct {
    const struct dialect *provider, *client;
    void (*append)(int id, int model, int call_id, int name);
    const char *own_id, *own_call;
} pairs[] = {
    {&dialect_openai, &dialect_anthropic, append_openai, "\"id\":\"msg_req-1\"", "\"id\":\"toolu_req-1_1\""},
    {&dialect_anthropic, &dialect_openai, append_anthropic, "\"id\":\"chatcmpl-req-1\"", "\"id\":\"call_req-1_0\""},
    {&dialect_openai, &dialect_responses, append_openai, "\"id\":\"resp_req-1\"", "\"call_id\":\"call_req-1_1\""},
    {&dialect_anthropic, &dialect_responses, append_anthropic, "\"id\":\"resp_req-1\"", "\"call_id\":\"call_req-1_1\""},
};

static void ids_that_are_too_long_give_way_to_the_gateways(void)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        pairs[i].append(LIMIT_TRANSLATE_ID_BYTES, LIMIT_MODEL_BYTES, LIMIT_TRANSLATE_CALL_ID_BYTES, LIMIT_MODEL_BYTES);
        hear(pairs[i].provider, pairs[i].client);
        EXPECT(h.has_ended && !left(pairs[i].own_id) && !left(pairs[i].own_call));
        done();
        pairs[i].append(LIMIT_TRANSLATE_ID_BYTES + 1, 1, LIMIT_TRANSLATE_CALL_ID_BYTES + 1, 1);
        hear(pairs[i].provider, pairs[i].client);
        if (!left(pairs[i].own_id) || !left(pairs[i].own_call)) UNIT_FAIL("%s", buf_ptr(&t.out));
        EXPECT(h.has_ended && !left("0000000001") && !left("0000000003"));
        done();
    }
}

static void names_that_are_too_long_are_refused(void)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        for (int is_model = 0; is_model < 2; is_model++) {
            int len = LIMIT_MODEL_BYTES + 1;
            pairs[i].append(1, is_model ? len : 1, 1, is_model ? 1 : len);
            hear(pairs[i].provider, pairs[i].client);
            EXPECT(t.has_stopped && t.why.code == FAULT_UNTRANSLATABLE && !h.has_ended);
            done();
        }
    }
}

int main(void)
{
    buf_init(&bytes);
    RUN(a_choice_may_come_twice_in_an_event);
    RUN(members_may_come_many_times);
    RUN(other_choices_are_lost);
    RUN(parts_that_nobody_reads_are_named);
    RUN(ids_that_are_too_long_give_way_to_the_gateways);
    RUN(names_that_are_too_long_are_refused);
    buf_clear(&bytes);
    return unit_close("translate_bounds");
}
