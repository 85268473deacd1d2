#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "cli/approvals_inner.h"
#include "cli/ask.h"
#include "cli/reviews_inner.h"
#include "lua/bundle.h"
#include "store/registry/reviews.h"

#define NOW "the folder"

/* What is made of the rows that are to go. */
struct patching {
    struct approvals a;
    struct ask_loaded loaded;
    const char *id;
    json_t *answers;  /* what the script is asked */
    int64_t *numbers; /* of these items */
    size_t count;
    json_t *made; /* {"files", "diff", "left"} */
    bool is_json;
};

/* ---- Which rows. */

static bool is_to_go(const json_t *item)
{
    const char *state = reviews_text(json_object_get(item, "effect"), "state");
    bool waits = strcmp(state, "open") == 0 || strcmp(state, "patched") == 0;
    return waits && strcmp(reviews_text(item, "kind"), "row") == 0;
}

static void add_answer(struct patching *p, const json_t *item)
{
    const json_t *facts = json_object_get(item, "facts");
    json_t *one = json_pack("{s:s, s:s, s:s}", "department", reviews_text(facts, "department"), "model",
                            reviews_text(facts, "model"), "decision", reviews_text(item, "decision"));
    json_t *stay = json_object_get(json_object_get(item, "effect"), "departments");
    if (stay) json_object_set(one, "departments", stay);
    json_array_append_new(p->answers, one);
    p->numbers[p->count++] = reviews_number(item, "n");
}

static int read_answers(struct patching *p)
{
    size_t i;
    json_t *item;
    struct fault why = {0};
    json_t *list = registry_reviews(p->a.registry, slice_str(p->id), p->a.now_s, &why);
    json_t *one = approvals_one(list, "review", p->id, &why);
    json_decref(one);
    if (!one) return CLI_FOUND;
    json_t *items = registry_review_items(p->a.registry, slice_str(p->id), SLICE(""), p->a.now_s, &why);
    if (!items) return cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    p->numbers = mem_zalloc(json_array_size(items) + 1, sizeof *p->numbers);
    json_array_foreach (items, i, item)
        if (is_to_go(item)) add_answer(p, item);
    json_decref(items);
    return p->count ? CLI_OK : cli_error(CLI_FOUND, NULL, "no row of %s is to go that is not gone", p->id);
}

/* ---- The patch. */

static json_t *ask(struct bundle *bundle, const char *name, const char *script, const json_t *question)
{
    struct buf answer;
    char *text = json_dumps(question, JSON_COMPACT);
    buf_init(&answer);
    int code = ask_bundle(bundle, name, script, slice_str(text), &answer);
    json_t *said = code <= 1 ? json_loadb(buf_ptr(&answer), buf_len(&answer), JSON_DECODE_ANY, NULL) : NULL;
    mem_free(text);
    buf_clear(&answer);
    return said;
}

static struct slice new_text(const struct patching *p, const struct bundle_file *file)
{
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(p->made, "files"), i, one)
        if (slice_equal(slice_str(reviews_text(one, "path")), file->path))
            return slice_of(reviews_text(one, "text"), json_string_length(json_object_get(one, "text")));
    return file->text;
}

static struct bundle *patched_bundle(const struct patching *p)
{
    struct fault why = {0};
    size_t count = bundle_count(p->loaded.bundle);
    struct bundle_file *files = mem_zalloc(count, sizeof *files);
    for (size_t i = 0; i < count; i++) {
        const struct bundle_file *file = bundle_at(p->loaded.bundle, i);
        files[i] = (struct bundle_file){file->path, new_text(p, file)};
    }
    struct bundle *bundle = bundle_of(files, count, &why);
    if (!bundle) cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    mem_free(files);
    return bundle;
}

static bool is_in(const json_t *list, const json_t *row)
{
    size_t i;
    json_t *one;
    json_array_foreach ((json_t *)(uintptr_t)list, i, one)
        if (strcmp(reviews_text(one, "department"), reviews_text(row, "department")) == 0 &&
            strcmp(reviews_text(one, "model"), reviews_text(row, "model")) == 0)
            return true;
    return false;
}

/* Of the cells that were, those and no others are gone that were asked about and not left. */
static bool does_what_it_should(const struct patching *p, const json_t *before, const json_t *after)
{
    size_t i;
    json_t *row;
    json_array_foreach ((json_t *)(uintptr_t)before, i, row) {
        bool is_asked = is_in(p->answers, row) && !is_in(json_object_get(p->made, "left"), row);
        if (is_asked != !is_in(after, row))
            return cli_error(CLI_USAGE, "change the row by hand", "the edit of %s for %s would do something else",
                             reviews_text(row, "model"), reviews_text(row, "department")) == CLI_OK;
    }
    return true;
}

/* `moongate diff` of both, beside the patch. */
static void print_difference(struct bundle *old, struct bundle *new)
{
    json_t *empty = json_object(), *snapshot = ask(old, NOW, "diff/snapshot", empty);
    json_t *question = json_pack("{s:o?, s:s, s:s, s:b, s:b}", "old", snapshot, "old_name", "now", "new_name",
                                 "patched", "json", false, "colour", cli_is_coloured(stderr));
    struct buf answer;
    char *text = json_dumps(question, JSON_COMPACT);
    buf_init(&answer);
    ask_bundle(new, "patched", "diff", slice_str(text), &answer);
    fprintf(stderr, "%.*s", SLICE_FMT(buf_slice(&answer)));
    buf_clear(&answer);
    mem_free(text);
    json_decref(question);
    json_decref(empty);
}

static void print_left(const struct patching *p)
{
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(p->made, "left"), i, one)
        fprintf(stderr, "no patch: %s for %s  %s  %s\n", reviews_text(one, "model"), reviews_text(one, "department"),
                reviews_text(one, "at"), reviews_text(one, "why"));
}

/* The numbers of those that the patch has. */
static bool note_patched(struct patching *p)
{
    size_t count = 0;
    struct fault why = {0};
    for (size_t i = 0; i < p->count; i++)
        if (!is_in(json_object_get(p->made, "left"), json_array_get(p->answers, i)))
            p->numbers[count++] = p->numbers[i];
    if (registry_review_patched(p->a.registry, slice_str(p->id), p->numbers, count, &p->a.by, &why) == REGISTRY_FOUND)
        return true;
    return cli_error(CLI_USAGE, NULL, "%s", fault_message(&why)) == CLI_OK;
}

static int check_patch(struct patching *p)
{
    struct bundle *bundle = patched_bundle(p);
    json_t *empty = json_object();
    json_t *before = ask(p->loaded.bundle, NOW, "reviewing", empty);
    json_t *after = bundle ? ask(bundle, "the patched folder", "reviewing", empty) : NULL;
    bool is_good = before && after &&
                   does_what_it_should(p, json_object_get(before, "rows"), json_object_get(after, "rows")) &&
                   note_patched(p);
    if (is_good) print_difference(p->loaded.bundle, bundle);
    json_decref(before);
    json_decref(after);
    json_decref(empty);
    bundle_unref(bundle);
    return is_good ? CLI_OK : CLI_USAGE;
}

static int make_patch(struct patching *p)
{
    json_t *question = json_pack("{s:O}", "answers", p->answers);
    p->made = ask(p->loaded.bundle, NOW, "reviewing", question);
    json_decref(question);
    if (!p->made) return CLI_USAGE;
    const char *diff = reviews_text(p->made, "diff");
    int code = diff[0] ? check_patch(p) : CLI_FOUND;
    if (code == CLI_USAGE) return code;
    print_left(p);
    json_object_del(p->made, "files");
    if (p->is_json) cli_print_json(json_incref(p->made));
    else printf("%s", diff);
    return code;
}

static int patch(struct patching *p, const char *config)
{
    int code = read_answers(p);
    if (code != CLI_OK) return code;
    if (!ask_load(&(struct ask){.config = config}, &p->loaded)) return CLI_USAGE;
    code = make_patch(p);
    ask_unload(&p->loaded);
    return code;
}

int command_reviews_patch(int argc, char **argv)
{
    struct common_options common;
    struct patching p = {.answers = json_array()};
    size_t count;
    int code = CLI_USAGE;
    if (!cli_options(argc, argv, NULL, &common, &p.id, &count, 1)) goto end;
    p.is_json = common.is_json;
    if (common.is_help) code = command_help(2, (char *[]){"reviews", "patch"});
    else if (count != 1)
        cli_usage_error("moongate reviews patch rvw_7Q2fR8sT1uVw > revoke.patch", "the id of a review");
    else if (reviews_settle(&common, p.id) && approvals_open(&p.a, common.config, NULL, false))
        code = approvals_close(&p.a, patch(&p, common.config));
end:
    json_decref(p.answers);
    json_decref(p.made);
    mem_free(p.numbers);
    return code;
}
