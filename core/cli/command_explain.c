#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "cli/given.h"
#include "cli/topped.h"
#include "server/config.h"
#include "store/ledger/read.h"
#include "store/registry/registry.h"

/* Flags with a value, by the name that scripts/explain/question.lua knows them under. */
static const char *const text_flags[] = {"model",      "api",           "text",           "uses",    "task",
                                         "quality",    "data",          "max_latency_ms", "tokens",  "ctx",
                                         "max_tokens", "input_tokens",  "output_tokens",  "time",    "key",
                                         "user",       "temperature",   "label",          "session", "cost_usd"};
static const char *const list_flags[] = {"as", "approve", "header", "set", "spent"};

#define TEXT_FLAGS (sizeof text_flags / sizeof text_flags[0])
#define LIST_FLAGS (sizeof list_flags / sizeof list_flags[0])
#define FLAG_BYTES 32

struct flags {
    char names[TEXT_FLAGS + LIST_FLAGS][FLAG_BYTES];
    const char *texts[TEXT_FLAGS];
    struct option_list lists[LIST_FLAGS];
    bool is_stream, is_last;
    const char *policies_dir;
};

static const char *option_name(char *to, const char *name)
{
    snprintf(to, FLAG_BYTES, "--%s", name);
    for (char *c = to; *c; c++)
        if (*c == '_') *c = '-';
    return to;
}

/* options: room for all of them and the end. */
static void list_options(struct flags *flags, struct option *options)
{
    size_t n = 0;
    for (size_t i = 0; i < TEXT_FLAGS; i++, n++)
        options[n] = (struct option){option_name(flags->names[n], text_flags[i]), OPTION_TEXT, &flags->texts[i]};
    for (size_t i = 0; i < LIST_FLAGS; i++, n++)
        options[n] = (struct option){option_name(flags->names[n], list_flags[i]), OPTION_LIST, &flags->lists[i]};
    options[n++] = (struct option){"--stream", OPTION_FLAG, &flags->is_stream};
    options[n++] = (struct option){"--last", OPTION_FLAG, &flags->is_last};
    options[n++] = (struct option){"--policies", OPTION_TEXT, &flags->policies_dir};
    options[n] = (struct option){NULL, OPTION_FLAG, NULL};
}

static json_t *flags_json(const struct flags *flags)
{
    json_t *json = json_object();
    for (size_t i = 0; i < TEXT_FLAGS; i++)
        if (flags->texts[i]) json_object_set_new(json, text_flags[i], json_string(flags->texts[i]));
    for (size_t i = 0; i < LIST_FLAGS; i++) {
        if (flags->lists[i].count == 0) continue;
        json_t *list = json_array();
        for (size_t k = 0; k < flags->lists[i].count; k++)
            json_array_append_new(list, json_string(flags->lists[i].items[k]));
        json_object_set_new(json, list_flags[i], list);
    }
    if (flags->is_stream) json_object_set_new(json, "stream", json_true());
    return json;
}

/* ---- A request file. */

/* NULL after a message. */
static json_t *read_file(const char *path)
{
    json_error_t error;
    json_t *json = NULL;
    struct buf text;
    buf_init(&text);
    if (given_read(path, "a file with a request body, an id such as req_…, or flags: `moongate help explain`", &text)) {
        json = json_loadb(buf_ptr(&text), buf_len(&text), 0, &error);
        if (!json)
            cli_usage_error(NULL, "%s:%d:%d: not JSON: %s", given_name(path), error.line, error.column, error.text);
    }
    buf_clear(&text);
    return json;
}

/* ---- The record of a past request. */

#define LAST "last" /* for an id: whichever came last */

static bool keep_body(void *arg, const struct ledger_row *row)
{
    buf_append(arg, row->body);
    return true;
}

/* False after a message. */
static bool read_record(const char *data_dir, const char *id, struct buf *record)
{
    struct fault why = {0};
    struct ledger_read *ledger = ledger_read_open(data_dir, &why);
    bool ok = ledger && ledger_read_find(ledger, slice_str(id), keep_body, record, &why) == LEDGER_FOUND;
    if (!ok) cli_fault(&why, NULL);
    ledger_read_close(ledger);
    return ok;
}

/* What the registry knows today of the key that was used; NULL: nothing. */
static json_t *find_key(const char *data_dir, const json_t *record)
{
    char path[1024];
    struct fault why;
    const char *id = json_string_value(json_object_get(json_object_get(record, "identity"), "key_id"));
    snprintf(path, sizeof path, "%s/registry.db", data_dir);
    if (!id || access(path, R_OK) != 0) return NULL;
    struct registry *registry = registry_open(data_dir, &why);
    json_t *keys = registry ? registry_keys(registry, &why) : NULL, *key, *found = NULL;
    size_t i;
    json_array_foreach(keys, i, key)
    {
        const char *own = json_string_value(json_object_get(key, "id"));
        if (own && strcmp(own, id) == 0) found = json_incref(key);
    }
    json_decref(keys);
    registry_close(registry);
    return found;
}

/* ---- The command. */

/* What stands for --last among the words, known by its address: a file may be called so. */
static const char last_word[] = LAST;

static bool add_word(json_t *question, const char *word, const char *config, struct buf *text)
{
    if (strncmp(word, "req_", 4) != 0 && word != last_word) {
        json_t *file = read_file(word);
        return file && json_object_set_new(question, "file", file) == 0;
    }
    char *data_dir = folder_find(config);
    if (!data_dir) return false;
    bool ok = read_record(data_dir, word, text);
    json_t *record = ok ? json_loadb(buf_ptr(text), buf_len(text), 0, NULL) : NULL;
    json_t *key = record ? find_key(data_dir, record) : NULL;
    mem_free(data_dir);
    if (!record) return ok ? cli_usage_error(NULL, "the record of %s is no JSON object", word) == CLI_OK : false;
    if (key) json_object_set_new(question, "key", key);
    return json_object_set_new(question, "record", record) == 0;
}

/* What holds now, for a request that nobody sent; a record has what held then. Policies alone have no registry. */
static bool add_topups(json_t *question, const struct flags *flags, const char *config)
{
    char why[256];
    int64_t now_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    bool is_alone = flags->policies_dir && !config && access(config_path(NULL), R_OK) != 0;
    json_object_set_new(question, "now", json_integer(now_s));
    if (is_alone || json_object_get(question, "record")) return true;
    char *data_dir = folder_find(config);
    if (!data_dir) return false;
    topped_ask(question, data_dir, now_s, why, sizeof why);
    if (why[0]) fprintf(stderr, "without top-ups: %s\n", why);
    mem_free(data_dir);
    return true;
}

static bool add_all(json_t *question, const char *word, const struct flags *flags, const char *config,
                    struct buf *record)
{
    if (word && !add_word(question, word, config, record)) return false;
    return add_topups(question, flags, config);
}

int command_explain(int argc, char **argv)
{
    struct flags flags = {0};
    struct option options[TEXT_FLAGS + LIST_FLAGS + 4];
    struct common_options common;
    const char *word = NULL;
    size_t count;
    list_options(&flags, options);
    if (!cli_options(argc, argv, options, &common, &word, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"explain"});
    if (flags.is_last && count) return cli_usage_error(NULL, "--last and `%s` are two requests", word);
    if (flags.is_last) word = last_word, count = 1;
    json_t *given = flags_json(&flags);
    if (count == 0 && json_object_size(given) == 0) {
        json_decref(given);
        return cli_usage_error("moongate explain --as sales/ana --model auto",
                               "say which request: flags, a file, or an id");
    }
    json_t *question = json_pack("{s:o, s:b, s:b}", "flags", given, "json", common.is_json, "colour",
                                 !common.is_json && cli_is_coloured(stdout));
    int code = CLI_USAGE;
    struct buf record;
    buf_init(&record);
    if (add_all(question, count ? word : NULL, &flags, common.config, &record)) {
        char *text = json_dumps(question, JSON_COMPACT);
        struct ask ask = {.config = common.config,
                          .policies_dir = flags.policies_dir,
                          .script = "explain",
                          .record = buf_slice(&record)};
        code = ask_and_print(&ask, slice_str(text), common.is_json);
        free(text);
    }
    buf_clear(&record);
    json_decref(question);
    return code;
}
