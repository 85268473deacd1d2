#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"

/* Beyond this nobody counts: 2^53, what every number on the way holds. */
#define COUNT_MAX 9007199254740992ll

/* Counts on the command line, and the part of the whole that each is. */
static const struct count_option {
    const char *name, *part;
    bool is_input; /* of --in, else of --out; NULL part: the whole itself */
} count_options[] = {
    {"--in", NULL, true},
    {"--cached", "cached_input", true},
    {"--cache-write", "cache_write", true},
    {"--cache-write-1h", "cache_write_1h", true},
    {"--audio-in", "audio_input", true},
    {"--image-in", "image_input", true},
    {"--out", NULL, false},
    {"--reasoning", "reasoning", false},
    {"--audio-out", "audio_output", false},
    {"--image-out", "image_output", false},
};

#define COUNTS (sizeof count_options / sizeof count_options[0])

/* What is paid for by the piece. */
static const struct piece_option {
    const char *name, *part;
} piece_options[] = {
    {"--images", "per_image"}, {"--searches", "per_search"}, {"--tool-calls", "per_tool_call"},
    {"--seconds", "per_second"}, {"--characters", "per_character"}};

#define PIECES (sizeof piece_options / sizeof piece_options[0])

struct given {
    const char *texts[COUNTS], *pieces[PIECES], *tier, *at, *policies_dir;
};

static bool read_count(const char *name, const char *text, long long *count)
{
    char *end;
    errno = 0;
    *count = text ? strtoll(text, &end, 10) : 0;
    if (!text || (*text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *count <= COUNT_MAX)) return true;
    cli_usage_error(NULL, "%s takes a whole number, 0 or more, not `%s`", name, text);
    return false;
}

/* Disjoint parts of what goes in, or out: the whole less those that were named, which must fit into it. */
static bool add_parts(const struct given *given, bool is_input, json_t *parts)
{
    long long whole = 0, named = 0, count;
    for (size_t i = 0; i < COUNTS; i++) {
        const struct count_option *o = &count_options[i];
        if (o->is_input != is_input) continue;
        if (!read_count(o->name, given->texts[i], &count)) return false;
        if (!o->part) {
            whole = count;
            continue;
        }
        named += count;
        json_object_set_new(parts, o->part, json_integer(count));
    }
    if (named > whole) {
        cli_usage_error(is_input ? "--in counts all that goes in; --cached, --cache-write … say how much of it"
                                 : "--out counts all that comes out; --reasoning … say how much of it",
                        "of %lld tokens %s, %lld are named", whole, is_input ? "in" : "out", named);
        return false;
    }
    json_object_set_new(parts, is_input ? "input" : "output", json_integer(whole - named));
    return true;
}

static bool add_pieces(const struct given *given, json_t *parts)
{
    long long count;
    for (size_t i = 0; i < PIECES; i++) {
        if (!read_count(piece_options[i].name, given->pieces[i], &count)) return false;
        json_object_set_new(parts, piece_options[i].part, json_integer(count));
    }
    return true;
}

static json_t *read_parts(const struct given *given)
{
    json_t *parts = json_object();
    if (add_parts(given, true, parts) && add_parts(given, false, parts) && add_pieces(given, parts)) {
        json_object_set_new(parts, "per_request", json_integer(1));
        return parts;
    }
    json_decref(parts);
    return NULL;
}

int command_price(int argc, char **argv)
{
    struct given given = {0};
    struct option options[COUNTS + PIECES + 4];
    struct common_options common;
    const char *model;
    size_t count, n = 0;
    for (; n < COUNTS; n++)
        options[n] = (struct option){count_options[n].name, OPTION_TEXT, &given.texts[n]};
    for (size_t i = 0; i < PIECES; i++)
        options[n++] = (struct option){piece_options[i].name, OPTION_TEXT, &given.pieces[i]};
    options[n++] = (struct option){"--tier", OPTION_TEXT, &given.tier};
    options[n++] = (struct option){"--at", OPTION_TEXT, &given.at};
    options[n++] = (struct option){"--policies", OPTION_TEXT, &given.policies_dir};
    options[n] = (struct option){NULL, OPTION_FLAG, NULL};
    if (!cli_options(argc, argv, options, &common, &model, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"price"});
    if (count == 0) return cli_usage_error("moongate price small --in 1000 --out 500", "say which model or target");
    json_t *parts = read_parts(&given);
    if (!parts) return CLI_USAGE;
    json_t *question = json_pack("{s:s, s:o, s:s*, s:s*, s:b}", "model", model, "parts", parts, "tier", given.tier,
                                 "at", given.at, "json", common.is_json);
    char *text = json_dumps(question, JSON_COMPACT);
    int code =
        ask_and_print(&(struct ask){common.config, given.policies_dir, "price", SLICE("")}, slice_str(text),
                      common.is_json);
    free(text);
    json_decref(question);
    return code;
}
