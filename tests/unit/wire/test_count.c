/*
 * Requests counted: sums by hand, slices of every size, what a memo changes (nothing), early stops, and bodies that nobody
 * should send. Tokens of texts are those of test_tokens.c: "Hello, world!" is 4 in both vocabularies.
 */
#include "../unit.h"

#include "base/limits.h"
#include "base/mem.h"
#include "wire/tokens/counter.h"

#include "counting.h"

#define O200K "o200k_base"
#define CL100K "cl100k_base"
#define BOTH 3u

static uint64_t chat(const struct count_rules *rules, const char *messages)
{
    struct buf body;
    buf_init(&body);
    buf_printf(&body, "{\"model\":\"m\",\"messages\":%s}%c", messages, 0);
    uint64_t tokens = total_of(rules, CHAT_CHAT, buf_ptr(&body)).input_tokens;
    buf_clear(&body);
    return tokens;
}

static void sums_messages_by_hand(void)
{
    struct count_rules rules = rules_of(O200K);
    EXPECT_INT(3, chat(&rules, "[]"));
    EXPECT_INT(3 + 3 + 1 + 4, chat(&rules, "[{\"role\":\"user\",\"content\":\"Hello, world!\"}]"));
    EXPECT_INT(3 + (3 + 1 + 6) + (3 + 1 + 4),
               chat(&rules, "[{\"role\":\"system\",\"content\":\"You are a helpful assistant.\"},"
                            "{\"role\":\"user\",\"content\":\"Hello, world!\"}]"));
    /* parts count as their texts do, one by one; a refusal is text */
    EXPECT_INT(3 + 3 + 1 + 4 + 4 + 4,
               chat(&rules, "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hello, world!\"},"
                            "{\"type\":\"text\",\"text\":\"Hello, world!\"},\"Hello, world!\"]}]"));
    EXPECT_INT(3 + 3 + 1 + 4, chat(&rules, "[{\"role\":\"assistant\",\"content\":null,\"refusal\":\"Hello, world!\"}]"));
    /* what some providers take back of an answer's reasoning */
    EXPECT_INT(3 + 3 + 1 + 4 + 4,
               chat(&rules, "[{\"role\":\"assistant\",\"reasoning_content\":\"Hello, world!\",\"content\":\"Hello, world!\"}]"));
    /* escapes are what they stand for */
    EXPECT_INT(3 + 3 + 1 + 4, chat(&rules, "[{\"role\":\"us\\u0065r\",\"content\":\"Hello\\u002c wor\\u006cd!\"}]"));
    rules.request_tokens = 2;
    EXPECT_INT(2 + 3 + 1 + 4, chat(&rules, "[{\"role\":\"user\",\"content\":\"Hello, world!\"}]"));
    rules = rules_of(CL100K);
    EXPECT_INT(3 + 3 + 1 + 4, chat(&rules, "[{\"role\":\"user\",\"content\":\"Hello, world!\"}]"));
}

static void names_count_by_rule(void)
{
    struct count_rules rules = rules_of(O200K);
    const char *bob = "[{\"role\":\"user\",\"name\":\"bob\",\"content\":\"Hello, world!\"}]";
    const char *user = "[{\"role\":\"user\",\"name\":\"user\",\"content\":\"Hello, world!\"}]";
    EXPECT_INT(11 + 1 + 1, chat(&rules, bob));
    EXPECT_INT(11 + 1 + 1, chat(&rules, user));
    rules.is_role_free = true;
    EXPECT_INT(11 + 1 + 1, chat(&rules, bob));
    EXPECT_INT(11 + 1, chat(&rules, user));
    rules.name_tokens = -1;
    EXPECT_INT(11 + 1 - 1, chat(&rules, bob));
}

static uint64_t tokens(const char *text)
{
    return token_count(vocabulary_find(SLICE(O200K)), slice_str(text));
}

static void calls_are_names_arguments_and_what_stands_around(void)
{
    struct count_rules rules = rules_of(O200K);
    const char *old = "[{\"role\":\"assistant\",\"content\":null,\"function_call\":{\"name\":\"get_weather\","
                      "\"arguments\":\"{\\\"city\\\":\\\"Paris\\\"}\"}}]";
    const char *two = "[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"x\",\"type\":\"function\",\"function\":{\"name\":"
                      "\"get_weather\",\"arguments\":\"{\\\"city\\\":\\\"Paris\\\"}\"}},{\"id\":\"y\",\"type\":\"custom\","
                      "\"custom\":{\"name\":\"get_weather\",\"input\":\"Hello, world!\"}},{\"id\":\"z\"}]}]";
    uint64_t name = tokens("get_weather"), arguments = tokens("{\"city\":\"Paris\"}");
    EXPECT_INT(3 + 3 + 1 + name + arguments + 7, chat(&rules, old));
    EXPECT_INT(3 + 3 + 1 + name + arguments + 7 + name + 4 + 7, chat(&rules, two));
    EXPECT_INT(20 + 2 * 7, count_output_tokens(&rules, 20, 2));
    rules.factor_milli = 1430;
    EXPECT_INT(29 + 2 * 7, count_output_tokens(&rules, 20, 2)); /* 28.6 */
    EXPECT_INT(20, count_output_tokens(NULL, 20, 0));
}

#define WEATHER                                                                                                        \
    "{\"name\":\"get_weather\",\"description\":\"Weather now\",\"parameters\":{\"type\":\"object\",\"properties\":{"   \
    "\"city\":{\"type\":\"string\",\"description\":\"Which\"},\"unit\":{\"type\":\"string\",\"enum\":[\"c\",\"f\"]},"  \
    "\"days\":{\"type\":\"integer\"},\"at\":{\"type\":\"object\",\"properties\":{\"lat\":{\"type\":\"number\"}},"       \
    "\"required\":[\"lat\"]},\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"any\":{}},"                \
    "\"required\":[\"city\"]}}"

/* As the models are told of it: the form that came nearest to what recorded requests were billed. */
static const char weather_text[] = "namespace functions {\n\n"
                                   "// Weather now\n"
                                   "type get_weather = (_: {\n"
                                   "// Which\n"
                                   "city: string,\n"
                                   "unit?: \"c\" | \"f\",\n"
                                   "days?: number,\n"
                                   "at?: {\n"
                                   "  lat: number,\n"
                                   "},\n"
                                   "tags?: string[],\n"
                                   "any?: any,\n"
                                   "}) => any;\n\n"
                                   "} // namespace functions";

static void tools_count_as_they_are_told(void)
{
    struct count_rules rules = rules_of(O200K);
    uint64_t text = tokens(weather_text);
    struct count_total t = total_of(&rules, CHAT_CHAT,
                                    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello, world!\"}],"
                                    "\"tools\":[{\"type\":\"function\",\"function\":" WEATHER "}]}");
    EXPECT_INT(11 + text + 9, t.input_tokens);
    EXPECT(t.is_estimated);
    t = total_of(&rules, CHAT_CHAT, "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Hello, world!\"}],"
                                    "\"functions\":[" WEATHER "]}");
    EXPECT_INT(11 + text + 9 - 4, t.input_tokens);
    rules.tool_tokens = 25;
    t = total_of(&rules, CHAT_CHAT, "{\"model\":\"m\",\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":"
                                    "{\"name\":\"a\"}},{\"type\":\"function\",\"function\":{\"name\":\"b\"}}]}");
    EXPECT_INT(3 + tokens("namespace functions {\n\ntype a = () => any;\n\ntype b = () => any;\n\n} // namespace functions") + 9 + 50,
               t.input_tokens);
    t = total_of(&rules, CHAT_CHAT, "{\"model\":\"m\",\"messages\":[],\"tools\":[]}");
    EXPECT_INT(3, t.input_tokens);
    EXPECT(!t.is_estimated);
}

static void formats_audio_and_files_are_estimates(void)
{
    struct count_rules rules = rules_of(O200K);
    struct count_total t = total_of(&rules, CHAT_CHAT,
                                    "{\"model\":\"m\",\"messages\":[],\"response_format\":{\"type\":\"json_schema\","
                                    "\"json_schema\":{\"name\":\"x\",\"schema\":{\"type\":\"object\"}}}}");
    EXPECT_INT(3 + tokens("{\"name\":\"x\",\"schema\":{\"type\":\"object\"}}"), t.input_tokens);
    EXPECT(t.is_estimated);
    t = total_of(&rules, CHAT_CHAT, "{\"model\":\"m\",\"messages\":[],\"response_format\":{\"type\":\"json_object\"}}");
    EXPECT_INT(3, t.input_tokens);
    EXPECT(!t.is_estimated);
    t = total_of(&rules, CHAT_CHAT, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"file\","
                                    "\"file\":{\"file_data\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}]}]}");
    EXPECT_INT(3 + 3 + 1 + 2, t.input_tokens); /* 36 bytes */
    EXPECT(t.is_estimated);
    t = total_of(&rules, CHAT_CHAT, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\","
                                    "\"input_audio\":{\"data\":\"AAAA\",\"format\":\"wav\"}}]}]}");
    EXPECT_INT(3 + 3 + 1 + 1, t.input_tokens);
    EXPECT(t.is_estimated);
    t = total_of(&rules, CHAT_CHAT, "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"audio\":{\"id\":\"a\"}}]}");
    EXPECT(t.is_estimated);
    t = total_of(&rules, CHAT_CHAT, "{\"model\":\"m\",\"messages\":[],\"web_search_options\":{}}");
    EXPECT(t.is_estimated);
}

static void prompts_and_inputs_have_no_format(void)
{
    struct count_rules rules = rules_of(CL100K);
    EXPECT_INT(4, total_of(&rules, CHAT_COMPLETIONS, "{\"model\":\"m\",\"prompt\":\"Hello, world!\"}").input_tokens);
    EXPECT_INT(8, total_of(&rules, CHAT_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[\"Hello, world!\",\"Hello, world!\"]}").input_tokens);
    EXPECT_INT(3, total_of(&rules, CHAT_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[9906,11,1917]}").input_tokens);
    EXPECT_INT(5, total_of(&rules, CHAT_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[[9906,11,1917],[0,1]]}").input_tokens);
    EXPECT_INT(8, total_of(&rules, CHAT_COMPLETIONS, "{\"model\":\"m\",\"prompt\":\"Hello, world!\",\"suffix\":\"Hello, world!\"}").input_tokens);
    EXPECT_INT(0, total_of(&rules, CHAT_COMPLETIONS, "{\"model\":\"m\"}").input_tokens);
    EXPECT_INT(4, total_of(&rules, CHAT_EMBEDDINGS, "{\"model\":\"m\",\"input\":\"Hello, world!\"}").input_tokens);
    EXPECT_INT(6, total_of(&rules, CHAT_EMBEDDINGS, "{\"model\":\"m\",\"input\":[\"Hello, world!\",[1,2]]}").input_tokens);
    EXPECT(!total_of(&rules, CHAT_EMBEDDINGS, "{\"model\":\"m\",\"input\":\"x\"}").is_estimated);
    rules.factor_milli = 1290;
    EXPECT_INT(6, total_of(&rules, CHAT_EMBEDDINGS, "{\"model\":\"m\",\"input\":\"Hello, world!\"}").input_tokens); /* 5.16 */
}

/* ---- The same whatever the way. */

/* Escapes, pairs of them, other scripts, a long word, and a text beyond the memo's threshold. */
static struct buf mixed_body(void)
{
    struct buf body;
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"\\ud83d\\ude00\\u4e2d\\n\\t\\\"x\\\" "
                            "\xE4\xB8\xAD\xE6\x96\x87 don't\"},{\"role\":\"user\",\"name\":\"bob\",\"content\":\""));
    for (int i = 0; i < 60; i++)
        buf_append(&body, SLICE("It's 1234567 \\u00e9t\\u00e9 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB\\r\\n\\r\\n  "));
    buf_append(&body, SLICE("\"},{\"role\":\"assistant\",\"content\":\""));
    for (int i = 0; i < 3000; i++)
        buf_append_char(&body, (char)('a' + i * i % 26));
    buf_append(&body, SLICE("\"}],\"tools\":[{\"type\":\"function\",\"function\":" WEATHER "}]}"));
    return body;
}

struct pair_of_totals {
    uint64_t o200k, cl100k;
};

static struct pair_of_totals both_totals(struct slice body, uint64_t step, struct memo *memo)
{
    struct counted_request q;
    struct count_rules o200k = rules_of(O200K), cl100k = rules_of(CL100K);
    struct pair_of_totals totals = {0, 0};
    if (open_request(&q, CHAT_CHAT, body, BOTH, memo)) {
        count_all(q.c, step);
        totals = (struct pair_of_totals){count_total(q.c, &o200k).input_tokens, count_total(q.c, &cl100k).input_tokens};
    }
    close_request(&q);
    return totals;
}

static void slices_of_every_size_are_the_whole(void)
{
    struct buf body = mixed_body();
    struct pair_of_totals whole = both_totals(buf_slice(&body), UINT64_MAX, NULL);
    EXPECT(whole.o200k > 1000 && whole.cl100k > 1000 && whole.o200k != whole.cl100k);
    for (uint64_t step = 1; step <= buf_len(&body) + 1; step += step < 300 ? 1 : 97) {
        struct pair_of_totals sliced = both_totals(buf_slice(&body), step, NULL);
        EXPECT_INT(whole.o200k, sliced.o200k);
        EXPECT_INT(whole.cl100k, sliced.cl100k);
    }
    buf_clear(&body);
}

static void one_vocabulary_alone_counts_as_in_a_set(void)
{
    struct buf body = mixed_body();
    struct pair_of_totals both = both_totals(buf_slice(&body), UINT64_MAX, NULL);
    struct count_rules rules = rules_of(CL100K);
    buf_append_char(&body, '\0');
    EXPECT_INT(both.cl100k, total_of(&rules, CHAT_CHAT, buf_ptr(&body)).input_tokens);
    rules = rules_of(O200K);
    EXPECT_INT(both.o200k, total_of(&rules, CHAT_CHAT, buf_ptr(&body)).input_tokens);
    buf_clear(&body);
}

/* More of them than are remembered, each again and again, and in another vocabulary later. */
static void roles_count_wherever_they_stand(void)
{
    static const char *const roles[] = {"user", "assistant", "system", "Donaudampfschiff", "tool", "xqzt_kwv", "us\\u0065r"};
    static const char *const read[] = {"user", "assistant", "system", "Donaudampfschiff", "tool", "xqzt_kwv", "user"};
    struct count_rules o200k = rules_of(O200K), cl100k = rules_of(CL100K);
    const struct vocabulary *first = o200k.vocabulary, *second = cl100k.vocabulary;
    struct counted_request q;
    struct buf body;
    uint64_t wanted[2] = {3, 3};
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":\"m\",\"messages\":["));
    for (size_t i = 0; i < 3 * sizeof roles / sizeof *roles; i++) {
        size_t role = i * 5 % (sizeof roles / sizeof *roles);
        buf_printf(&body, "%s{\"role\":\"%s\"}", i ? "," : "", roles[role]);
        wanted[0] += 3 + token_count(first, slice_str(read[role]));
        wanted[1] += 3 + token_count(second, slice_str(read[role]));
    }
    buf_append(&body, SLICE("]}"));
    EXPECT(wanted[0] != wanted[1]);
    if (open_request(&q, CHAT_CHAT, buf_slice(&body), 1u << vocabulary_index(first), NULL)) {
        count_all(q.c, UINT64_MAX);
        EXPECT_INT(wanted[0], count_total(q.c, &o200k).input_tokens);
        count_want(q.c, vocabulary_index(second));
        count_all(q.c, UINT64_MAX);
        EXPECT_INT(wanted[1], count_total(q.c, &cl100k).input_tokens);
    }
    close_request(&q);
    buf_clear(&body);
}

static void a_step_takes_about_what_it_is_given(void)
{
    struct counted_request q;
    struct buf body;
    size_t steps = 0, bytes = 3u << 20;
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\""));
    memset(buf_reserve(&body, bytes), 'x', bytes);
    buf_grew(&body, bytes);
    for (size_t i = 7; i < bytes; i += 8)
        buf_ptr(&body)[buf_len(&body) - i] = ' ';
    buf_append(&body, SLICE("\"}]}"));
    EXPECT(open_request(&q, CHAT_CHAT, buf_slice(&body), BOTH, NULL));
    while (!count_step(q.c, 16384))
        steps++;
    EXPECT(steps >= bytes / 16384 - 2 && steps <= bytes / 16384 + 2);
    close_request(&q);
    buf_clear(&body);
}

static void a_memo_changes_nothing(void)
{
    struct buf body = mixed_body();
    struct memo *memo = memo_new(LIMIT_COUNT_MEMO);
    struct pair_of_totals plain = both_totals(buf_slice(&body), UINT64_MAX, NULL);
    for (int i = 0; i < 3; i++) {
        struct pair_of_totals kept = both_totals(buf_slice(&body), i == 1 ? 100 : UINT64_MAX, memo);
        EXPECT_INT(plain.o200k, kept.o200k);
        EXPECT_INT(plain.cl100k, kept.cl100k);
    }
    memo_free(memo);
    buf_clear(&body);
}

static void a_memo_saves_the_work_and_knows_vocabularies_apart(void)
{
    struct counted_request q;
    struct memo *memo = memo_new(LIMIT_COUNT_MEMO);
    struct count_rules o200k = rules_of(O200K), cl100k = rules_of(CL100K);
    struct buf body;
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\""));
    for (int i = 0; i < 2000; i++)
        buf_append(&body, SLICE("\xE3\x81\xB2\xE3\x82\x89 x"));
    buf_append(&body, SLICE("\"}]}"));
    uint64_t first = both_totals(buf_slice(&body), UINT64_MAX, NULL).o200k, second = both_totals(buf_slice(&body), UINT64_MAX, NULL).cl100k;
    EXPECT(first != second);
    open_request(&q, CHAT_CHAT, buf_slice(&body), 1u << vocabulary_index(o200k.vocabulary), memo);
    EXPECT(!count_step(q.c, 2000)); /* 14,000 bytes are not counted in one */
    count_all(q.c, 2000);
    EXPECT_INT(first, count_total(q.c, &o200k).input_tokens);
    close_request(&q);
    open_request(&q, CHAT_CHAT, buf_slice(&body), 1u << vocabulary_index(cl100k.vocabulary), memo);
    EXPECT(!count_step(q.c, 2000)); /* the other's count is none of its own */
    count_all(q.c, 2000);
    EXPECT_INT(second, count_total(q.c, &cl100k).input_tokens);
    close_request(&q);
    open_request(&q, CHAT_CHAT, buf_slice(&body), BOTH, memo);
    EXPECT(count_step(q.c, 2000)); /* both are known now */
    EXPECT_INT(first, count_total(q.c, &o200k).input_tokens);
    EXPECT_INT(second, count_total(q.c, &cl100k).input_tokens);
    close_request(&q);
    memo_free(memo);
    buf_clear(&body);
}

/* More texts than there are places: each is counted as itself. */
static void a_full_memo_takes_no_text_for_another(void)
{
    struct counted_request q;
    struct memo *memo = memo_new(LIMIT_COUNT_MEMO);
    struct count_rules rules = rules_of(O200K);
    struct buf body;
    uint64_t totals[3];
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":\"m\",\"input\":[\"\""));
    for (unsigned i = 0; i < LIMIT_COUNT_MEMO + LIMIT_COUNT_MEMO / 4; i++) {
        buf_printf(&body, ",\"%u ", i);
        for (unsigned n = 0; n < LIMIT_COUNT_MEMO_BYTES_MIN; n++)
            buf_append_char(&body, n % 16 < i % 16 ? 'x' : ' ');
        buf_append_char(&body, '"');
    }
    buf_append(&body, SLICE("]}"));
    for (int i = 0; i < 3; i++) {
        open_request(&q, CHAT_EMBEDDINGS, buf_slice(&body), 1, i ? memo : NULL);
        count_all(q.c, UINT64_MAX);
        totals[i] = count_total(q.c, &rules).input_tokens;
        close_request(&q);
    }
    EXPECT_INT(totals[0], totals[1]);
    EXPECT_INT(totals[0], totals[2]);
    memo_free(memo);
    buf_clear(&body);
}

static void counting_stops_when_it_is_enough(void)
{
    struct counted_request q;
    struct count_rules rules = rules_of(O200K);
    struct buf body = mixed_body();
    uint64_t all = both_totals(buf_slice(&body), UINT64_MAX, NULL).o200k;
    open_request(&q, CHAT_CHAT, buf_slice(&body), 1, NULL);
    count_stop_above(q.c, 100);
    count_all(q.c, 64);
    struct count_total t = count_total(q.c, &rules);
    EXPECT(t.is_partial && t.input_tokens > 100 && t.input_tokens < all);
    close_request(&q);
    open_request(&q, CHAT_CHAT, buf_slice(&body), 1, NULL);
    count_stop_above(q.c, all);
    count_all(q.c, 64);
    t = count_total(q.c, &rules);
    EXPECT(!t.is_partial);
    EXPECT_INT(all, t.input_tokens);
    close_request(&q);
    open_request(&q, CHAT_EMBEDDINGS, SLICE("{\"model\":\"m\",\"input\":[1,2,3,4,5]}"), 1, NULL);
    count_stop_above(q.c, 4); /* ids count as well */
    count_all(q.c, 64);
    EXPECT(count_total(q.c, &rules).is_partial);
    close_request(&q);
    open_request(&q, CHAT_EMBEDDINGS, SLICE("{\"model\":\"m\",\"input\":[1,2,3,4,5]}"), 1, NULL);
    count_stop_above(q.c, 5); /* above, not at */
    count_all(q.c, 64);
    EXPECT(!count_total(q.c, &rules).is_partial);
    close_request(&q);
    buf_clear(&body);
}

/* ---- Parts. */

static void messages_have_their_shares(void)
{
    struct counted_request q;
    struct count_rules rules = rules_of(O200K);
    const char *body = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"name\":\"bob\",\"content\":\"Hello, world!\"},"
                       "{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"get_weather\",\"arguments\":\"\"}}]},"
                       "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x/y.png\"}}]}]}";
    uint64_t name = tokens("get_weather");
    EXPECT(open_request(&q, CHAT_CHAT, slice_str(body), 1, NULL));
    count_keep_messages(q.c);
    count_all(q.c, 10);
    EXPECT_INT(3, count_messages(q.c));
    EXPECT_INT(3 + 1 + 4 + 1 + 1, count_message(q.c, &rules, 0).tokens);
    EXPECT(!count_message(q.c, &rules, 0).is_estimated);
    EXPECT_INT(3 + 1 + name + 7, count_message(q.c, &rules, 1).tokens);
    EXPECT(count_message(q.c, &rules, 1).is_estimated);
    EXPECT_INT(3 + 1 + 1445, count_message(q.c, &rules, 2).tokens);
    EXPECT_INT(3 + 10 + (11 + name) + 1449, count_total(q.c, &rules).input_tokens);
    struct count_shares shares = count_shares(q.c, &rules);
    EXPECT_INT(1, shares.pictures);
    EXPECT_INT(1445, shares.picture_tokens);
    EXPECT(!shares.is_plain && !shares.has_unknown);
    close_request(&q);
}

static void who_is_exact_says_so(void)
{
    struct count_rules rules = rules_of(O200K), other = rules_of(CL100K);
    const char *body = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello, world!\"}]}";
    struct counted_request q;
    EXPECT(!total_of(&rules, CHAT_CHAT, body).is_estimated);
    EXPECT(count_is_exact(&rules) && !count_is_exact(NULL));
    EXPECT(total_of(NULL, CHAT_CHAT, body).is_estimated);
    EXPECT_INT(11, total_of(NULL, CHAT_CHAT, body).input_tokens);
    EXPECT_STR(O200K, vocabulary_name(count_vocabulary(NULL)));
    open_request(&q, CHAT_CHAT, slice_str(body), 1u << vocabulary_index(rules.vocabulary), NULL);
    count_all(q.c, UINT64_MAX);
    EXPECT(!count_total(q.c, &rules).is_estimated);
    EXPECT(count_total(q.c, &other).is_estimated); /* that vocabulary was not in the set */
    EXPECT_INT(11, count_total(q.c, &other).input_tokens);
    close_request(&q);
}

/* ---- What nobody should send. */

static void odd_shapes_count_what_is_text(void)
{
    struct count_rules rules = rules_of(O200K);
    EXPECT_INT(3 + 3, chat(&rules, "[{}]"));
    EXPECT_INT(3 + 3, chat(&rules, "[{\"role\":7,\"content\":7}]"));
    EXPECT_INT(3 + 3 + 1 + 1, chat(&rules, "[{\"role\":\"user\",\"content\":{\"text\":\"x\"}}]"));
    EXPECT_INT(3 + 3 + 1 + 16, chat(&rules, "[{\"role\":\"user\",\"content\":[[\"x\"],7,null,{\"text\":7},{\"image_url\":null}]}]"));
    EXPECT_INT(3 + 3, chat(&rules, "[{\"tool_calls\":{},\"function_call\":7,\"name\":{}}]"));
    EXPECT_INT(3 + 3, chat(&rules, "[{\"tool_calls\":[7,null,[],{\"function\":[]}]}]"));
    EXPECT_INT(3, total_of(&rules, CHAT_CHAT, "{\"model\":\"m\"}").input_tokens);
    EXPECT_INT(0, total_of(&rules, CHAT_EMBEDDINGS, "{\"model\":\"m\",\"input\":{}}").input_tokens);
    rules.request_tokens = -1000; /* never below nothing */
    EXPECT_INT(0, chat(&rules, "[]"));
}

/* Each property would be looked for among all required ones: a square that has an end. */
static void endless_tools_do_not_hold_up_the_loop(void)
{
    struct count_rules rules = rules_of(O200K);
    struct buf body;
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":\"m\",\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
                            "\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{}"));
    for (int i = 0; i < 200000; i++)
        buf_printf(&body, ",\"%x\":{}", i);
    buf_append(&body, SLICE("},\"required\":[\"b\""));
    for (int i = 200000; i-- > 0;)
        buf_printf(&body, ",\"y%x\"", i);
    buf_append(&body, SLICE("]}}}]}"));
    buf_append_char(&body, '\0');
    EXPECT(total_of(&rules, CHAT_CHAT, buf_ptr(&body)).input_tokens > 200000);
    buf_clear(&body);
}

int main(void)
{
    RUN(sums_messages_by_hand);
    RUN(names_count_by_rule);
    RUN(calls_are_names_arguments_and_what_stands_around);
    RUN(tools_count_as_they_are_told);
    RUN(formats_audio_and_files_are_estimates);
    RUN(prompts_and_inputs_have_no_format);
    RUN(slices_of_every_size_are_the_whole);
    RUN(one_vocabulary_alone_counts_as_in_a_set);
    RUN(roles_count_wherever_they_stand);
    RUN(a_step_takes_about_what_it_is_given);
    RUN(a_memo_changes_nothing);
    RUN(a_memo_saves_the_work_and_knows_vocabularies_apart);
    RUN(a_full_memo_takes_no_text_for_another);
    RUN(counting_stops_when_it_is_enough);
    RUN(messages_have_their_shares);
    RUN(who_is_exact_says_so);
    RUN(odd_shapes_count_what_is_text);
    RUN(endless_tools_do_not_hold_up_the_loop);
    return unit_close("count");
}
