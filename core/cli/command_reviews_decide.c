#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/slice.h"
#include "cli/reviews_inner.h"
#include "store/registry/reviews.h"

#define WORDS_MAX 64
#define EXAMPLE "moongate reviews decide rvw_7Q2fR8sT1uVw keep 1-12 14 --note \"still in use\""

struct deciding {
    struct common_options common;
    const char *words[WORDS_MAX]; /* the id, the answer, the items */
    size_t count;
    const char *note, *until, *scope, *reason;
    struct option_list departments;
};

/* ---- Which items. */

static bool add_span(json_t *items, const char *word)
{
    uint64_t first, last;
    struct slice rest, from = slice_split(slice_str(word), '-', &rest);
    bool is_good = slice_to_u64(from, &first) && (rest.len ? slice_to_u64(rest, &last) : (last = first) > 0) && first &&
                   last >= first && last <= LIMIT_REVIEW_ITEMS;
    for (uint64_t n = first; is_good && n <= last; n++)
        json_array_append_new(items, json_integer((json_int_t)n));
    if (!is_good) cli_usage_error(EXAMPLE, "`%s` is no item, and no span of them", word);
    return is_good;
}

static void add_waiting(json_t *items, const json_t *entries, const char *recommended)
{
    size_t i;
    json_t *item;
    json_array_foreach ((json_t *)(uintptr_t)entries, i, item)
        if (json_is_true(json_object_get(item, "waits_for_me")) &&
            (!recommended || strcmp(reviews_text(item, "recommend"), recommended) == 0))
            json_array_append(items, json_object_get(item, "n"));
}

/* "all": those that wait for him; "recommended": of these those for which this answer is. */
static bool add_word(const struct deciding *d, json_t *items, const char *word, int *code)
{
    struct governed g;
    bool is_all = strcmp(word, "all") == 0, is_recommended = strcmp(word, "recommended") == 0;
    if (!is_all && !is_recommended) return add_span(items, word) || ((*code = CLI_USAGE), false);
    if (!reviews_ask(&d->common, "GET", "/reviews/%s", d->words[0], NULL, &g, code)) return false;
    const char *answer = strcmp(d->words[1], "keep") == 0 ? "" : d->words[1];
    add_waiting(items, json_object_get(g.body, "entries"), is_all ? NULL : answer);
    governing_end(&g);
    return true;
}

/* ---- The answer. */

static json_t *body_of(const struct deciding *d, json_t *items)
{
    json_t *departments = d->departments.count ? json_array() : NULL;
    for (size_t i = 0; i < d->departments.count; i++)
        json_array_append_new(departments, json_string(d->departments.items[i]));
    json_t *end = governing_instant("--until", d->until);
    if (!end) {
        json_decref(departments);
        return NULL;
    }
    json_t *body = json_pack("{s:O, s:s, s:s?, s:s?, s:s?, s:o}", "items", items, "decision", d->words[1], "note",
                             d->note, "scope", d->scope, "reason", d->reason, "ends_at", end);
    if (departments) json_object_set_new(body, "departments", departments);
    return body;
}

static int send_answer(const struct deciding *d, json_t *items)
{
    int code;
    struct governed g;
    json_t *body = body_of(d, items);
    if (!body) return CLI_USAGE;
    if (!reviews_ask(&d->common, "POST", "/reviews/%s/items", d->words[0], body, &g, &code)) return code;
    size_t count = json_array_size(items);
    if (d->common.is_json) cli_print_json(json_incref(g.body));
    else
        printf("%s: %zu item%s of %s, in one act; %" PRId64 " of %" PRId64 " are answered\n", d->words[1], count,
               count == 1 ? "" : "s", d->words[0], reviews_number(g.body, "decided"), reviews_number(g.body, "items"));
    governing_end(&g);
    return CLI_OK;
}

static int decide(const struct deciding *d)
{
    int code = CLI_OK;
    json_t *items = json_array();
    bool is_good = true;
    for (size_t i = 2; is_good && i < d->count; i++)
        is_good = add_word(d, items, d->words[i], &code);
    if (is_good && !json_array_size(items)) code = cli_error(CLI_FOUND, NULL, "none of these items waits for you");
    else if (is_good) code = send_answer(d, items);
    json_decref(items);
    return code;
}

int command_reviews_decide(int argc, char **argv)
{
    static struct deciding d;
    const struct option options[] = {{"--note", OPTION_TEXT, &d.note},
                                     {"--until", OPTION_TEXT, &d.until},
                                     {"--scope", OPTION_TEXT, &d.scope},
                                     {"--department", OPTION_LIST, &d.departments},
                                     {"--reason", OPTION_TEXT, &d.reason},
                                     {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &d.common, d.words, &d.count, WORDS_MAX)) return CLI_USAGE;
    if (d.common.is_help) return command_help(2, (char *[]){"reviews", "decide"});
    if (d.count < 3) return cli_usage_error(EXAMPLE, "say of which review, what, and which items");
    return decide(&d);
}

/* ---- In somebody's place. */

int command_reviews_delegate(int argc, char **argv)
{
    int code;
    static const char *until, *reason;
    const struct option options[] = {
        {"--until", OPTION_TEXT, &until}, {"--reason", OPTION_TEXT, &reason}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct governed g;
    const char *words[2];
    size_t count;
    if (!cli_options(argc, argv, options, &common, words, &count, 2)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"reviews", "delegate"});
    if (count != 2 || !until)
        return cli_usage_error("moongate reviews delegate rvw_7Q2fR8sT1uVw per_7Q2fR8sT1uVw --until 7d",
                               "say of which review, to whom, and until when");
    json_t *end = governing_instant("--until", until);
    if (!end) return CLI_USAGE;
    json_t *body = json_pack("{s:s, s:o, s:s?}", "delegate", words[1], "ends_at", end, "reason", reason);
    if (!reviews_ask(&common, "POST", "/reviews/%s/delegate", words[0], body, &g, &code)) return code;
    if (common.is_json) cli_print_json(json_incref(g.body));
    else printf("%s may answer in your place\n", words[1]);
    governing_end(&g);
    return CLI_OK;
}

/* ---- The end. */

int command_reviews_complete(int argc, char **argv)
{
    int code;
    static const char *reason;
    const struct option options[] = {{"--reason", OPTION_TEXT, &reason}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct governed g;
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"reviews", "complete"});
    if (count != 1) return cli_usage_error("`moongate reviews list` shows them", "the id of a review");
    if (!reviews_settle(&common, id)) return CLI_USAGE;
    json_t *body = json_pack("{s:s?}", "reason", reason);
    if (!reviews_ask(&common, "POST", "/reviews/%s/complete", id, body, &g, &code)) return code;
    if (common.is_json) cli_print_json(json_incref(g.body));
    else
        printf("complete: %" PRId64 " of %" PRId64 " answered; `moongate reviews evidence %s` shows the evidence\n",
               reviews_number(g.body, "decided"), reviews_number(g.body, "items"), id);
    governing_end(&g);
    return CLI_OK;
}
