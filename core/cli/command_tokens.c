#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/counted.h"
#include "cli/given.h"
#include "server/config.h"

struct wanted {
    const char *model, *text, *policies_dir;
    bool is_plain;
};

/* The policies whose names may be used; NULL when there are none here, which is fine unless they were asked for. */
static bool find_policies(const struct wanted *wanted, const struct common_options *common, char **dir)
{
    const char *config = config_path(common->config);
    *dir = NULL;
    if (wanted->policies_dir) {
        *dir = mem_strdup(wanted->policies_dir);
    } else if (access(config, R_OK) == 0) {
        *dir = config_policies_dir(config);
    } else if (common->config) {
        cli_usage_error("-c names the configuration", "%s: %s", config, strerror(errno));
        return false;
    }
    return true;
}

static void add_rules(json_t *out, const struct counted *c)
{
    json_object_set_new(out, "model", json_string(c->model));
    json_object_set_new(out, "family", *c->family ? json_string(c->family) : json_null());
    json_object_set_new(out, "vocabulary", json_string(c->vocabulary));
    json_object_set_new(out, "estimated", json_boolean(c->is_estimated));
}

static json_t *as_json(const struct counted *c)
{
    json_t *out = json_object(), *messages = json_array();
    add_rules(out, c);
    for (size_t i = 0; i < c->line_count; i++) {
        const struct counted_line *l = &c->lines[i];
        json_array_append_new(messages, json_pack("{s:s, s:I, s:b}", "what", l->what, "tokens", (json_int_t)l->tokens,
                                                  "estimated", l->is_estimated));
    }
    if (c->is_request)
        json_object_set_new(out, "parts", messages);
    else
        json_decref(messages);
    if (c->pictures)
        json_object_set_new(
            out, "pictures",
            json_pack("{s:I, s:I}", "count", (json_int_t)c->pictures, "tokens", (json_int_t)c->picture_tokens));
    json_object_set_new(out, "tokens", json_integer((json_int_t)c->tokens));
    return out;
}

static const char *how(bool is_estimated)
{
    return is_estimated ? "  estimated" : "";
}

static void print_text(const struct counted *c)
{
    for (size_t i = 0; c->is_request && i < c->line_count; i++)
        printf("%12llu  %s%s\n", (unsigned long long)c->lines[i].tokens, c->lines[i].what,
               how(c->lines[i].is_estimated));
    if (c->pictures)
        printf("              of them %llu in pictures (%u)\n", (unsigned long long)c->picture_tokens, c->pictures);
    printf("%12llu  tokens%s\n", (unsigned long long)c->tokens, how(c->is_estimated));
    printf("              %s, counted %s%s in %s\n", c->model, *c->family ? "as " : "by the usual rules", c->family,
           c->vocabulary);
}

/* A request that was cut or mistyped would pass for a text, and its count for the request's. False after a message. */
static bool is_what_it_is_called(const struct wanted *wanted, const char *path, struct slice input)
{
    struct fault why;
    size_t len = path ? strlen(path) : 0;
    if (wanted->is_plain || len < 5 || strcmp(path + len - 5, ".json") != 0 || counted_is_json(input, &why))
        return true;
    cli_usage_error("--plain counts it as a text", "%s: %s", path, fault_message(&why));
    return false;
}

static int count_input(const struct wanted *wanted, const struct common_options *common, const char *path)
{
    struct buf input;
    struct counted counted;
    struct fault why;
    char *dir;
    buf_init(&input);
    bool is_read = wanted->text || given_read(path, "a file with a text or a request, or --text TEXT", &input);
    if (wanted->text) buf_append(&input, slice_str(wanted->text));
    if (!is_read || !is_what_it_is_called(wanted, path, buf_slice(&input)) || !find_policies(wanted, common, &dir)) {
        buf_clear(&input);
        return CLI_USAGE;
    }
    bool is_plain = wanted->is_plain || wanted->text;
    bool ok = counted_make(&counted, buf_slice(&input), wanted->model, dir, is_plain, &why);
    if (!ok) {
        cli_usage_error(counted.cure, "%s", why.text);
    } else if (common->is_json) {
        cli_print_json(as_json(&counted));
    } else {
        print_text(&counted);
    }
    counted_clear(&counted);
    buf_clear(&input);
    mem_free(dir);
    return ok ? CLI_OK : CLI_USAGE;
}

int command_tokens(int argc, char **argv)
{
    struct wanted wanted = {0};
    struct common_options common;
    const char *path = NULL;
    size_t count;
    struct option options[] = {{"--model", OPTION_TEXT, &wanted.model},
                               {"--text", OPTION_TEXT, &wanted.text},
                               {"--plain", OPTION_FLAG, &wanted.is_plain},
                               {"--policies", OPTION_TEXT, &wanted.policies_dir},
                               {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, &path, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"tokens"});
    if ((count == 0) == (wanted.text == NULL))
        return cli_usage_error("moongate tokens --model small request.json",
                               "give a FILE, - for stdin, or --text TEXT");
    return count_input(&wanted, &common, path);
}
