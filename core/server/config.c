#include "server/config.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/sha.h>
#include <sched.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "lua/configfile.h"
#include "server/config_reader.h"

#define KNOWN_MAX 32u

static void bad_name(struct config_reader *r, struct slice path, struct slice name, const struct field *fields)
{
    const char *known[KNOWN_MAX];
    size_t count = 0;
    struct buf hint, text;
    buf_init(&hint);
    buf_init(&text);
    for (; fields[count].name && count < KNOWN_MAX; count++)
        known[count] = fields[count].name;
    const char *nearest = nearest_word(name, known, count);
    if (nearest) {
        buf_printf(&hint, "did you mean `%s`?", nearest);
    } else {
        buf_append(&hint, SLICE("known here:"));
        for (size_t i = 0; i < count; i++)
            buf_printf(&hint, "%s %s", i ? "," : "", known[i]);
    }
    buf_append_char(&hint, '\0');
    buf_printf(&text, "unknown field `%.*s`", SLICE_FMT(path));
    config_complain(r, places_find(&r->places, path, NULL), false, buf_ptr(&hint), buf_slice(&text));
    buf_clear(&hint);
    buf_clear(&text);
}

/* ---- Tables. */

static void read_providers(struct config_reader *r, struct slice path, json_t *table);

static void read_field(struct config_reader *r, const struct field *f, struct slice path, json_t *value)
{
    if (f->kind == FIELD_GROUP) {
        config_read_group(r, f->group, path, value);
    } else if (f->kind == FIELD_PROVIDERS) {
        read_providers(r, path, value);
    } else if (f->kind == FIELD_EGRESS) {
        config_read_egress(r, path, value);
    } else {
        config_read_value(r, f, path, value, (char *)r->homes[f->home] + f->offset);
    }
}

struct slice config_join(struct config_reader *r, struct slice path, const char *name)
{
    if (path.len == 0) return arena_copy(r->arena, slice_str(name));
    return arena_printf(r->arena, "%.*s.%s", SLICE_FMT(path), name);
}

bool config_is_table(struct config_reader *r, struct slice path, const json_t *value)
{
    if (json_is_object(value) && strcmp(config_type_name(value), "a table") == 0) return true;
    return config_bad(r, path, NULL, "must be a table of named fields, not %s", config_type_name(value));
}

void config_read_group(struct config_reader *r, const struct field *fields, struct slice path, json_t *table)
{
    const char *name;
    json_t *value;
    if (!config_is_table(r, path, table)) return;
    for (const struct field *f = fields; f->name; f++) {
        value = json_object_get(table, f->name);
        if (value) read_field(r, f, config_join(r, path, f->name), value);
    }
    json_object_foreach(table, name, value)
    {
        const struct field *f = fields;
        while (f->name && strcmp(f->name, name) != 0)
            f++;
        if (!f->name) bad_name(r, config_join(r, path, name), slice_str(name), fields);
    }
}

static bool is_provider_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= LIMIT_LABEL_BYTES && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

static void read_provider(struct config_reader *r, struct slice path, const char *name, json_t *table,
                          struct provider *p)
{
    *p = r->defaults;
    p->name = arena_copy(r->arena, slice_str(name));
    if (!is_provider_name(name)) {
        config_bad(r, path, NULL, "a provider's name has 1 to %u characters of a-z, 0-9, - and _", LIMIT_LABEL_BYTES);
    }
    r->homes[HOME_PROVIDER] = p;
    config_read_group(r, provider_fields, path, table);
    if (!json_is_object(table)) return;
    if (!json_object_get(table, "kind")) config_bad(r, path, "add kind = \"openai\"", "`kind` is missing");
    if (!json_object_get(table, "url")) config_bad(r, path, "add url = \"https://…/v1\"", "`url` is missing");
}

static int compare_providers(const void *a, const void *b)
{
    return strcmp(((const struct provider *)a)->name.ptr, ((const struct provider *)b)->name.ptr);
}

static void read_providers(struct config_reader *r, struct slice path, json_t *table)
{
    struct settings *s = r->config->settings;
    const char *name;
    json_t *value;
    if (!config_is_table(r, path, table)) return;
    if (json_object_size(table) > LIMIT_PROVIDERS) {
        config_bad(r, path, NULL, "more than %u providers", LIMIT_PROVIDERS);
        return;
    }
    s->providers = arena_zalloc(r->arena, json_object_size(table) * sizeof *s->providers);
    json_object_foreach(table, name, value)
    {
        read_provider(r, config_join(r, path, name), name, value, &s->providers[s->provider_count++]);
    }
    qsort(s->providers, s->provider_count, sizeof *s->providers, compare_providers);
}

/* ---- The whole. */

static unsigned count_cores(void)
{
    cpu_set_t set;
    unsigned n = sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
    return n > LIMIT_WORKERS ? LIMIT_WORKERS : n;
}

/* An environment variable in the place of a field of the table. */
static void override_from_env(struct config_reader *r, const char *name, const struct field *f)
{
    const char *value = getenv(name);
    void *to = (char *)r->homes[f->home] + f->offset;
    if (!value || !*value) return;
    if (f->kind == FIELD_PATH) {
        /* Relative to where the process stands, not to the file. */
        *(struct slice *)to = arena_copy(r->arena, slice_str(value));
        return;
    }
    json_t *text = json_string(value);
    if (text) {
        config_read_value(r, f, slice_str(name), text, to);
    } else {
        report_say(r->report, FINDING_OTHER_ERROR, "%s: not UTF-8", name);
    }
    json_decref(text);
}

static void override_all(struct config_reader *r)
{
    static const struct field overrides[] = {
        {"MOONGATE_LISTEN", FIELD_ADDRESS, HOME_CONFIG, offsetof(struct config, listen), 0, 0, NULL},
        {"MOONGATE_ADMIN_LISTEN", FIELD_ADMIN, HOME_CONFIG, offsetof(struct config, admin_listen), 0, 0, NULL},
        {"MOONGATE_DATA_DIR", FIELD_PATH, HOME_SETTINGS, offsetof(struct settings, data_dir), 0, 0, NULL},
    };
    for (size_t i = 0; i < sizeof overrides / sizeof overrides[0]; i++) {
        override_from_env(r, overrides[i].name, &overrides[i]);
    }
}

static void set_defaults(struct config_reader *r)
{
    struct config *c = r->config;
    c->listen = SLICE("127.0.0.1:8090");
    c->admin_listen = SLICE("127.0.0.1:8091");
    c->policies_dir = config_resolve_path(r, SLICE("policies"));
    c->settings->data_dir = config_resolve_path(r, SLICE("data"));
    c->workers = count_cores();
    c->gate_timeout_ms = LIMIT_GATE_MS;
    r->defaults = (struct provider){.can_report_usage = true,
                                    .connect_timeout_ms = LIMIT_CONNECT_TIMEOUT_MS,
                                    .first_byte_timeout_ms = LIMIT_FIRST_BYTE_TIMEOUT_MS,
                                    .idle_timeout_ms = LIMIT_UPSTREAM_IDLE_TIMEOUT_MS,
                                    .total_timeout_ms = LIMIT_TOTAL_TIMEOUT_MS};
    r->homes[HOME_CONFIG] = c;
    r->homes[HOME_SETTINGS] = c->settings;
    r->homes[HOME_DEFAULTS] = &r->defaults;
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
    places_scan(&r->places, r->text);
    config_read_group(r, config_fields, SLICE_NONE, tree);
    json_decref(tree);
    override_all(r);
    SHA256((const unsigned char *)r->text.ptr, r->text.len, digest);
    hex_write(digest, sizeof digest, r->config->settings->digest);
}

const char *config_path(const char *given)
{
    const char *env = getenv("MOONGATE_CONFIG");
    if (given) return given;
    return env && *env ? env : "moongate.lua";
}

struct config *config_load(const char *path, struct report *report)
{
    size_t errors_before = report_errors(report);
    struct config *c = mem_zalloc(1, sizeof *c);
    struct buf content;
    c->settings = settings_new();
    struct config_reader r = {.config = c, .arena = &c->settings->arena, .report = report};
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

void config_free(struct config *c)
{
    if (!c) return;
    settings_unref(c->settings);
    mem_free(c);
}

void config_drop_secrets(struct config *c)
{
    for (size_t i = 0; i < c->settings->provider_count; i++) {
        struct provider *p = &c->settings->providers[i];
        /* The key lies in the settings' own arena. */
        if (p->key.len) explicit_bzero((char *)(uintptr_t)p->key.ptr, p->key.len);
        p->key = SLICE_NONE;
    }
    for (size_t i = 0; i < c->settings->egress_count; i++) {
        struct egress *e = &c->settings->egress[i];
        if (e->secret.len) explicit_bzero((char *)(uintptr_t)e->secret.ptr, e->secret.len);
        e->secret = SLICE_NONE;
    }
}
