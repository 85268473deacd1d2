/* Accounts whose server speaks OpenAI's API with a difference: by its name, and by what moongate.lua says beside it. */
#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "lua/servers.h"
#include "server/config_reader.h"

/* ---- rejects = { "store", "tools.strict" }, renames = { max_completion_tokens = "max_tokens" } */

static bool check_word(struct config_reader *r, struct slice path, struct slice word)
{
    const char *meant = servers_misspelt(word);
    char hint[96];
    if (!word.len || strspn(word.ptr, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != word.len)
        return config_bad(r, path, FINDING_BAD_VALUE, "write it as \"parallel_tool_calls\", \"tools.strict\"",
                          "`%.*s` is not the name of a request's member", SLICE_FMT(word));
    if (!meant) return true;
    snprintf(hint, sizeof hint, "did you mean \"%s\"?", meant);
    return config_bad(r, path, FINDING_BAD_VALUE, hint, "`%.*s` is no member of a request", SLICE_FMT(word));
}

bool config_read_members(struct config_reader *r, struct slice path, const json_t *list, struct slice *out)
{
    return config_read_lines(r, path, list, LIMIT_PROVIDER_MEMBERS, check_word, out);
}

bool config_read_renames(struct config_reader *r, struct slice path, const json_t *given, struct slice *out)
{
    json_t *table = (json_t *)(uintptr_t)given; /* jansson's walk takes no const */
    struct buf lines;
    const char *name;
    json_t *value;
    if (!config_is_table(r, path, given)) return false;
    bool is_good = json_object_size(given) <= LIMIT_PROVIDER_MEMBERS ||
                   config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be no more than %u", LIMIT_PROVIDER_MEMBERS);
    buf_init(&lines);
    json_object_foreach(table, name, value)
    {
        struct slice place = config_join(r, path, name);
        struct slice new = slice_of(json_string_value(value), json_string_length(value));
        bool is_known = check_word(r, place, slice_str(name));
        if (is_known && !json_is_string(value))
            is_known = config_bad(r, place, FINDING_BAD_VALUE, "write max_completion_tokens = \"max_tokens\"",
                                  "must be the server's own name of it, not %s", config_type_name(value));
        is_good = is_known && check_word(r, place, new) && is_good;
        if (is_known) buf_printf(&lines, "%s%s\t%.*s", buf_len(&lines) ? "\n" : "", name, SLICE_FMT(new));
    }
    if (is_good) *out = arena_copy(r->arena, buf_slice(&lines));
    buf_clear(&lines);
    return is_good;
}

/* ---- server = "groq"; kind = "groq" says both */

static bool refuse_server(struct config_reader *r, struct slice path, struct slice name)
{
    const char *near = servers_nearest(name);
    char hint[512];
    if (near)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    else
        snprintf(hint, sizeof hint, "known are %s; of any other say what it `rejects` and `renames`", servers_names());
    return config_bad(r, path, FINDING_BAD_VALUE, hint, "unknown server `%.*s`", SLICE_FMT(name));
}

bool config_read_server(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!config_read_text(r, path, value, &text)) return false;
    if (!servers_find(text)) return refuse_server(r, path, text);
    *out = text;
    return true;
}

static struct slice first_word(struct slice line)
{
    struct slice rest;
    return slice_split(line, '\t', &rest);
}

/* Its own lines come first: of two about one name the account's counts. */
static bool says(struct slice lines, struct slice name)
{
    while (lines.len)
        if (slice_equal(first_word(slice_split(lines, '\n', &lines)), name)) return true;
    return false;
}

static struct slice merge(struct config_reader *r, struct slice own, struct slice servers, struct slice accepts)
{
    struct buf lines;
    buf_init(&lines);
    if (own.len) buf_append(&lines, own);
    while (servers.len) {
        struct slice line = slice_split(servers, '\n', &servers);
        if (says(own, first_word(line)) || says(accepts, first_word(line))) continue;
        if (buf_len(&lines)) buf_append_char(&lines, '\n');
        buf_append(&lines, line);
    }
    struct slice all = arena_copy(r->arena, buf_slice(&lines));
    buf_clear(&lines);
    return all;
}

static void refuse_both(struct config_reader *r, struct slice path, const json_t *table, struct slice kind)
{
    if (json_object_get(table, "server"))
        config_bad(r, config_join(r, path, "server"), FINDING_BAD_VALUE, "leave it out",
                   "kind = \"%.*s\" says which server it is", SLICE_FMT(kind));
}

/* What is known of servers is about chats of OpenAI's API. */
static bool is_openais(struct slice kind)
{
    return slice_equal(kind, SLICE("openai")) || slice_equal(kind, SLICE("openai_compatible"));
}

static void refuse_server_of(struct config_reader *r, struct slice path, struct slice kind)
{
    config_bad(r, config_join(r, path, "server"), FINDING_BAD_VALUE, "leave it out, or kind = \"openai_compatible\"",
               "an account of kind \"%.*s\" has no `server`", SLICE_FMT(kind));
}

void config_take_server(struct config_reader *r, struct slice path, struct provider *p, const json_t *table)
{
    struct slice kind = slice_str(json_string_value(json_object_get(table, "kind")));
    const struct server *by_kind = kind.len ? servers_find(kind) : NULL;
    if (by_kind) {
        refuse_both(r, path, table, kind);
        p->server = arena_copy(r->arena, kind);
    }
    if (!by_kind && p->server.len && p->kind.len && !is_openais(p->kind)) refuse_server_of(r, path, p->kind);
    const struct server *server = p->server.len ? servers_find(p->server) : NULL;
    if (server) {
        p->rejects = merge(r, p->rejects, server->rejects, p->accepts);
        p->renames = merge(r, p->renames, server->renames, p->accepts);
    }
    if (server && !json_object_get(table, "url")) p->url = server->url;
    if (says(p->rejects, SLICE("stream_options"))) p->can_report_usage = false;
}
