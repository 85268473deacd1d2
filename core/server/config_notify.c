#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "server/config_reader.h"

/* notify = { slack = { kind = "slack", url = env "URL" }, pager = { kind = "command", command = { "/bin/x" } } } */

bool config_read_sink_kind(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    static const char *const kinds[] = {"webhook", "slack", "command"};
    struct slice text;
    if (!config_read_text(r, path, value, &text)) return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!slice_equal(text, slice_str(kinds[i]))) continue;
        *out = text;
        return true;
    }
    return config_bad(r, path, FINDING_BAD_VALUE, "write \"webhook\", \"slack\" or \"command\"",
                      "unknown kind of sink `%.*s`", SLICE_FMT(text));
}

/* Said without the URL: who has one may write there. */
bool config_read_hook_url(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!config_read_secret(r, path, value, &text)) return false;
    struct slice origin = settings_origin(text);
    bool is_unset = r->is_offline && slice_equal(text, SLICE("unset"));
    if (!is_unset && (!origin.ptr || slice_equal(origin, SLICE("https://"))))
        return config_bad(r, path, FINDING_BAD_VALUE, "url = env \"SLACK_URL\"",
                          "is not an http:// or https:// URL of visible ASCII, without a user in it");
    *out = text;
    return true;
}

static void miss(struct config_reader *r, struct slice path, const char *field, const char *kind, const char *cure)
{
    config_bad(r, path, FINDING_MISSING_FIELD, cure, "`%s` is missing: a sink of kind \"%s\" needs it", field, kind);
}

static void refuse(struct config_reader *r, struct slice path, const char *field, const char *kind)
{
    config_bad(r, config_join(r, path, field), FINDING_BAD_VALUE, "leave it out", "a sink of kind \"%s\" has no `%s`",
               kind, field);
}

/* By the table: of a field that was wrong something else has been said. */
static void check_kind(struct config_reader *r, struct slice path, const struct sink *s, const json_t *table)
{
    const char *kind = s->kind.ptr;
    if (!kind) return;
    bool is_command = slice_equal(s->kind, SLICE("command")), is_webhook = slice_equal(s->kind, SLICE("webhook"));
    if (is_command && !json_object_get(table, "command"))
        miss(r, path, "command", kind, "command = { \"/usr/local/bin/page\" }");
    if (!is_command && !json_object_get(table, "url")) miss(r, path, "url", kind, "url = env \"SLACK_URL\"");
    if (!is_command && json_object_get(table, "command")) refuse(r, path, "command", kind);
    if (is_command && json_object_get(table, "url")) refuse(r, path, "url", kind);
    if (is_command && json_object_get(table, "ca")) refuse(r, path, "ca", kind);
    if (!is_webhook && json_object_get(table, "secret")) refuse(r, path, "secret", kind);
}

static bool is_name(struct slice name)
{
    return name.len > 0 && name.len <= LIMIT_LABEL_BYTES && name.ptr[0] >= 'a' && name.ptr[0] <= 'z' &&
           strspn(name.ptr, "abcdefghijklmnopqrstuvwxyz0123456789-_") == name.len;
}

static void read_one(struct config_reader *r, struct slice path, const char *name, json_t *table, struct sink *s)
{
    s->name = arena_copy(r->arena, slice_str(name));
    if (!is_name(s->name))
        config_bad(r, path, FINDING_BAD_VALUE, NULL,
                   "a sink's name has 1 to %u characters of a-z, 0-9, - and _, and begins with a letter",
                   LIMIT_LABEL_BYTES);
    r->homes.at[HOME_SINK] = s;
    config_set_initial(r, sink_fields);
    config_read_group(r, sink_fields, path, table);
    if (json_is_object(table)) check_kind(r, path, s, table);
    r->config->settings->sink_count++;
}

void config_read_sinks(struct config_reader *r, const struct field *f, struct slice path, json_t *table)
{
    struct settings *s = r->config->settings;
    const char *name;
    json_t *value;
    if (!config_is_table(r, path, table)) return;
    if (json_object_size(table) > f->list->items_max) {
        config_bad(r, path, FINDING_BAD_VALUE, NULL, "more than %zu sinks", f->list->items_max);
        return;
    }
    s->sinks = arena_zalloc(r->arena, (json_object_size(table) + 1) * sizeof *s->sinks);
    json_object_foreach(table, name, value)
    {
        read_one(r, config_join(r, path, name), name, value, &s->sinks[s->sink_count]);
    }
}
