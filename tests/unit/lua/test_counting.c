/*
 * Which rules count for which model, and how near they come to what providers counted: over the recordings of
 * ../shared/recordings (or where MOONGATE_RECORDINGS says), as many as were exact stay exact. `make count-table` prints all.
 */
#include "../unit.h"

#include "../../tokens/recorded.h"

#include "lua/counting.h"
#include "wire/count.h"

static const char *family(const char *model)
{
    return counting_family(counting_find(slice_str(model)));
}

static void the_longest_beginning_decides(void)
{
    EXPECT_STR("gpt-4o", family("gpt-4o"));
    EXPECT_STR("gpt-4o", family("gpt-4o-2024-08-06"));
    EXPECT_STR("gpt-4o-mini", family("gpt-4o-mini-2024-07-18"));
    EXPECT_STR("gpt-4", family("gpt-4-turbo"));
    EXPECT_STR("gpt-4.1-nano", family("gpt-4.1-nano"));
    EXPECT_STR("gpt-5.5", family("gpt-5.5-pro"));
    EXPECT_STR("claude-3-5-haiku", family("claude-3-5-haiku-latest"));
    EXPECT_STR("claude", family("claude-sonnet-4-5"));
    EXPECT_STR("llama-4", family("llama-4-scout"));
    EXPECT_STR("gpt-4o", family("GPT-4o"));
}

static void names_of_resellers_are_read_as_well(void)
{
    EXPECT_STR("gpt-4o", family("openai/gpt-4o"));
    EXPECT_STR("gpt-4o", family("openrouter/openai/gpt-4o:extended"));
    EXPECT_STR("gpt-4o-mini", family("ft:gpt-4o-mini-2024-07-18:acme::abc"));
    EXPECT_STR("claude", family("us.anthropic.claude-sonnet-4-20250514-v1:0"));
    EXPECT_STR("llama-3.", family("meta-llama/Llama-3.3-70B-Instruct-Turbo"));
    EXPECT_STR("llama-4", family("meta-llama/Llama-4-Scout-17B-16E-Instruct"));
    EXPECT_STR("gpt-oss", family("openai/gpt-oss-120b"));
}

static void unknown_names_have_no_family(void)
{
    EXPECT(!counting_find(SLICE("house-model")));
    EXPECT(!counting_find(SLICE("")));
    EXPECT(!counting_find(SLICE("my-gpt-4o"))); /* not at a beginning */
    EXPECT(!counting_find(SLICE("openai/")));
    EXPECT_STR("", family("house-model"));
    EXPECT_STR("o200k_base", vocabulary_name(count_vocabulary(NULL)));
}

static void families_name_their_limit(void)
{
    static const char *const completion[] = {"gpt-5", "gpt-5-mini-2025-08-07", "o1", "o1-mini", "o3-mini", "o4-mini", "gpt-5.5"};
    for (size_t i = 0; i < sizeof completion / sizeof completion[0]; i++)
        EXPECT_INT(CHAT_LIMIT_COMPLETION, counting_find(slice_str(completion[i]))->limit);
    EXPECT_INT(CHAT_LIMIT_TOKENS, counting_find(SLICE("mistral-small-latest"))->limit);
    EXPECT_INT(CHAT_LIMIT_TOKENS, counting_find(SLICE("deepseek-chat"))->limit);
    EXPECT_INT(CHAT_LIMIT_ANY, counting_find(SLICE("gpt-4o"))->limit);
    EXPECT_INT(CHAT_LIMIT_TOKENS, counting_find(SLICE("gpt-oss-120b"))->limit);
    EXPECT_INT(CHAT_LIMIT_TOKENS, counting_find(SLICE("llama3.1"))->limit);
}

static void families_name_their_vocabulary(void)
{
    EXPECT_STR("o200k_base", vocabulary_name(count_vocabulary(counting_find(SLICE("gpt-4o")))));
    EXPECT_STR("cl100k_base", vocabulary_name(count_vocabulary(counting_find(SLICE("gpt-4")))));
    EXPECT_STR("cl100k_base", vocabulary_name(count_vocabulary(counting_find(SLICE("text-embedding-3-small")))));
    EXPECT(count_is_exact(counting_find(SLICE("gpt-5"))));
    EXPECT(!count_is_exact(counting_find(SLICE("claude-opus-4-8"))));
    EXPECT_INT(143, count_output_tokens(counting_find(SLICE("claude-opus-4-8")), 100, 0));
}

/* ---- Recordings. */

struct seen {
    unsigned claimed, exact; /* of those that are said to be exact */
    unsigned estimated, within_fifth;
};

/* How many requests of each family came out as their provider counted them when this was last looked at. */
static struct {
    const char *family;
    unsigned least, exact;
} families[] = {
    {"gpt-3.5", 4, 0},  {"gpt-3.5-turbo-0301", 1, 0}, {"gpt-35", 2, 0},  {"gpt-4", 1, 0},      {"gpt-4.1-nano", 2, 0},
    {"gpt-4o", 1, 0},   {"gpt-4o-mini", 7, 0},        {"gpt-5", 3, 0},   {"gpt-5-nano", 2, 0}, {"gpt-5.5", 2, 0},
    {"gpt-5.6", 2, 0},  {"o3-mini", 1, 0},            {"text-embedding-3", 2, 0},              {"text-embedding-ada-002", 3, 0},
};
#define FAMILIES (sizeof families / sizeof families[0])

static void note_exact(const struct count_rules *rules)
{
    for (size_t i = 0; i < FAMILIES; i++)
        families[i].exact += strcmp(families[i].family, counting_family(rules)) == 0;
}

static void on_request(void *arg, const struct recorded *r)
{
    struct seen *seen = arg;
    const struct count_rules *rules = counting_find(slice_str(r->model));
    struct count *c = count_new(r->request, 1u << vocabulary_index(count_vocabulary(rules)), NULL);
    while (!count_step(c, 1000))
        continue;
    struct count_total total = count_total(c, rules);
    uint64_t ours = total.input_tokens, theirs = r->input_tokens, off = ours > theirs ? ours - theirs : theirs - ours;
    bool is_exact = !total.is_estimated && !r->has_hosted;
    seen->claimed += is_exact;
    seen->exact += is_exact && off == 0;
    if (is_exact && off == 0) note_exact(rules);
    if (!is_exact && !r->has_hosted) {
        seen->estimated++;
        seen->within_fifth += off <= 3 || off * 5 <= theirs;
    }
    count_free(c);
}

static struct seen seen;

/* Those that are not: a message that the provider replaced with a summary, a hidden thought of a message before, an old
 * snapshot under a deployment's name, a fixture that was edited. */
static void what_is_said_to_be_exact_is(void)
{
    EXPECT(seen.claimed >= 37);
    EXPECT(seen.exact >= 33);
    EXPECT(seen.claimed - seen.exact <= 4);
}

static void no_family_has_fallen_behind(void)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        if (families[i].exact < families[i].least) UNIT_FAIL("%s: %u are exact, %u were", families[i].family, families[i].exact, families[i].least);
    }
}

static void estimates_are_near(void)
{
    EXPECT(seen.estimated >= 120);
    EXPECT(seen.within_fifth * 100 >= seen.estimated * 70);
}

int main(void)
{
    const char *folder = getenv("MOONGATE_RECORDINGS");
    if (!folder) folder = "../shared/recordings";
    RUN(the_longest_beginning_decides);
    RUN(names_of_resellers_are_read_as_well);
    RUN(unknown_names_have_no_family);
    RUN(families_name_their_limit);
    RUN(families_name_their_vocabulary);
    if (recorded_each(folder, on_request, &seen)) {
        RUN(what_is_said_to_be_exact_is);
        RUN(no_family_has_fallen_behind);
        RUN(estimates_are_near);
    } else {
        printf("counting: there are no recordings in %s\n", folder);
    }
    printf("counting: %u of %u exact as said, %u of %u estimates within a fifth\n", seen.exact, seen.claimed, seen.within_fifth,
           seen.estimated);
    return unit_close("counting");
}
