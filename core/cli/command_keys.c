#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/holder.h"
#include "server/config.h"
#include "server/units.h"
#include "store/registry.h"

#define CHANGED_TIMEOUT_MS 10000u

static struct registry *open_registry(const char *data_dir)
{
    struct fault why;
    if (mkdir(data_dir, 0700) != 0 && errno != EEXIST) {
        cli_error(CLI_USAGE, "-c names the configuration, which names the data folder", "%s: %s", data_dir,
                  strerror(errno));
        return NULL;
    }
    struct registry *registry = registry_open(data_dir, &why);
    if (!registry) cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    return registry;
}

/* A gateway that does not run reads the registry when it starts. One that refuses is worth a word. */
static void tell_gateway(const char *data_dir)
{
    char why[256];
    json_t *answer = cli_call(data_dir, "keys_changed", CHANGED_TIMEOUT_MS, why, sizeof why);
    if (answer && !json_is_true(json_object_get(answer, "ok"))) {
        const char *error = json_string_value(json_object_get(answer, "error"));
        fprintf(stderr, "warning: the running gateway did not take the change: %s\n",
                error ? error : "no reason given");
    }
    json_decref(answer);
}

static void format_day(json_int_t seconds, char text[CLOCK_TEXT_BYTES])
{
    clock_format((uint64_t)seconds * NS_PER_S, text);
    text[10] = '\0';
}

/* ---- create */

struct create_options {
    const char *app, *department, *user, *team, *tier, *region, *clearance, *env, *expires;
    struct option_list roles, labels, approvals;
    bool is_forced;
};

static bool read_expiry(const char *text, uint64_t *seconds)
{
    uint64_t ms;
    *seconds = 0;
    if (!text || strcmp(text, "never") == 0) return true;
    if (!units_duration(slice_str(text), &ms) || ms < 1000) {
        cli_usage_error("write 90d, 12h, or never", "--expires: `%s` is not a duration", text);
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

static void print_made(const struct key_made *made, uint64_t expires_at, bool is_json)
{
    char day[CLOCK_TEXT_BYTES] = "never";
    if (is_json) {
        cli_print_json(
            json_pack("{s:s, s:s, s:I}", "key", made->text, "id", made->id, "expires_at", (json_int_t)expires_at));
        return;
    }
    if (expires_at) format_day((json_int_t)expires_at, day);
    printf("%s\n", made->text);
    fflush(stdout);
    fprintf(stderr, "id %s, expires %s. The key is shown this once; only its SHA-256 is kept.\n", made->id, day);
}

static int create_key(const struct create_options *o, const struct common_options *common)
{
    static struct key_label labels[OPTION_LIST_MAX];
    static struct slice roles[OPTION_LIST_MAX], approvals[OPTION_LIST_MAX];
    struct key_spec spec = {
        .app = slice_str(o->app),
        .department = slice_str(o->department),
        .user = slice_str(o->user),
        .team = slice_str(o->team),
        .tier = slice_str(o->tier),
        .region = slice_str(o->region),
        .clearance = slice_str(o->clearance),
        .env = slice_str(o->env),
        .roles = roles,
        .role_count = o->roles.count,
        .approvals = approvals,
        .approval_count = o->approvals.count,
        .labels = labels,
        .label_count = o->labels.count,
    };
    struct key_made made;
    struct fault why;
    if (!read_expiry(o->expires, &spec.expires_at) || !read_labels(&o->labels, labels)) return CLI_USAGE;
    read_list(&o->roles, roles);
    read_list(&o->approvals, approvals);
    if (!is_known(o, &spec, common->config)) return CLI_USAGE;
    char *data_dir = config_data_dir(config_path(common->config));
    struct registry *registry = open_registry(data_dir);
    int exit_code = CLI_USAGE;
    if (registry && registry_key_create(registry, &spec, &made, &why)) {
        exit_code = CLI_OK;
        tell_gateway(data_dir);
        print_made(&made, spec.expires_at, common->is_json);
        explicit_bzero(&made, sizeof made);
    } else if (registry) {
        cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    }
    registry_close(registry);
    mem_free(data_dir);
    return exit_code;
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
                                     {"--expires", OPTION_TEXT, &o.expires},
                                     {"--role", OPTION_LIST, &o.roles},
                                     {"--label", OPTION_LIST, &o.labels},
                                     {"--approve", OPTION_LIST, &o.approvals},
                                     {"--force", OPTION_FLAG, &o.is_forced},
                                     {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"keys", "create"});
    if (!o.app && !o.department && !o.user && !o.team) {
        return cli_usage_error("moongate keys create --app sales-copilot --department Sales",
                               "say whose key it is: --app, --department, --user or --team");
    }
    return create_key(&o, &common);
}

/* ---- list */

static const char *text_of(const json_t *key, const char *name)
{
    const char *text = json_string_value(json_object_get(key, name));
    return text && *text ? text : "-";
}

static const char *state_of(const json_t *key, char text[CLOCK_TEXT_BYTES])
{
    json_int_t expires = json_integer_value(json_object_get(key, "expires_at"));
    if (json_is_true(json_object_get(key, "revoked"))) return "revoked";
    if (expires == 0) return "never";
    format_day(expires, text);
    return (uint64_t)expires <= clock_wall_ns() / NS_PER_S ? "expired" : text;
}

static void print_keys(const json_t *keys)
{
    static const char *const heads[] = {"ID", "TAIL", "APP", "DEPARTMENT", "USER", "CREATED", "EXPIRES"};
    const char *const format =
        isatty(STDOUT_FILENO) ? "%-17s %-5s %-20s %-14s %-14s %-10s %s\n" : "%s\t%s\t%s\t%s\t%s\t%s\t%s\n";
    size_t i;
    json_t *key;
    printf(format, heads[0], heads[1], heads[2], heads[3], heads[4], heads[5], heads[6]);
    json_array_foreach(keys, i, key)
    {
        char created[CLOCK_TEXT_BYTES], expires[CLOCK_TEXT_BYTES];
        format_day(json_integer_value(json_object_get(key, "created_at")), created);
        printf(format, text_of(key, "id"), text_of(key, "tail"), text_of(key, "app"), text_of(key, "department"),
               text_of(key, "user"), created, state_of(key, expires));
    }
}

int command_keys_list(int argc, char **argv)
{
    struct common_options common;
    struct fault why;
    if (!cli_options(argc, argv, NULL, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"keys", "list"});
    char *data_dir = config_data_dir(config_path(common.config));
    struct registry *registry = open_registry(data_dir);
    json_t *keys = registry ? registry_keys(registry, &why) : NULL;
    registry_close(registry);
    mem_free(data_dir);
    if (!registry) return CLI_USAGE;
    if (!keys) return cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    if (common.is_json) {
        cli_print_json(json_pack("{s:o}", "keys", keys));
        return CLI_OK;
    }
    print_keys(keys);
    json_decref(keys);
    return CLI_OK;
}

/* ---- revoke */

static int revoke_key(const char *id, const char *data_dir, bool is_json)
{
    struct fault why;
    struct registry *registry = open_registry(data_dir);
    if (!registry) return CLI_USAGE;
    enum registry_found found = registry_key_revoke(registry, slice_str(id), &why);
    registry_close(registry);
    if (found == REGISTRY_FAILED) return cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    if (found == REGISTRY_MISSING) {
        return cli_error(CLI_FOUND, "`moongate keys list` shows the ids", "there is no key with the id `%s`", id);
    }
    tell_gateway(data_dir);
    if (is_json) {
        cli_print_json(json_pack("{s:s}", "revoked", id));
    } else {
        printf("revoked %s\n", id);
    }
    return CLI_OK;
}

int command_keys_revoke(int argc, char **argv)
{
    struct common_options common;
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, NULL, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"keys", "revoke"});
    if (count == 0) return cli_usage_error("`moongate keys list` shows the ids", "say which key: its id");
    if (strncmp(id, KEY_TEXT_PREFIX, strlen(KEY_TEXT_PREFIX)) == 0) {
        return cli_usage_error("`moongate keys list` shows the ids; do not type keys into a shell",
                               "that is a key, not its id");
    }
    char *data_dir = config_data_dir(config_path(common.config));
    int exit_code = revoke_key(id, data_dir, common.is_json);
    mem_free(data_dir);
    return exit_code;
}
