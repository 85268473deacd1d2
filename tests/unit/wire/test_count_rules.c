/*
 * Requests as tokens: sums worked out by hand for each rule, and bodies that no client should send. Texts whose tokens are
 * known from test_tokens.c: "Hello, world!" is 4 in both vocabularies, a role 1.
 */
#include "count_apart.h"


static uint64_t tokens(const char *text)
{
    return token_count(vocabulary_at(0), slice_str(text));
}

static void expect_chat(uint64_t want, bool is_estimated, const char *messages)
{
    struct count_rules rules = apart(0);
    struct buf body;
    buf_init(&body);
    buf_printf(&body, MODEL "\"messages\":%s}", messages);
    struct count_total total = counted(buf_slice(&body), CHAT_CHAT, &rules);
    if (total.input_tokens != want) UNIT_FAIL("%s: expected %" PRIu64 ", got %" PRIu64, messages, want, total.input_tokens);
    if (total.is_estimated != is_estimated) UNIT_FAIL("%s: estimated %d", messages, total.is_estimated);
    EXPECT(!total.is_partial);
    buf_clear(&body);
}

/* ---- Each rule, apart. */

static void messages_are_their_texts_and_what_stands_around_them(void)
{
    expect_chat(100000000, false, "[]");
    expect_chat(101000005, false, "[{\"role\":\"user\",\"content\":\"" HELLO "\"}]");
    expect_chat(101000005, false, "[{\"role\":\"user\",\"content\":\"Hello, w\\u006frld\\u0021\"}]");
    expect_chat(102000010, false, "[{\"role\":\"system\",\"content\":\"" HELLO "\"},{\"role\":\"user\",\"content\":\"" HELLO "\"}]");
    expect_chat(101000001, false, "[{\"role\":\"assistant\",\"content\":null}]");
    expect_chat(101000001, false, "[{\"role\":\"user\",\"content\":\"\"}]");
    expect_chat(101000005, false, "[{\"content\":\"" HELLO "\",\"role\":\"user\",\"unheard\":\"of\"}]");
}

static void a_name_is_its_text_and_a_token(void)
{
    expect_chat(101100005, false, "[{\"role\":\"user\",\"name\":\"" HELLO "\"}]");
    expect_chat(101100002, false, "[{\"role\":\"user\",\"name\":\"user\"}]");
    expect_chat(101100001, false, "[{\"role\":\"user\",\"name\":\"\"}]");
    expect_chat(101100001, false, "[{\"name\":\"a\"}]");
    expect_chat(101000001, false, "[{\"role\":\"user\",\"name\":7}]");
}

static void a_name_that_is_the_role_may_add_no_text(void)
{
    struct count_rules rules = apart(0);
    rules.is_role_free = true;
    EXPECT_INT(101100001, counted(SLICE(MODEL "\"messages\":[{\"role\":\"user\",\"name\":\"user\"}]}"), CHAT_CHAT, &rules).input_tokens);
    EXPECT_INT(101100002, counted(SLICE(MODEL "\"messages\":[{\"role\":\"user\",\"name\":\"a\"}]}"), CHAT_CHAT, &rules).input_tokens);
    EXPECT_INT(102200003, counted(SLICE(MODEL "\"messages\":[{\"role\":\"user\",\"name\":\"user\"},{\"role\":\"user\",\"name\":\"system\"}]}"), CHAT_CHAT, &rules).input_tokens);
}

static void parts_and_refusals_are_texts(void)
{
    expect_chat(101000009, false, "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"" HELLO "\"},{\"type\":\"text\",\"text\":\"" HELLO "\"}]}]");
    expect_chat(101000009, false, "[{\"role\":\"user\",\"content\":[\"" HELLO "\",{\"text\":\"" HELLO "\"}]}]");
    expect_chat(101000009, false, "[{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"" HELLO "\"}],\"refusal\":\"" HELLO "\"}]");
    expect_chat(101000001, true, "[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AAAA\"}}]}]");
    expect_chat(101000001, true, "[{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{\"file_data\":\"AAAA\"}}]}]");
    expect_chat(101000001, true, "[{\"role\":\"assistant\",\"audio\":{\"id\":\"audio_1\"}}]");
    expect_chat(101000001, false, "[{\"role\":\"assistant\",\"audio\":null}]");
}

static void calls_are_their_names_and_arguments_and_what_stands_around_them(void)
{
    expect_chat(101020011, true, "[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"call_0123456789\",\"type\":\"function\","
                "\"function\":{\"name\":\"a\",\"arguments\":\"" HELLO "\"}},{\"type\":\"custom\",\"custom\":{\"name\":\"a\","
                "\"input\":\"" HELLO "\"}}]}]");
    expect_chat(101010006, true, "[{\"role\":\"assistant\",\"function_call\":{\"name\":\"a\",\"arguments\":\"" HELLO "\"}}]");
    expect_chat(101000001, false, "[{\"role\":\"assistant\",\"function_call\":null,\"tool_calls\":[]}]");
    expect_chat(101000001, false, "[{\"role\":\"assistant\",\"tool_calls\":[1,\"" HELLO "\",{\"function\":[]}]}]");
    expect_chat(101000005, false, "[{\"role\":\"tool\",\"tool_call_id\":\"call_0123456789\",\"content\":\"" HELLO "\"}]");
}

static void completions_and_embeddings_are_their_texts_and_ids(void)
{
    static const struct {
        enum chat_kind kind;
        uint64_t want;
        const char *body;
    } cases[] = {
        {CHAT_COMPLETIONS, 4, MODEL "\"prompt\":\"" HELLO "\"}"},
        {CHAT_COMPLETIONS, 8, MODEL "\"prompt\":\"" HELLO "\",\"suffix\":\"" HELLO "\"}"},
        {CHAT_COMPLETIONS, 8, MODEL "\"prompt\":[\"" HELLO "\",\"" HELLO "\"]}"},
        {CHAT_COMPLETIONS, 3, MODEL "\"prompt\":[1,99999999,3]}"},
        {CHAT_COMPLETIONS, 5, MODEL "\"prompt\":[[1,2],[3,4,5],[]]}"},
        {CHAT_COMPLETIONS, 0, MODEL "\"messages\":[{\"role\":\"user\",\"content\":\"" HELLO "\"}]}"},
        {CHAT_COMPLETIONS, 0, MODEL "\"prompt\":null}"},
        {CHAT_EMBEDDINGS, 4, MODEL "\"input\":\"" HELLO "\"}"},
        {CHAT_EMBEDDINGS, 9, MODEL "\"input\":[\"" HELLO "\",\"" HELLO "\",7]}"},
        {CHAT_EMBEDDINGS, 2, MODEL "\"input\":[[1,2]]}"},
        {CHAT_EMBEDDINGS, 0, MODEL "\"input\":[]}"},
    };
    struct count_rules rules = apart(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct count_total total = counted(slice_str(cases[i].body), cases[i].kind, &rules);
        if (total.input_tokens != cases[i].want) UNIT_FAIL("%s: %" PRIu64, cases[i].body, total.input_tokens);
        EXPECT(!total.is_estimated);
    }
}

/* ---- Tools. */

static void expect_rendered(const char *members, const char *want)
{
    struct counting c;
    struct buf body;
    struct found found = {0};
    buf_init(&body);
    buf_printf(&body, MODEL "\"messages\":[],%s}", members);
    counting_open(&c, buf_slice(&body), CHAT_CHAT, 1, NULL);
    count_find(&c.r, &found);
    EXPECT_SLICE(slice_str(want), buf_slice(&found.tools));
    EXPECT_INT(c.r.tool_count, found.tools_count);
    counting_run(&c, WHOLE);
    struct count_rules rules = apart(0);
    EXPECT_INT(110000000 + tokens(want), count_total(c.count, &rules).input_tokens);
    EXPECT_INT(10000000 + tokens(want), count_shares(c.count, &rules).tools_tokens);
    EXPECT_INT(c.r.tool_count, count_shares(c.count, &rules).tools);
    EXPECT(count_total(c.count, &rules).is_estimated);
    found_clear(&found);
    counting_close(&c);
    buf_clear(&body);
}

#define SPACE(inside) "namespace functions {\n\n" inside "} // namespace functions"

static void functions_are_declared_in_typescript(void)
{
    expect_rendered("\"tools\":[" FUNCTION("\"name\":\"now\"") "]", SPACE("type now = () => any;\n\n"));
    expect_rendered("\"functions\":[{\"name\":\"now\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}]",
                    SPACE("type now = () => any;\n\n"));
    expect_rendered("\"functions\":[{\"name\":\"a\"}],\"tools\":[" FUNCTION("\"name\":\"b\",\"description\":\"\\\"B\\\"\"") "]",
                    SPACE("type a = () => any;\n\n// \"B\"\ntype b = () => any;\n\n"));
    expect_rendered("\"tools\":[" FUNCTION("\"name\":\"weather\",\"description\":\"The weather.\",\"parameters\":{\"type\":\"object\","
                    "\"required\":[\"c\\u0069ty\"],\"properties\":{\"city\":{\"type\":\"string\",\"description\":\"Where\"},"
                    "\"days\":{\"type\":\"integer\"},\"unit\":{\"type\":\"string\",\"enum\":[\"C\",\"F\",1,null]},\"exact\":{\"type\":"
                    "\"boolean\"}}}") "]",
                    SPACE("// The weather.\ntype weather = (_: {\n// Where\ncity: string,\ndays?: number,\nunit?: \"C\" | \"F\" | 1 | null,\n"
                          "exact?: boolean,\n}) => any;\n\n"));
}

static void types_are_declared_as_deep_as_they_go(void)
{
    expect_rendered("\"tools\":[" FUNCTION("\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{\"at\":{\"type\":\"object\","
                    "\"required\":[\"x\"],\"properties\":{\"x\":{\"type\":\"number\",\"description\":\"to the right\"},\"in\":{\"type\":\"object\"}}},"
                    "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\"}}}},"
                    "\"any\":{\"type\":\"array\"},\"deep\":{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}},"
                    "\"none\":{},\"both\":{\"type\":[\"string\",\"null\"]},\"ref\":{\"$ref\":\"#/x\"}}}") "]",
                    SPACE("type f = (_: {\nat?: {\n  // to the right\n  x: number,\n  in?: {\n  },\n},\nlist?: {\n  s?: string,\n}[],\n"
                          "any?: any[],\ndeep?: number[][],\nnone?: any,\nboth?: any,\nref?: any,\n}) => any;\n\n"));
}

static void other_tools_stand_as_they_are(void)
{
    expect_rendered("\"tools\":[{\"type\":\"web_search\",  \"n\":1}," FUNCTION("\"name\":\"a\"") "]",
                    SPACE("{\"type\":\"web_search\",  \"n\":1}type a = () => any;\n\n"));
    expect_rendered("\"tools\":[1,null,{},[]],\"functions\":[7]", SPACE("type  = () => any;\n\n1null{}[]"));
    expect_rendered("\"tools\":[" FUNCTION("\"name\":7,\"description\":[],\"parameters\":\"none\"") "]", SPACE("type  = () => any;\n\n"));
}

static void no_tools_add_nothing(void)
{
    struct count_rules rules = apart(0);
    EXPECT_INT(100000000, counted(SLICE(MODEL "\"messages\":[],\"tools\":[],\"functions\":[]}"), CHAT_CHAT, &rules).input_tokens);
    EXPECT_INT(100000000, counted(SLICE(MODEL "\"messages\":[],\"tools\":null,\"functions\":null}"), CHAT_CHAT, &rules).input_tokens);
    EXPECT(!counted(SLICE(MODEL "\"messages\":[],\"tools\":[]}"), CHAT_CHAT, &rules).is_estimated);
}

static uint64_t with_choice(const struct count_rules *rules, const char *choice)
{
    struct buf body = {0};
    buf_printf(&body, "{\"model\":\"m\",\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],%s}", choice);
    uint64_t sum = counted(buf_slice(&body), CHAT_CHAT, rules).input_tokens;
    buf_clear(&body);
    return sum;
}

#define NAMED "{\"type\":\"function\",\"function\":{\"name\":\"get_weather\"}}"

/* By the provider's own counts: 7 and the name for a named one, 1 for none; nothing for the others. */
static void a_choice_of_tools_counts(void)
{
    struct count_rules rules = {.vocabulary = vocabulary_at(0), .factor_milli = 1000, .is_exact = true, .request_tokens = 3,
                                .tools_tokens = 9, .choice_tokens = 7, .no_choice_tokens = 1};
    uint64_t automatic = with_choice(&rules, "\"tool_choice\":\"auto\"");
    EXPECT_INT(3 + tokens("namespace functions {\n\ntype f = () => any;\n\n} // namespace functions") + 9, automatic);
    EXPECT_INT(automatic, with_choice(&rules, "\"tool_choice\":\"required\""));
    EXPECT_INT(automatic, with_choice(&rules, "\"tool_choice\":null"));
    EXPECT_INT(automatic, with_choice(&rules, "\"tool_choice\":{\"type\":\"allowed_tools\"}"));
    EXPECT_INT(automatic + 1, with_choice(&rules, "\"tool_choice\":\"none\""));
    EXPECT_INT(automatic + 7 + tokens("get_weather"), with_choice(&rules, "\"tool_choice\":" NAMED));
    EXPECT_INT(automatic + 7 + tokens("get_weather"), with_choice(&rules, "\"function_call\":{\"name\":\"get_weather\"}"));
    EXPECT_INT(automatic + 7 + tokens("f"),
               with_choice(&rules, "\"tool_choice\":{\"type\":\"custom\",\"custom\":{\"name\":\"f\"}}"));
    struct slice body = SLICE(MODEL "\"messages\":[],\"tool_choice\":" NAMED "}");
    struct count_total alone = counted(body, CHAT_CHAT, &rules);
    EXPECT_INT(3, alone.input_tokens);
    EXPECT(!alone.is_estimated);
    rules.choice_tokens = rules.no_choice_tokens = 0; /* nobody knows what others make of it */
    EXPECT_INT(automatic, with_choice(&rules, "\"tool_choice\":" NAMED));
    EXPECT_INT(automatic, with_choice(&rules, "\"tool_choice\":\"none\""));
}

static void tools_beside_a_system_message_may_count_otherwise(void)
{
    static const char *const roles[] = {"system", "developer", "user"};
    uint64_t text = tokens(SPACE("type a = () => any;\n\n"));
    for (size_t i = 0; i < 3; i++) {
        struct count_rules rules = apart(0);
        struct buf body;
        buf_init(&body);
        buf_printf(&body, MODEL "\"messages\":[{\"role\":\"%s\"}],\"tools\":[" FUNCTION("\"name\":\"a\"") "]}", roles[i]);
        uint64_t want = 111000000 + (i < 2 ? 50000000 : 0) + tokens(roles[i]) + text;
        EXPECT_INT(want, counted(buf_slice(&body), CHAT_CHAT, &rules).input_tokens);
        buf_clear(&body);
    }
}

static void a_schema_of_the_answer_is_counted_as_it_stands(void)
{
    struct count_rules rules = apart(0);
    uint64_t want = 100000000 + tokens("{\"name\":\"n\\u006f\", \"schema\":{}}");
    struct slice body = SLICE(MODEL "\"messages\":[],\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\\u006f\", "
                                    "\"schema\":{}}}}");
    EXPECT_INT(want, counted(body, CHAT_CHAT, &rules).input_tokens);
    EXPECT(counted(body, CHAT_CHAT, &rules).is_estimated);
    body = SLICE(MODEL "\"messages\":[],\"response_format\":{\"type\":\"json_object\"}}");
    EXPECT_INT(100000000, counted(body, CHAT_CHAT, &rules).input_tokens);
    EXPECT_INT(100000000, counted(SLICE(MODEL "\"messages\":[],\"response_format\":7}"), CHAT_CHAT, &rules).input_tokens);
}

/* ---- Other vocabularies, factors, unknown models. */

static void both_vocabularies_are_counted_at_once(void)
{
    struct counting c;
    struct count_rules o200k = apart(0), cl100k = apart(1);
    /* 5 and 20 tokens, as test_tokens.c has it */
    struct slice body = SLICE(MODEL "\"messages\":[{\"role\":\"user\",\"content\":\"한국어 ภาษาไทย हिन्दी\"}]}");
    counting_open(&c, body, CHAT_CHAT, BOTH, NULL);
    counting_run(&c, 5);
    EXPECT_INT(101000006, count_total(c.count, &o200k).input_tokens);
    EXPECT_INT(101000021, count_total(c.count, &cl100k).input_tokens);
    EXPECT(!count_total(c.count, &o200k).is_estimated && !count_total(c.count, &cl100k).is_estimated);
    counting_close(&c);
    EXPECT_INT(101000006, counted(body, CHAT_CHAT, &o200k).input_tokens);
    EXPECT_INT(101000021, counted(body, CHAT_CHAT, &cl100k).input_tokens);
}

static void a_vocabulary_that_was_not_counted_is_estimated_by_another(void)
{
    struct counting c;
    struct count_rules o200k = apart(0), cl100k = apart(1);
    struct slice body = SLICE(MODEL "\"messages\":[{\"role\":\"user\",\"content\":\"한국어 ภาษาไทย हिन्दी\"}]}");
    for (unsigned v = 0; v < VOCABULARIES; v++) {
        uint64_t want = v == 0 ? 101000006 : 101000021;
        counting_open(&c, body, CHAT_CHAT, 1u << v, NULL);
        counting_run(&c, WHOLE);
        EXPECT_INT(want, count_total(c.count, &o200k).input_tokens);
        EXPECT_INT(want, count_total(c.count, &cl100k).input_tokens);
        EXPECT_INT(v == 1, count_total(c.count, &o200k).is_estimated);
        EXPECT_INT(v == 0, count_total(c.count, &cl100k).is_estimated);
        counting_close(&c);
    }
}

static void factors_round_up_once(void)
{
    struct count_rules rules = apart(0);
    rules.factor_milli = 1100;
    struct slice body = SLICE(MODEL "\"messages\":[{\"role\":\"user\",\"content\":\"" HELLO "\"},{\"role\":\"user\",\"content\":\"" HELLO "\"}]}");
    EXPECT_INT(102000011, counted(body, CHAT_CHAT, &rules).input_tokens);
    EXPECT_INT(5, counted(SLICE(MODEL "\"prompt\":\"" HELLO "\"}"), CHAT_COMPLETIONS, &rules).input_tokens);
    EXPECT_INT(0, count_scale(&rules, 0));
    EXPECT_INT(11, count_scale(&rules, 10));
    EXPECT_INT(20011, count_output_tokens(&rules, 10, 2));
    EXPECT_INT(24, count_output_tokens(NULL, 10, 2));
}

static void an_unknown_model_is_estimated(void)
{
    struct slice body = SLICE(MODEL "\"messages\":[{\"role\":\"user\",\"name\":\"a\",\"content\":\"" HELLO "\"}]}");
    struct count_total total = counted(body, CHAT_CHAT, NULL);
    EXPECT_INT(3 + 3 + 1 + 4 + 1 + 1, total.input_tokens);
    EXPECT(total.is_estimated);
    EXPECT(!count_is_exact(NULL));
    EXPECT(count_vocabulary(NULL) == vocabulary_at(0));
}

static void sums_below_nothing_are_nothing(void)
{
    struct count_rules rules = apart(0);
    rules.request_tokens = rules.message_tokens = -1000;
    rules.name_tokens = rules.call_tokens = rules.tools_tokens = -100;
    EXPECT_INT(0, counted(SLICE(MODEL "\"messages\":[]}"), CHAT_CHAT, &rules).input_tokens);
    EXPECT_INT(0, counted(SLICE(MODEL "\"messages\":[{},{\"role\":\"user\",\"content\":\"" HELLO "\"}]}"), CHAT_CHAT, &rules).input_tokens);
    struct counting c;
    counting_open(&c, SLICE(MODEL "\"messages\":[{},{\"role\":\"user\"}]}"), CHAT_CHAT, 1, NULL);
    count_keep_messages(c.count);
    counting_run(&c, WHOLE);
    EXPECT_INT(0, count_message(c.count, &rules, 0).tokens);
    EXPECT_INT(0, count_message(c.count, &rules, 1).tokens);
    counting_close(&c);
}

/* ---- What no client should send. */

static void what_is_no_message_is_counted_as_far_as_it_goes(void)
{
    expect_chat(104000000, false, "[1,null,true,[]]");
    expect_chat(101000000, false, "[\"" HELLO "\"]");
    expect_chat(101000000, false, "[{}]");
    expect_chat(101000000, false, "[{\"role\":1,\"content\":2,\"name\":{},\"refusal\":[]}]");
    expect_chat(101000004, false, "[{\"role\":{},\"content\":{\"text\":\"" HELLO "\"}}]");
    /* A list of what are no parts is an object like another, and is read with its punctuation. */
    expect_chat(101000023, false, "[{\"content\":[1,null,[],{},{\"text\":7},{\"text\":\"" HELLO "\"},[\"" HELLO "\"]]}]");
    struct count_rules rules = apart(0);
    EXPECT_INT(100000000, counted(SLICE(MODEL "\"messages\":null}"), CHAT_CHAT, &rules).input_tokens);
    EXPECT_INT(100000000, counted(SLICE("{\"model\":\"m\"}"), CHAT_CHAT, &rules).input_tokens);
    EXPECT_INT(0, counted(SLICE(MODEL "\"prompt\":{},\"suffix\":3}"), CHAT_COMPLETIONS, &rules).input_tokens);
    EXPECT_INT(5, counted(SLICE(MODEL "\"input\":{\"a\":\"" HELLO "\",\"b\":[[[1]]]}}"), CHAT_EMBEDDINGS, &rules).input_tokens);
}

static void deep_schemas_are_rendered_to_their_end(void)
{
    struct count_rules rules = apart(0);
    struct buf body;
    buf_init(&body);
    buf_append(&body, SLICE(MODEL "\"messages\":[],\"functions\":[{\"name\":\"f\",\"parameters\":{\"properties\":{\"a\":"));
    for (int i = 0; i < 58; i++)
        buf_append(&body, SLICE("{\"type\":\"array\",\"items\":"));
    buf_append(&body, SLICE("{}"));
    for (int i = 0; i < 58; i++)
        buf_append_char(&body, '}');
    buf_append(&body, SLICE("}}}]}"));
    EXPECT(counted(buf_slice(&body), CHAT_CHAT, &rules).input_tokens > 110000000 + 58 / 4);
    buf_clear(&body);
}

/* Each of many properties looked for among as many required ones: it must not take the square of them. */
static void a_schema_with_many_names_is_no_work_for_minutes(void)
{
    struct count_rules rules = apart(0);
    struct buf body;
    buf_init(&body);
    buf_append(&body, SLICE(MODEL "\"messages\":[],\"functions\":[{\"name\":\"f\",\"parameters\":{\"properties\":{\"a0\":{}"));
    for (int i = 1; i < 200000; i++)
        buf_printf(&body, ",\"a%d\":{}", i);
    buf_append(&body, SLICE("},\"required\":[\"a0\""));
    for (int i = 1; i < 200000; i++)
        buf_append(&body, SLICE(",\"b\""));
    buf_append(&body, SLICE("]}}]}"));
    EXPECT(counted(buf_slice(&body), CHAT_CHAT, &rules).input_tokens > 110000000 + 200000 * 4);
    buf_clear(&body);
}

static void a_hundred_thousand_messages_are_counted(void)
{
    struct count_rules rules = apart(0);
    struct buf body;
    struct counting c;
    rules.message_tokens = 3;
    buf_init(&body);
    buf_append(&body, SLICE(MODEL "\"messages\":[{}"));
    for (int i = 1; i < 100000; i++)
        buf_append(&body, SLICE(",{\"role\":\"user\",\"content\":\"\"}"));
    buf_append(&body, SLICE("]}"));
    counting_open(&c, buf_slice(&body), CHAT_CHAT, 1, NULL);
    count_keep_messages(c.count);
    EXPECT(counting_run(&c, 1000) > 100000 * 5 / 1000); /* empty texts are work as well */
    EXPECT_INT(100000000 + 300000 + 99999, count_total(c.count, &rules).input_tokens);
    EXPECT_INT(3, count_message(c.count, &rules, 0).tokens);
    EXPECT_INT(4, count_message(c.count, &rules, 99999).tokens);
    counting_close(&c);
    buf_clear(&body);
}

static void names_may_be_of_any_length(void)
{
    struct count_rules rules = apart(0);
    struct buf body, name;
    buf_init(&body);
    buf_init(&name);
    for (int i = 0; i < 100000; i++)
        buf_append(&name, SLICE("name"));
    buf_printf(&body, MODEL "\"messages\":[{\"role\":\"user\",\"name\":\"%.*s\"}]}", SLICE_FMT(buf_slice(&name)));
    EXPECT_INT(101100001 + token_count(vocabulary_at(0), buf_slice(&name)), counted(buf_slice(&body), CHAT_CHAT, &rules).input_tokens);
    buf_clear(&body);
    buf_clear(&name);
}

int main(void)
{
    RUN(messages_are_their_texts_and_what_stands_around_them);
    RUN(a_name_is_its_text_and_a_token);
    RUN(a_name_that_is_the_role_may_add_no_text);
    RUN(parts_and_refusals_are_texts);
    RUN(calls_are_their_names_and_arguments_and_what_stands_around_them);
    RUN(completions_and_embeddings_are_their_texts_and_ids);
    RUN(functions_are_declared_in_typescript);
    RUN(types_are_declared_as_deep_as_they_go);
    RUN(other_tools_stand_as_they_are);
    RUN(no_tools_add_nothing);
    RUN(a_choice_of_tools_counts);
    RUN(tools_beside_a_system_message_may_count_otherwise);
    RUN(a_schema_of_the_answer_is_counted_as_it_stands);
    RUN(both_vocabularies_are_counted_at_once);
    RUN(a_vocabulary_that_was_not_counted_is_estimated_by_another);
    RUN(factors_round_up_once);
    RUN(an_unknown_model_is_estimated);
    RUN(sums_below_nothing_are_nothing);
    RUN(what_is_no_message_is_counted_as_far_as_it_goes);
    RUN(deep_schemas_are_rendered_to_their_end);
    RUN(a_schema_with_many_names_is_no_work_for_minutes);
    RUN(a_hundred_thousand_messages_are_counted);
    RUN(names_may_be_of_any_length);
    return unit_close("count_rules");
}
