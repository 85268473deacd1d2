#include "server/check_apps.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/keyring.h"
#include "store/keyring_build.h"
#include "store/registry/registry.h"

/* Keys that are named one by one; of the others there is a count. */
#define NAMED_MAX 5u

static void warn(struct report *report, struct buf *text)
{
    static const char hint[] =
        "list it there, or give the key's holder another: moongate keys create, moongate keys revoke";
    struct diagnostic d = {.finding = FINDING_UNLISTED_APP,
                           .file = SLICE("policies/apps.lua"),
                           .text = buf_slice(text),
                           .hint = slice_str(hint)};
    report_add(report, &d, SLICE_NONE);
    buf_clear(text);
}

static void warn_of(struct report *report, const struct key_record *key)
{
    struct buf text;
    buf_init(&text);
    if (key->app.len)
        buf_printf(&text, "key %.*s names an app that is not listed, '%.*s': it is refused (unknown_app)",
                   SLICE_FMT(key->id), SLICE_FMT(key->app));
    else
        buf_printf(&text, "key %.*s names no app that is listed, and auth.lua has no default_app: it is refused",
                   SLICE_FMT(key->id));
    warn(report, &text);
}

static void compare(const struct auth_rules *rules, const struct keyring *ring, struct report *report)
{
    uint64_t now = clock_wall_ns();
    size_t found = 0;
    for (size_t i = 0; i < keyring_count(ring); i++) {
        const struct key_record *key = keyring_at(ring, i);
        bool is_good = key->app.len ? auth_rules_knows_app(rules, key->app) : rules->has_default_app;
        if (is_good || !key_record_is_live(key, now)) continue;
        if (found++ < NAMED_MAX) warn_of(report, key);
    }
    if (found <= NAMED_MAX) return;
    struct buf text;
    buf_init(&text);
    buf_printf(&text, "%zu more keys name an app that is not listed", found - NAMED_MAX);
    warn(report, &text);
}

/* Opening it would make one. */
static bool has_registry(struct slice data_dir)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%.*s/registry.db", SLICE_FMT(data_dir));
    buf_append_char(&path, '\0');
    bool is_there = access(buf_ptr(&path), R_OK | W_OK) == 0;
    buf_clear(&path);
    return is_there || registry_is_shared();
}

void check_apps(const struct auth_rules *rules, struct slice data_dir, struct report *report)
{
    struct fault why;
    struct buf snapshot;
    if (!rules || !rules->has_apps || rules->key_header_count == 0 || !has_registry(data_dir)) return;
    char *dir = mem_strndup(data_dir.ptr, data_dir.len);
    struct registry *registry = registry_open(dir, &why);
    buf_init(&snapshot);
    /* One that cannot be read is told of by whoever needs it. */
    struct keyring *ring = NULL;
    if (registry && registry_export_keys(registry, &snapshot, &why)) ring = keyring_parse(buf_slice(&snapshot), &why);
    if (ring) compare(rules, ring, report);
    keyring_unref(ring);
    registry_close(registry);
    buf_clear(&snapshot);
    mem_free(dir);
}
