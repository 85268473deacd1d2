#include "server/config.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/sha.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"
#include "lua/configfile.h"
#include "lua/reading.h"
#include "server/config_reader.h"
#include "server/kind.h"
#include "store/ledger/link.h"

/* ---- Providers. */

static bool is_provider_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= LIMIT_LABEL_BYTES && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

/* Two of them would go out, and the provider would take one. */
static void check_credential(struct config_reader *r, struct slice path, const struct provider *p)
{
    struct slice rest = p->headers, own = kind_key_header(p->kind);
    struct provider_header header;
    bool has_token = p->credentials.len > 0, has_key = p->key.len || p->access_key_id.len || has_token;
    if (has_token) own = kind_token_header();
    while (has_key && own.len && provider_next_header(&rest, &header)) {
        if (slice_iequal(header.name, own) || slice_iequal(header.name, SLICE("authorization")))
            config_bad(r, config_join(r, path, "headers"), FINDING_BAD_VALUE, "leave one of them out",
                       "`%s` is sent as `%.*s`: one of them, not both", has_token ? "credentials" : "key",
                       SLICE_FMT(own));
    }
}

/* Both would go out, and the signature is of one. */
static void check_headers(struct config_reader *r, struct slice path, const struct provider *p)
{
    struct slice rest = p->headers;
    struct provider_header header;
    while (provider_next_header(&rest, &header)) {
        if (kind_sets_header(p->kind, header.name))
            config_bad(r, config_join(r, path, "headers"), FINDING_BAD_VALUE, "leave it out",
                       "`%.*s` is the gateway's own in calls to accounts of kind \"%.*s\"", SLICE_FMT(header.name),
                       SLICE_FMT(p->kind));
    }
}

/* By the table: of a version that was wrong something else has been said. */
static void check_version(struct config_reader *r, struct slice path, const struct provider *p, const json_t *table)
{
    bool has_version = json_object_get(table, "api_version") != NULL;
    if (p->url.len && kind_needs_version(p->kind, p->url) && !has_version)
        config_bad(r, path, FINDING_MISSING_FIELD, "add api_version = \"2024-10-21\", or end `url` in \"/openai/v1\"",
                   "`api_version` is missing: an account of kind \"%.*s\" needs it", SLICE_FMT(p->kind));
    if (p->kind.len && !kind_takes_version(p->kind) && has_version)
        config_bad(r, config_join(r, path, "api_version"), FINDING_BAD_VALUE, "leave it out",
                   "an account of kind \"%.*s\" has no `api_version`", SLICE_FMT(p->kind));
}

static void miss(struct config_reader *r, struct slice path, const char *field, const char *how)
{
    config_bad(r, path, FINDING_MISSING_FIELD, how, "`%s` is missing: calls are signed with access_key_id, "
               "secret_access_key and region", field);
}

/* Of a field that was wrong something else has been said. */
static void check_access_keys(struct config_reader *r, struct slice path, const struct provider *p,
                              const json_t *table)
{
    static const char *const fields[][2] = {{"access_key_id", "access_key_id = env \"AWS_ACCESS_KEY_ID\""},
                                            {"secret_access_key", "secret_access_key = env \"AWS_SECRET_ACCESS_KEY\""},
                                            {"region", "region = \"us-east-1\""},
                                            {"session_token", NULL}};
    bool is_signed = false, takes = kind_takes_access_keys(p->kind);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        bool has = json_object_get(table, fields[i][0]) != NULL;
        is_signed |= has && i != 2;
        if (has && p->kind.len && !takes)
            config_bad(r, config_join(r, path, fields[i][0]), FINDING_BAD_VALUE, "leave it out",
                       "an account of kind \"%.*s\" has no `%s`", SLICE_FMT(p->kind), fields[i][0]);
    }
    if (!takes) return;
    for (size_t i = 0; is_signed && fields[i][1]; i++) {
        if (!json_object_get(table, fields[i][0])) miss(r, path, fields[i][0], fields[i][1]);
    }
    if (is_signed && json_object_get(table, "key"))
        config_bad(r, config_join(r, path, "key"), FINDING_BAD_VALUE, "leave one of them out",
                   "`key` is a Bedrock API key, and `access_key_id` signs calls: one of them, not both");
}

static void read_provider(struct config_reader *r, struct slice path, const char *name, json_t *table,
                          struct provider *p)
{
    *p = r->defaults;
    p->name = arena_copy(r->arena, slice_str(name));
    if (!is_provider_name(name)) {
        config_bad(r, path, FINDING_BAD_VALUE, NULL, "a provider's name has 1 to %u characters of a-z, 0-9, - and _",
                   LIMIT_LABEL_BYTES);
    }
    r->homes.at[HOME_PROVIDER] = p;
    config_read_group(r, provider_fields, path, table);
    check_credential(r, path, p);
    check_headers(r, path, p);
    if (!json_is_object(table)) return;
    check_version(r, path, p, table);
    check_access_keys(r, path, p, table);
    config_check_account(r, path, p, table);
}

void config_read_breaker(struct config_reader *r, const struct field *f, struct slice path, json_t *table)
{
    struct provider *p = r->homes.at[HOME_PROVIDER];
    if (json_is_false(table))
        p->breaker_failures = 0;
    else if (json_is_object(table))
        config_read_table(r, f, path, table);
    else
        config_bad(r, path, FINDING_BAD_VALUE, "write { failures = 5, open = \"10s\" }",
                   "must be a table of named fields or false, not %s",
                   json_is_true(table) ? "true" : config_type_name(table));
}

static int compare_providers(const void *a, const void *b)
{
    return strcmp(((const struct provider *)a)->name.ptr, ((const struct provider *)b)->name.ptr);
}

void config_read_providers(struct config_reader *r, const struct field *f, struct slice path, json_t *table)
{
    struct settings *s = r->config->settings;
    const char *name;
    json_t *value;
    if (!config_is_table(r, path, table)) return;
    if (json_object_size(table) > f->list->items_max) {
        config_bad(r, path, FINDING_BAD_VALUE, NULL, "more than %zu providers", f->list->items_max);
        return;
    }
    s->providers = arena_zalloc(r->arena, json_object_size(table) * sizeof *s->providers);
    json_object_foreach(table, name, value)
    {
        read_provider(r, config_join(r, path, name), name, value, &s->providers[s->provider_count++]);
    }
    qsort(s->providers, s->provider_count, sizeof *s->providers, compare_providers);
    config_check_credentials(r, path);
}

/* ---- The whole. */

static unsigned count_cores(void)
{
    cpu_set_t set;
    unsigned n = sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
    return n > LIMIT_WORKERS ? LIMIT_WORKERS : n;
}

/* An environment variable in the place of a field of the file. */
static void override_from_env(struct config_reader *r, const struct field *f)
{
    const char *value = getenv(f->env);
    if (!value || !*value) return;
    if (f->type == &type_path) {
        /* Relative to where the process stands, not to the file. */
        *(struct slice *)field_value(&r->homes, f) = arena_copy(r->arena, slice_str(value));
        return;
    }
    json_t *text = json_string(value);
    if (text) {
        config_read_value(r, f, slice_str(f->env), text);
    } else {
        report_say(r->report, FINDING_BAD_VALUE, "%s: not UTF-8", f->env);
    }
    json_decref(text);
}

static void override_all(struct config_reader *r, const struct field *fields)
{
    for (const struct field *f = fields; f->name; f++) {
        if (f->group) override_all(r, f->group);
        if (f->env) override_from_env(r, f);
    }
}

static void set_defaults(struct config_reader *r)
{
    r->homes = field_homes_of(r->config);
    r->homes.at[HOME_DEFAULTS] = r->homes.at[HOME_PROVIDER] = &r->defaults;
    config_set_initial(r, provider_fields);
    config_set_initial(r, config_fields);
    r->config->workers = count_cores();
}

/* The column of what Lua's message says it stumbled over: … near 'x'. */
static int guess_column(struct slice text, const struct configfile_error *why)
{
    const char *near = strstr(why->text, "near '");
    struct slice rest = text, line = SLICE_NONE;
    if (!near || why->line == 0) return 0;
    near += 6;
    const char *end = strrchr(near, '\'');
    for (int i = 0; i < why->line && rest.len; i++)
        line = slice_split(rest, '\n', &rest);
    if (!end || end == near || line.len == 0) return 0;
    const char *at = memmem(line.ptr, line.len, near, (size_t)(end - near));
    return at ? (int)(at - line.ptr) + 1 : 0;
}

/* Lua takes the last of two, and says nothing. */
static void report_twice(struct config_reader *r)
{
    struct reading *reading = reading_new(r->text);
    for (size_t i = 0; i < reading_count(reading); i++) {
        const struct reading_item *item = reading_at(reading, i);
        struct buf text;
        if (item->kind != READING_KEY_TWICE) continue;
        buf_init(&text);
        buf_printf(&text, "'%.*s' stands in this table twice: what line %d says of it is lost", SLICE_FMT(item->name),
                   item->first.line);
        report_add(r->report,
                   &(struct diagnostic){.finding = FINDING_SAID_TWICE,
                                        .file = r->config->file,
                                        .line = item->at.line,
                                        .column = item->at.column,
                                        .text = buf_slice(&text),
                                        .hint = SLICE("take one of them out, or give it another name")},
                   r->text);
        buf_clear(&text);
    }
    reading_free(reading);
}

/* Such records could never be had. */
static void check_remote(struct config_reader *r)
{
    if (r->config->settings->durability != DURABILITY_REMOTE || r->config->postgres_url.len) return;
    config_bad(r, SLICE("ledger.durability"), FINDING_BAD_VALUE, "postgres = { url = env \"…\" }; or \"local\"",
               "\"remote\" needs PostgreSQL, and there is no `postgres`");
}

static void read_text_of_config(struct config_reader *r)
{
    struct configfile_error why;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    json_t *tree = configfile_eval(r->text, &why);
    if (!tree) {
        report_add(r->report,
                   &(struct diagnostic){.finding = why.finding,
                                        .file = r->config->file,
                                        .line = why.line,
                                        .column = guess_column(r->text, &why),
                                        .text = slice_str(why.text)},
                   r->text);
        return;
    }
    report_twice(r);
    places_scan(&r->places, r->text);
    config_read_group(r, config_fields, SLICE_NONE, tree);
    json_decref(tree);
    override_all(r, config_fields);
    r->config->settings->has_postgres = r->config->postgres_url.len > 0;
    r->config->settings->has_redis = r->config->redis_url.len > 0;
    check_remote(r);
    SHA256((const unsigned char *)r->text.ptr, r->text.len, digest);
    hex_write(digest, sizeof digest, r->config->settings->digest);
}

const char *config_path(const char *given)
{
    const char *env = getenv("MOONGATE_CONFIG");
    if (given) return given;
    return env && *env ? env : "moongate.lua";
}

static struct config *load(const char *path, bool is_offline, struct report *report)
{
    size_t errors_before = report_errors(report);
    struct config *c = mem_zalloc(1, sizeof *c);
    struct buf content;
    c->settings = settings_new();
    struct config_reader r = {.config = c, .arena = &c->settings->arena, .report = report, .is_offline = is_offline};
    const char *slash = strrchr(path, '/');
    c->file = arena_copy(r.arena, slice_str(path));
    r.dir = slash ? arena_copy(r.arena, slice_of(path, (size_t)(slash - path) + 1)) : SLICE("");
    buf_init(&content);
    places_init(&r.places);
    set_defaults(&r);
    if (config_read_file(path, LIMIT_CONFIG_FILE_BYTES, &content)) {
        r.text = buf_slice(&content);
        read_text_of_config(&r);
    } else {
        report_say(report, FINDING_NO_FILE, "%s: %s", path, strerror(errno));
    }
    places_clear(&r.places);
    buf_clear(&content);
    if (report_errors(report) == errors_before) return c;
    config_free(c);
    return NULL;
}

struct config *config_load(const char *path, struct report *report)
{
    return load(path, false, report);
}

struct config *config_load_offline(const char *path, struct report *report)
{
    return load(path, true, report);
}

static void drop_secrets(const struct field *fields, const struct field_homes *homes)
{
    for (const struct field *f = fields; f->name; f++) {
        if (f->group) drop_secrets(f->group, homes);
        if (!f->type->is_secret) continue;
        struct slice *secret = field_value(homes, f);
        /* It lies in the settings' own arena. */
        if (secret->len) explicit_bzero((char *)(uintptr_t)secret->ptr, secret->len);
        *secret = SLICE_NONE;
    }
}

void config_free(struct config *c)
{
    if (!c) return;
    /* Its own; those of providers and services go with the settings, which others may still hold. */
    struct field_homes homes = field_homes_of(c);
    drop_secrets(config_fields, &homes);
    settings_unref(c->settings);
    mem_free(c);
}

void config_drop_secrets(struct config *c)
{
    struct field_homes homes = field_homes_of(c);
    drop_secrets(config_fields, &homes);
    for (const struct field *f = config_fields; f->name; f++) {
        size_t count;
        if (!f->list) continue;
        char *items = list_items(f->list, &homes, &count);
        for (size_t i = 0; i < count; i++) {
            homes.at[f->list->home] = items + i * f->list->item_bytes;
            drop_secrets(f->list->fields, &homes);
        }
    }
}
