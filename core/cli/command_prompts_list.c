/* What there is: list, show, history. */
#include <jansson.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "cli/prompts_inner.h"
#include "cli/table.h"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* "production 2.1.0 90%, 2.2.0 10%" */
static const char *labels_of(const json_t *prompt, struct arena *arena)
{
    const char *text = "", *label, *version;
    json_t *set, *share;
    json_object_foreach(json_object_get(prompt, "labels"), label, set)
    {
        text = arena_printf(arena, "%s%s%s", text, *text ? "; " : "", label).ptr;
        json_object_foreach(set, version, share)
        {
            json_int_t number = json_integer_value(share);
            text = number == 1000 ? arena_printf(arena, "%s %s", text, version).ptr
                                  : arena_printf(arena, "%s %s %g%%", text, version, (double)number / 10).ptr;
        }
    }
    return text;
}

/* The newest, and its state. */
static const char *newest_of(const json_t *prompt, struct arena *arena)
{
    const json_t *versions = json_object_get(prompt, "versions");
    size_t count = json_array_size(versions);
    if (!count) return "";
    const json_t *last = json_array_get(versions, count - 1);
    return arena_printf(arena, "%s %s", text_of(last, "version"), text_of(last, "status")).ptr;
}

static void print_list(const json_t *list)
{
    static const struct table_column columns[] = {{.head = "NAME", .is_flexible = true, .least = 16},
                                                  {.head = "DEPARTMENT", .goes = 2},
                                                  {.head = "OWNER", .goes = 1},
                                                  {.head = "NEWEST"},
                                                  {.head = "LABELS", .is_flexible = true, .least = 16}};
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    struct arena arena;
    json_t *prompt;
    size_t i;
    arena_init(&arena);
    json_array_foreach(list, i, prompt) table_add(table, (const char *[]){text_of(prompt, "name"),
        text_of(prompt, "department"), text_of(prompt, "owner"), newest_of(prompt, &arena), labels_of(prompt, &arena)});
    if (json_array_size(list)) table_print(table);
    fflush(stdout);
    fprintf(stderr, "%zu prompt%s\n", json_array_size(list), json_array_size(list) == 1 ? "" : "s");
    arena_clear(&arena);
    table_free(table);
}

int command_prompts_list(int argc, char **argv)
{
    struct prompts_work w;
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = "list", .reads = true})) return w.code;
    json_t *list = registry_prompts(w.registry, SLICE(""), &w.why);
    if (!list) return prompts_end(&w, cli_error(CLI_USAGE, NULL, "%s", fault_message(&w.why)), false);
    if (w.common.is_json)
        cli_print_json(json_pack("{s:O}", "prompts", list));
    else
        print_list(list);
    json_decref(list);
    return prompts_end(&w, CLI_OK, false);
}

/* ---- One. */

static void print_reviews(const json_t *version)
{
    json_t *review;
    size_t i;
    json_array_foreach(json_object_get(version, "reviews"), i, review)
        printf("      %s by %s as %s  %.12s  %s\n", text_of(review, "verdict"), text_of(review, "person"),
               text_of(review, "role"), text_of(review, "sha256"), text_of(review, "comment"));
}

static void print_one(const json_t *one)
{
    struct arena arena;
    json_t *version;
    size_t i;
    arena_init(&arena);
    printf("%s  %s, %s\n", text_of(one, "name"), text_of(one, "department"), text_of(one, "owner"));
    if (*labels_of(one, &arena)) printf("  %s\n", labels_of(one, &arena));
    json_array_foreach(json_object_get(one, "versions"), i, version)
    {
        printf("    %-10s %-9s %.12s\n", text_of(version, "version"), text_of(version, "status"),
               text_of(version, "sha256"));
        print_reviews(version);
    }
    arena_clear(&arena);
}

static int show_content(struct prompts_work *w, const struct prompt_at *at, json_t *one)
{
    struct buf content;
    buf_init(&content);
    enum registry_found found = registry_prompt_content(w->registry, at, &content, &w->why);
    if (found != REGISTRY_FOUND) {
        buf_clear(&content);
        json_decref(one);
        return prompts_tell(w, found, at, "");
    }
    json_t *tree = json_loadb(buf_ptr(&content), buf_len(&content), 0, NULL);
    json_object_set_new(one, "content", tree);
    if (!w->common.is_json) {
        print_one(one);
        char *text = json_dumps(tree, JSON_INDENT(2));
        puts(text);
        free(text);
    } else {
        cli_print_json(json_incref(one));
    }
    buf_clear(&content);
    json_decref(one);
    return CLI_OK;
}

int command_prompts_show(int argc, char **argv)
{
    struct prompts_work w;
    struct prompt_at at;
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = "show", .reads = true, .least = 1, .most = 1,
                                                             .usage = "say which: NAME, or NAME@VERSION"}))
        return w.code;
    if (!prompts_read_at(&w, w.words[0], &at)) return prompts_end(&w, CLI_USAGE, false);
    json_t *one = prompts_one(&w, at.name);
    if (!one) return prompts_end(&w, w.code, false);
    if (at.version.major || at.version.minor || at.version.patch)
        return prompts_end(&w, show_content(&w, &at, one), false);
    if (w.common.is_json)
        cli_print_json(json_incref(one));
    else
        print_one(one);
    json_decref(one);
    return prompts_end(&w, CLI_OK, false);
}

static void print_event(const json_t *event)
{
    char when[CLOCK_TEXT_BYTES];
    char *after = json_dumps(json_object_get(event, "after"), JSON_COMPACT);
    clock_format((uint64_t)json_integer_value(json_object_get(event, "at")) * NS_PER_S, when);
    printf("%s  %-16s %s  %s\n", when, text_of(event, "action"), text_of(event, "actor"), after ? after : "");
    free(after);
}

int command_prompts_history(int argc, char **argv)
{
    struct prompts_work w;
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = "history", .reads = true, .least = 1, .most = 1,
                                                             .usage = "say which: NAME"}))
        return w.code;
    json_t *list = registry_prompt_history(w.registry, slice_str(w.words[0]), &w.why), *event;
    size_t i;
    if (!list) return prompts_end(&w, cli_error(CLI_USAGE, NULL, "%s", fault_message(&w.why)), false);
    if (w.common.is_json)
        cli_print_json(json_pack("{s:O}", "history", list));
    else
        json_array_foreach(list, i, event) print_event(event);
    json_decref(list);
    return prompts_end(&w, CLI_OK, false);
}
