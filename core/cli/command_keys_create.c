#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "admin/api/body.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/folder.h"
#include "cli/holder.h"
#include "cli/keys_inner.h"

struct create_options {
    const char *app, *department, *user, *team, *tier, *region, *clearance, *env, *owner, *expires, *reason;
    struct option_list roles, labels, approvals;
    bool is_forced, is_admin;
};

static bool read_expiry(const char *text, uint64_t *seconds)
{
    uint64_t ms;
    *seconds = 0;
    if (!text || strcmp(text, "never") == 0) return true;
    if (!keys_read_life("--expires", text, "write 90d, 12h, or never", &ms)) return false;
    if (ms < 1000) {
        cli_usage_error("write 90d, 12h, or never", "--expires: `%s` is less than a second", text);
        return false;
    }
    *seconds = clock_wall_ns() / NS_PER_S + ms / 1000;
    return true;
}

static bool read_labels(const struct option_list *list, struct key_label *labels)
{
    for (size_t i = 0; i < list->count; i++) {
        labels[i].name = slice_split(slice_str(list->items[i]), '=', &labels[i].value);
        if (labels[i].name.len == 0 || !strchr(list->items[i], '=')) {
            cli_usage_error("write --label cost-centre=4711", "--label: `%s` is not a name and a value",
                            list->items[i]);
            return false;
        }
    }
    return true;
}

static void read_list(const struct option_list *list, struct slice *items)
{
    for (size_t i = 0; i < list->count; i++)
        items[i] = slice_str(list->items[i]);
}

static json_t *names_of(const struct slice *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_stringn(items[i].ptr, items[i].len));
    return list;
}

/* What the policies can say of the names: true with --force, which asks nobody. */
static bool is_known(const struct create_options *o, const struct key_spec *spec, const char *config)
{
    struct slice labels[OPTION_LIST_MAX];
    if (o->is_forced) return true;
    for (size_t i = 0; i < spec->label_count; i++)
        labels[i] = spec->labels[i].name;
    json_t *question = json_pack("{s:s*, s:s*, s:o, s:o}", "app", o->app, "clearance", o->clearance, "labels",
                                 names_of(labels, spec->label_count), "approvals",
                                 names_of(spec->approvals, spec->approval_count));
    char *text = question ? json_dumps(question, 0) : NULL;
    bool is_good = !text || holder_is_known(config, slice_str(text));
    free(text);
    json_decref(question);
    return is_good;
}

static void set(json_t *body, const char *name, const char *text)
{
    if (text) json_object_set_new(body, name, json_string(text));
}

static void set_list(json_t *body, const char *name, const struct slice *items, size_t count)
{
    if (count) json_object_set_new(body, name, names_of(items, count));
}

/* As the admin API takes it. */
static json_t *body_of(const struct create_options *o, const struct key_spec *spec)
{
    json_t *body = json_object(), *labels = json_object();
    set(body, "app", o->app);
    set(body, "department", o->department);
    set(body, "user", o->user);
    set(body, "team", o->team);
    set(body, "tier", o->tier);
    set(body, "region", o->region);
    set(body, "clearance", o->clearance);
    set(body, "env", o->env);
    set(body, "owner", o->owner);
    set(body, "reason", o->reason);
    set_list(body, "roles", spec->roles, spec->role_count);
    set_list(body, "approvals", spec->approvals, spec->approval_count);
    for (size_t i = 0; i < spec->label_count; i++) {
        const struct key_label *label = &spec->labels[i];
        json_object_setn_new(labels, label->name.ptr, label->name.len,
                             json_stringn(label->value.ptr, label->value.len));
    }
    json_object_set_new(body, "labels", labels);
    json_object_set_new(body, "expires_at", instant_json((int64_t)spec->expires_at));
    return body;
}

static void print_made(struct governed *g, uint64_t expires_at, bool is_json)
{
    struct key_made made;
    keys_take_made(g, &made);
    if (!is_json) {
        keys_print_made(&made, expires_at);
        return;
    }
    cli_print_json(json_pack("{s:s, s:s, s:I}", "key", made.text, "id", made.id, "expires_at", (json_int_t)expires_at));
    explicit_bzero(&made, sizeof made);
}

static int create(const struct common_options *common, const char *path, json_t *body, uint64_t expires_at)
{
    struct governed g;
    char *data_dir = folder_find(common->config);
    bool is_answered = data_dir && governing_call(data_dir, "POST", path, body, &g);
    mem_free(data_dir);
    if (!is_answered) return CLI_USAGE;
    int code = g.status < 300 ? CLI_OK : governing_refused(&g);
    if (code == CLI_OK) print_made(&g, expires_at, common->is_json);
    governing_end(&g);
    return code;
}

static int create_key(const struct create_options *o, const struct common_options *common)
{
    static struct key_label labels[OPTION_LIST_MAX];
    static struct slice roles[OPTION_LIST_MAX], approvals[OPTION_LIST_MAX];
    struct change_by by;
    struct key_spec spec = {.roles = roles,
                            .role_count = o->roles.count,
                            .approvals = approvals,
                            .approval_count = o->approvals.count,
                            .labels = labels,
                            .label_count = o->labels.count};
    if (!read_expiry(o->expires, &spec.expires_at) || !read_labels(&o->labels, labels) || !caller_read(o->reason, &by))
        return CLI_USAGE;
    read_list(&o->roles, roles);
    read_list(&o->approvals, approvals);
    if (!is_known(o, &spec, common->config)) return CLI_USAGE;
    return create(common, "/keys", body_of(o, &spec), spec.expires_at);
}

/* Of the admin API. */
static int create_admin_key(const struct create_options *o, const struct common_options *common)
{
    uint64_t expires_at;
    struct change_by by;
    if (!o->owner)
        return cli_usage_error("moongate keys create --admin --owner per_7Q2fR8sT1uVw", "say whose it is: --owner");
    if (!read_expiry(o->expires, &expires_at) || !caller_read(o->reason, &by)) return CLI_USAGE;
    return create(common, "/admin-keys",
                  json_pack("{s:s, s:s?, s:o}", "owner", o->owner, "reason", o->reason, "expires_at",
                            instant_json((int64_t)expires_at)),
                  expires_at);
}

int command_keys_create(int argc, char **argv)
{
    static struct create_options o;
    struct common_options common;
    const struct option options[] = {{"--app", OPTION_TEXT, &o.app},
                                     {"--department", OPTION_TEXT, &o.department},
                                     {"--user", OPTION_TEXT, &o.user},
                                     {"--team", OPTION_TEXT, &o.team},
                                     {"--tier", OPTION_TEXT, &o.tier},
                                     {"--region", OPTION_TEXT, &o.region},
                                     {"--clearance", OPTION_TEXT, &o.clearance},
                                     {"--env", OPTION_TEXT, &o.env},
                                     {"--owner", OPTION_TEXT, &o.owner},
                                     {"--admin", OPTION_FLAG, &o.is_admin},
                                     {"--expires", OPTION_TEXT, &o.expires},
                                     {"--reason", OPTION_TEXT, &o.reason},
                                     {"--role", OPTION_LIST, &o.roles},
                                     {"--label", OPTION_LIST, &o.labels},
                                     {"--approve", OPTION_LIST, &o.approvals},
                                     {"--force", OPTION_FLAG, &o.is_forced},
                                     {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"keys", "create"});
    if (o.is_admin) return create_admin_key(&o, &common);
    if (!o.app && !o.department && !o.user && !o.team) {
        return cli_usage_error("moongate keys create --app sales-copilot --department Sales",
                               "say whose key it is: --app, --department, --user or --team");
    }
    return create_key(&o, &common);
}
