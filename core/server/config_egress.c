#include <jansson.h>
#include <string.h>

#include "server/config_reader.h"

/* egress = { ["https://moderation.internal"] = { clearance = "internal", name = "moderation", secret = env "X" } } */

static void check_origin(struct config_reader *r, struct slice path, const struct egress *e)
{
    struct slice origin = settings_origin(e->origin);
    if (!origin.ptr || slice_equal(origin, SLICE("https://")))
        config_bad(r, path, FINDING_BAD_VALUE, "write [\"https://service.example\"] = { … }",
                   "is not an http:// or https:// URL");
    else if (origin.len != e->origin.len)
        config_bad(r, path, FINDING_BAD_VALUE, "policies name paths, here stand scheme, host and port",
                   "has a path; `%.*s` is what may be listed", SLICE_FMT(origin));
}

/* A secret without a name could not be asked for. */
static void check_secret(struct config_reader *r, struct slice path, const struct egress *e, const json_t *table)
{
    if (json_object_get(table, "secret") && !e->name.len)
        config_bad(r, path, FINDING_BAD_VALUE,
                   "add name = \"moderation\": policies then say auth = \"secret:moderation\"", "`secret` has no name");
    if (!json_object_get(table, "secret") && e->header.len)
        config_bad(r, path, FINDING_MISSING_FIELD, "header says where the secret goes",
                   "`header` stands without `secret`");
    if (e->name.len && !json_object_get(table, "secret"))
        config_bad(r, path, FINDING_MISSING_FIELD, "name is how policies ask for the secret",
                   "`name` stands without `secret`");
}

static void read_one(struct config_reader *r, struct slice path, const char *url, json_t *table, struct egress *e)
{
    struct settings *s = r->config->settings;
    e->origin = arena_copy(r->arena, slice_str(url));
    check_origin(r, path, e);
    const struct egress *same = settings_egress(s, e->origin);
    if (same) config_bad(r, path, FINDING_SAID_TWICE, NULL, "is listed twice, as `%.*s` too", SLICE_FMT(same->origin));
    r->homes.at[HOME_EGRESS] = e;
    config_set_initial(r, egress_fields);
    config_read_group(r, egress_fields, path, table);
    if (json_is_object(table)) check_secret(r, path, e, table);
    s->egress_count++;
}

void config_read_egress(struct config_reader *r, const struct field *f, struct slice path, json_t *table)
{
    struct settings *s = r->config->settings;
    const char *url;
    json_t *value;
    if (!config_is_table(r, path, table)) return;
    if (json_object_size(table) > f->list->items_max) {
        config_bad(r, path, FINDING_BAD_VALUE, NULL, "more than %zu services", f->list->items_max);
        return;
    }
    s->egress = arena_zalloc(r->arena, (json_object_size(table) + 1) * sizeof *s->egress);
    json_object_foreach(table, url, value)
    {
        read_one(r, config_join(r, path, url), url, value, &s->egress[s->egress_count]);
    }
}
