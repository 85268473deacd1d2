/* Usage objects: each provider's spelling, what later reports change, and what is not believed. */
#include "../unit.h"

#include "base/limits.h"
#include "wire/usage.h"

static bool take_as(struct usage *u, enum usage_shape shape, const char *report)
{
    struct json_tape tape;
    struct fault why = {0};
    struct buf text;
    json_init(&tape);
    buf_init(&text);
    buf_printf(&text, "{\"usage\":%s}", report);
    if (!json_parse(&tape, buf_slice(&text), &why)) UNIT_FAIL("%s: %s", report, why.text);
    bool taken = usage_read(u, shape, &tape);
    json_clear(&tape);
    buf_clear(&text);
    return taken;
}

/* Of an answer that reports so. */
static bool take(struct usage *u, const char *report)
{
    return take_as(u, USAGE_SHAPE_OPENAI, report);
}

/* All that is billed as output. */
static int64_t output_billed(const struct usage *u)
{
    struct usage_parts parts;
    usage_normalise(u, &parts);
    return parts.count[USAGE_OUTPUT] + parts.count[USAGE_REASONING] + parts.count[USAGE_AUDIO_OUTPUT] +
           parts.count[USAGE_IMAGE_OUTPUT];
}

static struct usage read(const char *text)
{
    struct usage u;
    usage_init(&u);
    take(&u, text);
    return u;
}

static void what_is_not_reported_is_unknown(void)
{
    struct usage u = read("{}");
    EXPECT(!usage_is_known(&u));
    EXPECT(!u.is_suspect);
    EXPECT_INT(USAGE_UNKNOWN, u.input_tokens);
    EXPECT_INT(USAGE_UNKNOWN, u.cached_tokens);
    EXPECT_INT(USAGE_UNKNOWN, u.output_tokens);
}

static void expect_calls(enum usage_shape shape, const char *report, int64_t searches, int64_t others)
{
    struct usage u;
    struct usage_parts parts;
    usage_init(&u);
    take_as(&u, shape, report);
    usage_normalise(&u, &parts);
    EXPECT(!u.is_suspect);
    EXPECT_INT(searches, parts.count[USAGE_SEARCHES]);
    EXPECT_INT(others, parts.count[USAGE_TOOL_CALLS]);
    EXPECT_INT(7, usage_parts_input(&parts));
}

static void tools_that_the_provider_charges_for_are_parts(void)
{
    expect_calls(USAGE_SHAPE_ANTHROPIC, "{\"input_tokens\":7,\"output_tokens\":1,\"server_tool_use\":{\"web_search_requests\":2,"
                                        "\"web_fetch_requests\":5}}", 2, 0);
    expect_calls(USAGE_SHAPE_ANTHROPIC, "{\"input_tokens\":7,\"server_tool_use\":{\"code_execution_requests\":1}}", 0, 1);
    expect_calls(USAGE_SHAPE_ANTHROPIC, "{\"input_tokens\":7,\"server_tool_use\":null}", 0, 0);
    expect_calls(USAGE_SHAPE_RESPONSES, "{\"input_tokens\":7,\"server_side_tool_usage_details\":{\"web_search_calls\":1,"
                                        "\"x_search_calls\":2,\"code_interpreter_calls\":3,\"file_search_calls\":4,"
                                        "\"mcp_calls\":5}}", 3, 7);
    expect_calls(USAGE_SHAPE_OPENAI, "{\"prompt_tokens\":7,\"server_tool_use\":{\"web_search_requests\":1}}", 1, 0);
}

static void expect_tier(const char *report, const char *later, const char *want)
{
    struct usage u;
    usage_init(&u);
    take_as(&u, USAGE_SHAPE_ANTHROPIC, report);
    take_as(&u, USAGE_SHAPE_ANTHROPIC, later);
    EXPECT_SLICE(slice_str(want), usage_service_tier(&u));
}

/* Anthropic: each of them has rates of its own. */
static void speed_and_place_are_the_tiers_of_an_answer(void)
{
    expect_tier("{\"service_tier\":\"standard\",\"inference_geo\":\"global\",\"speed\":\"standard\"}", "{}", "standard");
    expect_tier("{\"service_tier\":\"priority\",\"inference_geo\":\"not_available\"}", "{}", "priority");
    expect_tier("{\"service_tier\":\"standard\",\"speed\":\"fast\"}", "{\"output_tokens\":1}", "fast");
    expect_tier("{\"service_tier\":\"standard\"}", "{\"inference_geo\":\"us\"}", "us");
    expect_tier("{\"service_tier\":\"priority\",\"speed\":\"fast\",\"inference_geo\":\"us\"}", "{}", "priority_fast_us");
    expect_tier("{}", "{}", "");
}

static void every_part_of_a_full_report_is_read(void)
{
    struct usage u =
        read("{\"prompt_tokens\":100,\"completion_tokens\":50,\"total_tokens\":150,\"prompt_tokens_details\":"
             "{\"cached_tokens\":60,\"cache_write_tokens\":7,\"audio_tokens\":3},"
             "\"completion_tokens_details\":{\"reasoning_tokens\":20,\"audio_tokens\":4}}");
    EXPECT(usage_is_known(&u));
    EXPECT(!u.is_suspect);
    EXPECT_INT(100, u.input_tokens);
    EXPECT_INT(50, u.output_tokens);
    EXPECT_INT(150, u.total_tokens);
    EXPECT_INT(60, u.cached_tokens);
    EXPECT_INT(7, u.cache_write_tokens);
    EXPECT_INT(20, u.reasoning_tokens);
    EXPECT_INT(3, u.audio_input_tokens);
    EXPECT_INT(4, u.audio_output_tokens);
    EXPECT_INT(50, output_billed(&u));
}

static void other_spellings_are_read(void)
{
    struct usage u = read("{\"prompt_tokens\":9,\"prompt_cache_hit_tokens\":5,\"prompt_cache_miss_tokens\":4}");
    EXPECT_INT(5, u.cached_tokens);
    u = read("{\"prompt_tokens\":9,\"cached_tokens\":6}");
    EXPECT_INT(6, u.cached_tokens);
    u = read("{\"prompt_tokens\":9,\"cached_tokens\":6,\"prompt_tokens_details\":{\"cached_tokens\":0}}");
    EXPECT_INT(0, u.cached_tokens);
    u = read("{\"prompt_tokens\":9,\"prompt_tokens_details\":null,\"prompt_cache_hit_tokens\":2}");
    EXPECT_INT(2, u.cached_tokens);
    u = read("{\"input_tokens\":9,\"input_tokens_details\":{\"cached_tokens\":1},\"output_tokens\":4,"
             "\"output_tokens_details\":{\"reasoning_tokens\":2},\"total_tokens\":13}");
    EXPECT_INT(9, u.input_tokens);
    EXPECT_INT(1, u.cached_tokens);
    EXPECT_INT(4, u.output_tokens);
    EXPECT_INT(2, u.reasoning_tokens);
    u = read("{\"prompt_\\u0074okens\":9}");
    EXPECT_INT(9, u.input_tokens);
    EXPECT(!u.is_suspect);
}

/* DashScope; proxies in front of Anthropic, which count the caches beside the prompt, or inside of it. */
static void cache_writes_have_many_names(void)
{
    static const char *const reports[] = {
        "{\"prompt_tokens\":2000,\"completion_tokens\":5,\"total_tokens\":2005,\"prompt_tokens_details\":"
        "{\"cached_tokens\":300,\"cache_creation_input_tokens\":1200,\"cache_creation\":{\"ephemeral_5m_input_tokens\":1200},"
        "\"cache_type\":\"ephemeral\"}}",
        "{\"prompt_tokens\":2000,\"completion_tokens\":5,\"total_tokens\":2005,\"cache_read_input_tokens\":300,"
        "\"cache_creation_input_tokens\":1200}",
        "{\"prompt_tokens\":500,\"completion_tokens\":5,\"total_tokens\":2005,\"cache_read_input_tokens\":300,"
        "\"cache_creation_input_tokens\":1200}",
        "{\"prompt_tokens\":500,\"completion_tokens\":5,\"cache_read_input_tokens\":300,"
        "\"cache_creation_input_tokens\":1200}",
    };
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
        struct usage_parts parts;
        struct usage u = read(reports[i]);
        usage_normalise(&u, &parts);
        EXPECT_INT(500, parts.count[USAGE_INPUT]);
        EXPECT_INT(300, parts.count[USAGE_CACHE_READ]);
        EXPECT_INT(1200, parts.count[USAGE_CACHE_WRITE_5M]);
        EXPECT_INT(5, parts.count[USAGE_OUTPUT]);
    }
}

/* A proxy that passes Anthropic's own report on: its caches are no part of its input. */
static void names_of_anthropic_lie_side_by_side(void)
{
    static const char *const reports[] = {
        "{\"input_tokens\":2000,\"output_tokens\":5,\"cache_read_input_tokens\":300,\"cache_creation_input_tokens\":1200}",
        "{\"input_tokens\":3500,\"output_tokens\":5,\"cache_read_input_tokens\":300,\"cache_creation_input_tokens\":1200,"
        "\"total_tokens\":3505}",
    };
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
        struct usage_parts parts;
        struct usage u = read(reports[i]);
        usage_normalise(&u, &parts);
        EXPECT_INT(2000, parts.count[USAGE_INPUT]);
        EXPECT_INT(300, parts.count[USAGE_CACHE_READ]);
        EXPECT_INT(1200, parts.count[USAGE_CACHE_WRITE_5M]);
        EXPECT(!u.is_suspect);
    }
}

static struct usage read_all(const char *json)
{
    struct json_tape tape;
    struct fault why;
    struct usage u;
    usage_init(&u);
    json_init(&tape);
    if (!json_parse(&tape, slice_str(json), &why)) UNIT_FAIL("%s: %s", json, why.text);
    usage_read(&u, USAGE_SHAPE_OPENAI, &tape);
    json_clear(&tape);
    return u;
}

/* Moonshot streams. */
static void a_choice_may_have_the_usage(void)
{
    struct usage u = read_all("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\",\"usage\":"
                              "{\"prompt_tokens\":12,\"completion_tokens\":7,\"total_tokens\":19,\"cached_tokens\":4}}]}");
    EXPECT_INT(12, u.input_tokens);
    EXPECT_INT(7, u.output_tokens);
    EXPECT_INT(4, u.cached_tokens);
    u = read_all("{\"choices\":[{\"usage\":null}],\"usage\":{\"prompt_tokens\":1}}");
    EXPECT_INT(1, u.input_tokens);
    EXPECT(!u.is_suspect);
    u = read_all("{\"choices\":[]}");
    EXPECT(!usage_is_known(&u) && !u.is_suspect);
    u = read_all("{\"choices\":[7]}");
    EXPECT(!usage_is_known(&u) && !u.is_suspect);
}

static void floats_that_are_integers_are_integers(void)
{
    struct usage u = read("{\"prompt_tokens\":12.0,\"completion_tokens\":1e3,\"total_tokens\":1.012e3}");
    EXPECT_INT(12, u.input_tokens);
    EXPECT_INT(1000, u.output_tokens);
    EXPECT_INT(1012, u.total_tokens);
    EXPECT(!u.is_suspect);
}

/* What was spent is not taken back; zeros alone are said. */
static void zeros_behind_numbers_change_nothing(void)
{
    struct usage u = read("{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":15}");
    EXPECT(take(&u, "{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}"));
    EXPECT_INT(10, u.input_tokens);
    EXPECT_INT(5, u.output_tokens);
    EXPECT_INT(15, u.total_tokens);
    EXPECT(!u.is_suspect);
    u = read("{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}");
    EXPECT_INT(0, u.output_tokens);
    EXPECT(!usage_has_output(&u));
    EXPECT(take(&u, "{\"prompt_tokens\":0,\"completion_tokens\":12,\"total_tokens\":12}"));
    EXPECT(usage_has_output(&u));
}

static void an_embedding_has_no_output(void)
{
    struct usage u = read("{\"prompt_tokens\":8,\"total_tokens\":8}");
    EXPECT_INT(USAGE_UNKNOWN, u.output_tokens);
    EXPECT_INT(0, output_billed(&u));
    EXPECT(!u.is_suspect);
}

static void later_reports_replace_part_by_part(void)
{
    struct usage u =
        read("{\"prompt_tokens\":25,\"completion_tokens\":1,\"prompt_tokens_details\":{\"cached_tokens\":5}}");
    EXPECT(take(&u, "{\"prompt_tokens\":null,\"completion_tokens\":15}"));
    EXPECT(!take(&u, "null"));
    EXPECT_INT(25, u.input_tokens);
    EXPECT_INT(15, u.output_tokens);
    EXPECT_INT(5, u.cached_tokens);
    EXPECT(!u.is_suspect);
}

/* xAI, Gemini's OpenAI mode: completion_tokens without the reasoning that total_tokens has. */
static void reasoning_beside_output_is_billed_once(void)
{
    struct usage u = read("{\"prompt_tokens\":12,\"completion_tokens\":1,\"total_tokens\":303,"
                          "\"completion_tokens_details\":{\"reasoning_tokens\":290}}");
    EXPECT_INT(1, u.output_tokens);
    EXPECT_INT(291, output_billed(&u));
    EXPECT(!u.is_suspect);
    u = read("{\"prompt_tokens\":100,\"completion_tokens\":977,\"total_tokens\":1077,"
             "\"completion_tokens_details\":{\"reasoning_tokens\":768}}");
    EXPECT_INT(977, output_billed(&u));
    EXPECT(!u.is_suspect);
}

static void what_cannot_be_is_marked_and_not_taken(void)
{
    static const char *const values[] = {
        "-1", "-1.0", "1.5", "1e16", "1e400", "\"12\"", "true", "[]", "{}", "9007199254740993", "99999999999999999999"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"prompt_tokens\":%s,\"completion_tokens\":3}", values[i]);
        struct usage u = read(text);
        EXPECT(u.is_suspect);
        EXPECT_INT(USAGE_UNKNOWN, u.input_tokens);
        EXPECT_INT(3, u.output_tokens);
    }
    struct usage u = read("{\"prompt_tokens\":9007199254740992}");
    EXPECT(!u.is_suspect);
    EXPECT(u.input_tokens == (int64_t)1 << 53);
    usage_init(&u);
    EXPECT(!take(&u, "[1]"));
    EXPECT(u.is_suspect);
}

static void sums_that_do_not_hold_are_marked(void)
{
    EXPECT(read("{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":4,\"completion_tokens_details\":"
                "{\"reasoning_tokens\":0}}")
               .is_suspect);
    /* Gemini's OpenAI mode names no reasoning: the rest is output. */
    EXPECT(!read("{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":4}").is_suspect);
    EXPECT(read("{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":6}").is_suspect);
    EXPECT(read("{\"prompt_tokens\":5,\"prompt_tokens_details\":{\"cached_tokens\":6}}").is_suspect);
    EXPECT(read("{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,\"completion_tokens_details\":"
                "{\"reasoning_tokens\":3}}")
               .is_suspect);
    EXPECT(!read("{\"prompt_tokens\":5,\"completion_tokens\":2}").is_suspect);
}

/* Two answers of a provider that floods: the count is there in both, and only believed in the first. */
static void a_report_is_no_flood(void)
{
    static char text[16 * (LIMIT_USAGE_MEMBERS + 2)];
    for (unsigned members = LIMIT_USAGE_MEMBERS; members <= LIMIT_USAGE_MEMBERS + 1; members++) {
        int len = snprintf(text, sizeof text, "{\"prompt_tokens\":7");
        for (unsigned i = 1; i < members; i++)
            len += snprintf(text + len, sizeof text - (size_t)len, ",\"m%u\":1", i);
        snprintf(text + len, sizeof text - (size_t)len, "}");
        struct usage u = read(text);
        bool is_flood = members > LIMIT_USAGE_MEMBERS;
        EXPECT_INT(is_flood, u.is_suspect);
        EXPECT_INT(is_flood ? USAGE_UNKNOWN : 7, u.input_tokens);
    }
}

/* A count that cannot be keeps the report suspect; sums that did not hold are judged by the last report alone. */
static void only_what_is_malformed_sticks(void)
{
    struct usage u = read("{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":6}");
    EXPECT(u.is_suspect);
    EXPECT(take(&u, "{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}"));
    EXPECT(!u.is_suspect);
    EXPECT(take(&u, "{\"prompt_tokens\":-5}"));
    EXPECT(take(&u, "{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}"));
    EXPECT(u.is_suspect);
}

int main(void)
{
    RUN(what_is_not_reported_is_unknown);
    RUN(tools_that_the_provider_charges_for_are_parts);
    RUN(speed_and_place_are_the_tiers_of_an_answer);
    RUN(every_part_of_a_full_report_is_read);
    RUN(other_spellings_are_read);
    RUN(cache_writes_have_many_names);
    RUN(names_of_anthropic_lie_side_by_side);
    RUN(a_choice_may_have_the_usage);
    RUN(floats_that_are_integers_are_integers);
    RUN(zeros_behind_numbers_change_nothing);
    RUN(an_embedding_has_no_output);
    RUN(later_reports_replace_part_by_part);
    RUN(reasoning_beside_output_is_billed_once);
    RUN(what_cannot_be_is_marked_and_not_taken);
    RUN(sums_that_do_not_hold_are_marked);
    RUN(a_report_is_no_flood);
    RUN(only_what_is_malformed_sticks);
    return unit_close("usage");
}
