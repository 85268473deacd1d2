/* What an account of a provider must have, and may not, by its kind: read when all of its fields are. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "server/config_reader.h"
#include "server/kind.h"

/* ---- credentials = "service-account.json", file "…", env "…" */

static void wipe(struct slice secret)
{
    if (secret.len) explicit_bzero((char *)(uintptr_t)secret.ptr, secret.len);
}

static bool read_named_file(struct config_reader *r, struct slice path, struct slice name, struct slice *out)
{
    struct slice full = config_resolve_path(r, name);
    struct buf content;
    buf_init(&content);
    bool is_good = config_read_file(full.ptr, LIMIT_SECRET_BYTES, &content) ||
                   config_bad(r, path, FINDING_NO_FILE, "paths are relative to the configuration file", "%s: %s",
                              full.ptr, strerror(errno));
    if (is_good && buf_len(&content) == 0)
        is_good = config_bad(r, path, FINDING_BAD_SECRET,
                             "the JSON file of a service account's key, as Google gives it", "%s is empty", full.ptr);
    if (is_good) *out = arena_copy(r->arena, buf_slice(&content));
    wipe(buf_slice(&content));
    buf_clear(&content);
    return is_good;
}

/* A path, where others have a secret: what stands in the file is never in moongate.lua itself. */
bool config_read_credentials(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text = slice_of(json_string_value(value), json_string_length(value));
    if (!json_is_string(value)) return config_read_secret(r, path, value, out);
    if (text.len && text.ptr[0] != '{' && !memchr(text.ptr, '\n', text.len) && !memchr(text.ptr, '\0', text.len))
        return read_named_file(r, path, text, out);
    return config_bad(r, path, FINDING_BAD_SECRET, "credentials = \"service-account.json\"",
                      "must be the path of a key file, env \"NAME\" or file \"path\"");
}

/* Behind all fields: its token is another with another kind or other authorities. */
static void check_key_file(struct config_reader *r, struct slice path, struct provider *p)
{
    struct fault why;
    struct buf text;
    struct slice json = p->credentials;
    bool is_unset = r->is_offline && slice_equal(json, SLICE("unset"));
    if (!json.len || is_unset) return;
    buf_init(&text);
    if (kind_read_key_file(p->kind, json, p->ca_file, &text, &why))
        p->credentials = arena_copy(r->arena, buf_slice(&text));
    else
        config_bad(r, config_join(r, path, "credentials"), FINDING_BAD_SECRET,
                   "the JSON file of a service account's key, as Google gives it", "%s", fault_message(&why));
    wipe(json);
    wipe(buf_slice(&text));
    buf_clear(&text);
}

/* ---- Google's accounts. */

static void miss(struct config_reader *r, struct slice path, const struct provider *p, const char *field,
                 const char *cure)
{
    config_bad(r, path, FINDING_MISSING_FIELD, cure, "`%s` is missing: an account of kind \"%.*s\" needs it", field,
               SLICE_FMT(p->kind));
}

/* With a key of its own an account is asked without a project, as Google's express mode is. */
static void check_google(struct config_reader *r, struct slice path, struct provider *p, const json_t *table)
{
    bool has_file = json_object_get(table, "credentials"), has_key = json_object_get(table, "key");
    bool has_project = json_object_get(table, "project"), has_location = json_object_get(table, "location");
    if (!has_file && !has_key) miss(r, path, p, "credentials", "credentials = \"service-account.json\"");
    if (has_file && has_key)
        config_bad(r, config_join(r, path, "key"), FINDING_BAD_VALUE, "leave one of them out",
                   "`key` and `credentials` both say who asks: one of them, not both");
    if (has_file && !has_project) miss(r, path, p, "project", "project = \"my-project\"");
    if (has_project && !has_location)
        miss(r, path, p, "location", "location = \"europe-west4\", or \"global\"");
    if (!json_object_get(table, "url")) p->url = kind_url_in(p->location, r->arena);
}

static void refuse(struct config_reader *r, struct slice path, const struct provider *p, const json_t *table,
                   const char *field)
{
    if (json_object_get(table, field))
        config_bad(r, config_join(r, path, field), FINDING_BAD_VALUE, "leave it out",
                   "an account of kind \"%.*s\" has no `%s`", SLICE_FMT(p->kind), field);
}

static void check_others(struct config_reader *r, struct slice path, const struct provider *p, const json_t *table)
{
    refuse(r, path, p, table, "credentials");
    refuse(r, path, p, table, "project");
    refuse(r, path, p, table, "location");
}

void config_check_account(struct config_reader *r, struct slice path, struct provider *p, const json_t *table)
{
    config_take_server(r, path, p, table);
    if (p->kind.len && kind_is_google(p->kind))
        check_google(r, path, p, table);
    else if (p->kind.len)
        check_others(r, path, p, table);
    config_check_url(r, path, p, table);
    if (p->kind.len && kind_is_google(p->kind)) check_key_file(r, path, p);
}

static bool is_among(const uint64_t *ids, size_t count, uint64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id) return true;
    return false;
}

/* Of one more than there is room for nobody would ask. */
void config_check_credentials(struct config_reader *r, struct slice path)
{
    const struct settings *s = r->config->settings;
    uint64_t ids[LIMIT_ACCESS_TOKENS];
    size_t count = 0;
    for (size_t i = 0; i < s->provider_count; i++) {
        uint64_t id = provider_credentials(&s->providers[i]).id;
        if (!id || is_among(ids, count, id)) continue;
        if (count == LIMIT_ACCESS_TOKENS) {
            config_bad(r, path, FINDING_BAD_VALUE, "accounts with the same key file share one",
                       "more than %u different `credentials`", LIMIT_ACCESS_TOKENS);
            return;
        }
        ids[count++] = id;
    }
}
