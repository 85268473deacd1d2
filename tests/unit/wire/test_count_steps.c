/* Counting in steps of any size, from memory, to where nobody needs more, and told apart by message: always the same sum. */
#include "count_apart.h"

/* ---- In slices, and from memory. */

/* A bit of everything: long runs, escapes of each kind, characters of each length, tools, ids. */
static struct buf mixture(enum chat_kind kind, unsigned repeats)
{
    struct buf body;
    buf_init(&body);
    buf_append(&body, kind == CHAT_CHAT ? SLICE(MODEL "\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"name\":\"ana\",\"content\":\"")
                                        : SLICE(MODEL "\"suffix\":\"\\n\\n\",\"prompt\":[[1,2,3],\""));
    for (unsigned i = 0; i < repeats; i++)
        buf_append(&body, SLICE("A line\\nand \\\"quotes\\\", a \\ud83d\\ude00\\uD83D\\uDE80, \\u00e9\\u20ac\\/\\\\ \xF0\x9F\x98\x80 한국어 ภาษา  \\t\\t      don't "));
    buf_append(&body, kind == CHAT_CHAT ? SLICE("\"},{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}]},"
                                                "{\"role\":\"user\",\"content\":[{\"text\":\"\"},{\"text\":\"x\"},{\"image_url\":\"http://x/y.png\"}]}],"
                                                "\"tools\":[" FUNCTION("\"name\":\"f\",\"description\":\"d\\\\n\"") "],"
                                                "\"response_format\":{\"json_schema\":{\"d\":\"\\u0041 \\\\ \"}}}")
                                        : SLICE("\"]}"));
    return body;
}

static void slices_of_every_size_come_to_the_same(void)
{
    struct count_rules o200k = apart(0), cl100k = apart(1);
    for (int kind = CHAT_CHAT; kind <= CHAT_COMPLETIONS; kind++) {
        struct buf body = mixture((enum chat_kind)kind, 4);
        struct counting c;
        uint64_t want = counted(buf_slice(&body), (enum chat_kind)kind, &o200k).input_tokens;
        uint64_t other = counted(buf_slice(&body), (enum chat_kind)kind, &cl100k).input_tokens;
        unsigned steps = UINT32_MAX;
        for (size_t step = 1; step <= buf_len(&body); step++) {
            counting_open(&c, buf_slice(&body), (enum chat_kind)kind, BOTH, NULL);
            unsigned took = counting_run(&c, step);
            struct count_total total = count_total(c.count, &o200k);
            if (total.input_tokens != want) UNIT_FAIL("steps of %zu: %" PRIu64 ", whole %" PRIu64, step, total.input_tokens, want);
            EXPECT_INT(other, count_total(c.count, &cl100k).input_tokens);
            EXPECT(!total.is_partial);
            EXPECT(took <= steps || took == 1);
            steps = took;
            counting_close(&c);
        }
        EXPECT_INT(1, steps);
        buf_clear(&body);
    }
}

/* Wanted later, and in steps of its own, it comes to what it would have at once; what was counted before stays. */
static void another_vocabulary_may_be_wanted_later(void)
{
    struct count_rules o200k = apart(0), cl100k = apart(1);
    for (unsigned first = 0; first < 2; first++) {
        for (int kind = CHAT_CHAT; kind <= CHAT_COMPLETIONS; kind++) {
            struct buf body = mixture((enum chat_kind)kind, 20);
            uint64_t want[] = {counted(buf_slice(&body), (enum chat_kind)kind, &o200k).input_tokens,
                               counted(buf_slice(&body), (enum chat_kind)kind, &cl100k).input_tokens};
            struct count_rules *rules[] = {&o200k, &cl100k};
            struct counting c;
            counting_open(&c, buf_slice(&body), (enum chat_kind)kind, 1u << first, NULL);
            count_keep_messages(c.count);
            counting_run(&c, WHOLE);
            EXPECT(count_has(c.count, first) && !count_has(c.count, !first));
            EXPECT(count_total(c.count, rules[!first]).is_estimated);
            EXPECT(count_at_most(c.count, rules[!first]) >= want[!first]);
            uint64_t message = kind == CHAT_CHAT ? count_message(c.count, rules[first], 1).tokens : 0;
            count_want(c.count, first); /* is there */
            EXPECT_INT(1, counting_run(&c, 0));
            count_want(c.count, !first);
            EXPECT(counting_run(&c, 100) > 20);
            EXPECT_INT(want[first], count_total(c.count, rules[first]).input_tokens);
            EXPECT_INT(want[!first], count_total(c.count, rules[!first]).input_tokens);
            EXPECT(!count_total(c.count, rules[!first]).is_partial);
            if (kind == CHAT_CHAT) EXPECT_INT(message, count_message(c.count, rules[first], 1).tokens);
            counting_close(&c);
            buf_clear(&body);
        }
    }
}

static void what_is_wanted_later_stops_early_too(void)
{
    struct buf body = mixture(CHAT_CHAT, 1000);
    struct count_rules o200k = apart(0), cl100k = apart(1);
    struct counting c;
    counting_open(&c, buf_slice(&body), CHAT_CHAT, 1, NULL);
    count_stop_above(c.count, 1000);
    counting_run(&c, 64);
    EXPECT(count_total(c.count, &o200k).is_partial);
    EXPECT(count_at_most(c.count, &cl100k) == UINT64_MAX); /* nobody has seen the rest */
    count_want(c.count, 1);
    counting_run(&c, 64);
    EXPECT(count_total(c.count, &cl100k).is_partial);
    counting_close(&c);
    buf_clear(&body);
}

/* What is asked of a step is what it does, near enough: one long text must not be taken at once. */
static void a_step_is_no_longer_than_asked(void)
{
    struct buf body = mixture(CHAT_CHAT, 1000);
    struct counting c;
    counting_open(&c, buf_slice(&body), CHAT_CHAT, 1, NULL);
    unsigned steps = counting_run(&c, 1024);
    EXPECT(steps >= buf_len(&body) / 1024 - 1 && steps <= buf_len(&body) / 1024 + 20);
    counting_close(&c);
    buf_clear(&body);
}

static void it_may_be_freed_at_any_time(void)
{
    struct buf body = mixture(CHAT_CHAT, 20);
    for (unsigned steps = 0; steps < 40; steps++) {
        struct counting c;
        counting_open(&c, buf_slice(&body), CHAT_CHAT, BOTH, NULL);
        count_keep_messages(c.count);
        for (unsigned i = 0; i < steps; i++)
            count_step(c.count, 64);
        counting_close(&c);
    }
    count_free(NULL);
    buf_clear(&body);
}

/* The content of `body`'s one message, as it stands. */
static struct memo_key key_of(const struct memo *memo, const struct counting *c)
{
    uint32_t content = json_get(&c->r.tape, json_first(&c->r.tape, c->r.messages_node), SLICE("content"));
    struct slice raw = json_raw(&c->r.tape, content);
    return memo_key(memo, slice_of(raw.ptr + 1, raw.len - 2));
}

static struct buf message_of(size_t bytes, char c, const char *end)
{
    struct buf body;
    buf_init(&body);
    buf_append(&body, SLICE(MODEL "\"messages\":[{\"role\":\"user\",\"content\":\""));
    for (size_t i = strlen(end); i < bytes; i++)
        buf_append_char(&body, i % 9 == 0 ? ' ' : c);
    buf_append(&body, slice_str(end));
    buf_append(&body, SLICE("\"}]}"));
    return body;
}

static void a_remembered_text_counts_as_before(void)
{
    struct memo *memo = memo_new(LIMIT_COUNT_MEMO);
    struct count_rules rules = apart(0), other = apart(1);
    struct buf body = message_of(5000, 'q', "\\n\\u00e9");
    uint64_t want = counted(buf_slice(&body), CHAT_CHAT, &rules).input_tokens;
    for (int round = 0; round < 3; round++) {
        struct counting c;
        counting_open(&c, buf_slice(&body), CHAT_CHAT, 1, memo);
        struct memo_key key = key_of(memo, &c);
        EXPECT_INT(round == 0 ? 0 : want - 101000001, memo_find(memo, &key, 0));
        unsigned steps = counting_run(&c, 512);
        EXPECT(round == 0 ? steps >= 9 : steps <= 2); /* a hit takes a fraction */
        EXPECT_INT(want, count_total(c.count, &rules).input_tokens);
        EXPECT_INT(0, memo_find(memo, &key, 1));
        counting_close(&c);
    }
    struct counting c;
    counting_open(&c, buf_slice(&body), CHAT_CHAT, BOTH, memo); /* one of two is no hit, and both are kept */
    counting_run(&c, 512);
    struct memo_key key = key_of(memo, &c);
    EXPECT_INT(want, count_total(c.count, &rules).input_tokens);
    EXPECT_INT(counted(buf_slice(&body), CHAT_CHAT, &other).input_tokens, count_total(c.count, &other).input_tokens);
    EXPECT(memo_find(memo, &key, 0) && memo_find(memo, &key, 1));
    counting_close(&c);
    buf_clear(&body);
    memo_free(memo);
    memo_free(NULL);
}

static void only_texts_of_some_length_are_remembered(void)
{
    static const struct {
        size_t bytes;
        bool is_kept;
    } cases[] = {{LIMIT_COUNT_MEMO_BYTES_MIN - 1, false}, {LIMIT_COUNT_MEMO_BYTES_MIN, true},
                 {LIMIT_COUNT_MEMO_BYTES_MAX, true}, {LIMIT_COUNT_MEMO_BYTES_MAX + 1, false}};
    struct memo *memo = memo_new(LIMIT_COUNT_MEMO);
    for (size_t i = 0; i < 4; i++) {
        struct buf body = message_of(cases[i].bytes, 'z', "");
        struct counting c;
        counting_open(&c, buf_slice(&body), CHAT_CHAT, 1, memo);
        counting_run(&c, WHOLE);
        struct memo_key key = key_of(memo, &c);
        EXPECT_INT(cases[i].is_kept, memo_find(memo, &key, 0) != 0);
        EXPECT_INT(cases[i].is_kept, count_remembers(memo, cases[i].bytes));
        EXPECT(!count_remembers(NULL, cases[i].bytes));
        counting_close(&c);
        buf_clear(&body);
    }
    memo_free(memo);
}

/* ---- Stopping. */

static void it_stops_where_nobody_needs_more(void)
{
    struct buf body;
    struct count_rules rules = apart(0);
    struct counting c;
    buf_init(&body);
    buf_append(&body, SLICE(MODEL "\"messages\":["));
    for (int i = 0; i < 1000; i++)
        buf_printf(&body, "%s{\"role\":\"user\",\"content\":\"" HELLO "\"}", i ? "," : "");
    buf_append(&body, SLICE("]}"));
    static const struct {
        uint64_t above;
        bool is_partial;
    } cases[] = {{0, false}, {1, true}, {500, true}, {4999, true}, {5000, false}, {WHOLE, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        counting_open(&c, buf_slice(&body), CHAT_CHAT, 1, NULL);
        count_stop_above(c.count, cases[i].above);
        counting_run(&c, 100);
        struct count_total total = count_total(c.count, &rules);
        EXPECT_INT(cases[i].is_partial, total.is_partial);
        if (cases[i].is_partial) EXPECT(total.input_tokens > cases[i].above + 1100000000 && total.input_tokens <= cases[i].above + 1100000000 + 5);
        if (!cases[i].is_partial) EXPECT_INT(1100005000, total.input_tokens);
        counting_close(&c);
    }
    buf_clear(&body);
}

/* Also in the middle of the one text that is most of it, in whatever vocabulary comes later. */
static void it_stops_inside_a_long_text(void)
{
    struct buf body = message_of(1000000, 'q', "");
    struct count_rules o200k = apart(0), cl100k = apart(1);
    struct counting c;
    uint64_t whole = counted(buf_slice(&body), CHAT_CHAT, &o200k).input_tokens - 101000000;
    counting_open(&c, buf_slice(&body), CHAT_CHAT, BOTH, NULL);
    count_keep_messages(c.count);
    count_stop_above(c.count, 10000);
    unsigned steps = counting_run(&c, 1000);
    EXPECT(steps < 100);
    EXPECT(whole > 200000);
    EXPECT(count_total(c.count, &o200k).is_partial);
    EXPECT(count_total(c.count, &o200k).input_tokens > 101010000);
    EXPECT(count_total(c.count, &cl100k).input_tokens > 101010000);
    EXPECT(count_total(c.count, &o200k).input_tokens < 101012000);
    EXPECT(count_message(c.count, &o200k, 0).tokens > 1010000);
    counting_close(&c);
    buf_clear(&body);
}

/* ---- Shares. */

static void messages_add_up_to_the_whole(void)
{
    static const uint32_t factors[] = {1000, 1001, 1055, 1430};
    struct buf body = mixture(CHAT_CHAT, 3);
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        struct count_rules rules = apart(0);
        struct counting c;
        rules.factor_milli = factors[i];
        counting_open(&c, buf_slice(&body), CHAT_CHAT, 1, NULL);
        count_keep_messages(c.count);
        counting_run(&c, 50);
        struct count_shares shares = count_shares(c.count, &rules);
        uint64_t sum = shares.tools_tokens + shares.schema_tokens + 100000000; /* which is the request's own */
        EXPECT_INT(4, count_messages(c.count));
        for (uint32_t m = 0; m < 4; m++)
            sum += count_message(c.count, &rules, m).tokens;
        uint64_t total = count_total(c.count, &rules).input_tokens;
        EXPECT(sum <= total && total - sum <= 6); /* a fraction of each part */
        if (factors[i] == 1000) EXPECT_INT(total, sum);
        EXPECT_INT(1, shares.pictures);
        EXPECT_INT(1000, shares.picture_tokens);
        EXPECT(!shares.has_unknown);
        counting_close(&c);
    }
    buf_clear(&body);
}

/* Many short messages: were each rounded up, they would come to more than the request. */
static void small_messages_add_up_too(void)
{
    struct counting c;
    struct count_rules rules = apart(0);
    rules.factor_milli = 1055;
    rules.request_tokens = 0;
    rules.message_tokens = -1;
    counting_open(&c, SLICE(MODEL "\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"a\"}]}"),
                  CHAT_CHAT, 1, NULL);
    count_keep_messages(c.count);
    counting_run(&c, WHOLE);
    EXPECT_INT(7 - 3, count_total(c.count, &rules).input_tokens); /* 6.33 */
    EXPECT_INT(3, count_message(c.count, &rules, 0).tokens + count_message(c.count, &rules, 1).tokens + count_message(c.count, &rules, 2).tokens);
    counting_close(&c);
}

int main(void)
{
    RUN(slices_of_every_size_come_to_the_same);
    RUN(another_vocabulary_may_be_wanted_later);
    RUN(what_is_wanted_later_stops_early_too);
    RUN(a_step_is_no_longer_than_asked);
    RUN(it_may_be_freed_at_any_time);
    RUN(a_remembered_text_counts_as_before);
    RUN(only_texts_of_some_length_are_remembered);
    RUN(it_stops_where_nobody_needs_more);
    RUN(it_stops_inside_a_long_text);
    RUN(messages_add_up_to_the_whole);
    RUN(small_messages_add_up_too);
    return unit_close("count_steps");
}
