#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "cli/cli.h"

#define KNOWN_MAX 64

/* "--config|-c": does `word` (without "=value") name it? */
static bool is_named(const struct option *o, struct slice word)
{
    struct slice rest = slice_str(o->name);
    while (rest.len) {
        if (slice_equal(slice_split(rest, '|', &rest), word)) return true;
    }
    return false;
}

static const struct option *find(const struct option *options, struct slice word)
{
    for (; options && options->name; options++) {
        if (is_named(options, word)) return options;
    }
    return NULL;
}

static bool unknown_option(const struct option *own, const struct option *common, struct slice word)
{
    char names[KNOWN_MAX][32], cure[64] = "`moongate help COMMAND` lists what it takes";
    const char *known[KNOWN_MAX];
    size_t count = 0;
    const struct option *both[] = {own, common};
    for (size_t i = 0; i < 2; i++) {
        for (const struct option *o = both[i]; o && o->name && count < KNOWN_MAX; o++) {
            struct slice rest, name = slice_split(slice_str(o->name), '|', &rest);
            snprintf(names[count], sizeof names[count], "%.*s", SLICE_FMT(name));
            known[count] = names[count];
            count++;
        }
    }
    const char *near = nearest_word(word, known, count);
    if (near) snprintf(cure, sizeof cure, "did you mean `%s`?", near);
    cli_usage_error(cure, "unknown option `%.*s`", SLICE_FMT(word));
    return false;
}

static bool store(const struct option *o, const char *value)
{
    struct option_list *list;
    switch (o->kind) {
    case OPTION_FLAG: *(bool *)o->value = true; return true;
    case OPTION_TEXT: *(const char **)o->value = value; return true;
    case OPTION_LIST:
        list = o->value;
        if (list->count == OPTION_LIST_MAX) {
            cli_usage_error(NULL, "%s is given more than %d times", o->name, OPTION_LIST_MAX);
            return false;
        }
        list->items[list->count++] = value;
        return true;
    }
    return false;
}

/* One option at argv[*at], with its value in the same word or the next. */
static bool take(int argc, char **argv, int *at, const struct option *own, const struct option *common)
{
    struct slice value, word = slice_split(slice_str(argv[*at]), '=', &value);
    bool has_value = word.len < strlen(argv[*at]);
    const struct option *o = find(own, word);
    if (!o) o = find(common, word);
    if (!o) return unknown_option(own, common, word);
    if (o->kind == OPTION_FLAG) {
        if (has_value) cli_usage_error(NULL, "%.*s takes no value", SLICE_FMT(word));
        return !has_value && store(o, NULL);
    }
    if (has_value) return store(o, value.ptr);
    if (*at + 1 >= argc) {
        cli_usage_error(NULL, "%.*s needs a value", SLICE_FMT(word));
        return false;
    }
    *at += 1;
    return store(o, argv[*at]);
}

/* "-5" is a number that somebody else refuses. */
static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9');
}

bool cli_options(int argc, char **argv, const struct option *options, struct common_options *common, const char **words,
                 size_t *word_count, size_t words_max)
{
    const struct option shared[] = {{"--config|-c", OPTION_TEXT, &common->config},
                                    {"--color", OPTION_TEXT, &common->color},
                                    {"--json", OPTION_FLAG, &common->is_json},
                                    {"--help|-h", OPTION_FLAG, &common->is_help},
                                    {NULL, OPTION_FLAG, NULL}};
    size_t count = 0;
    *common = (struct common_options){0};
    for (int at = 0; at < argc; at++) {
        if (is_option(argv[at])) {
            if (!take(argc, argv, &at, options, shared)) return false;
        } else if (count < words_max) {
            words[count++] = argv[at];
        } else {
            cli_usage_error("`moongate help COMMAND` says what it takes", "`%s` is one word too many", argv[at]);
            return false;
        }
    }
    if (word_count) *word_count = count;
    if (common->color && !cli_set_color(common->color)) {
        cli_usage_error(NULL, "--color takes auto, always or never, not `%s`", common->color);
        return false;
    }
    return true;
}
