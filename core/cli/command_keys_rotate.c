#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "cli/folder.h"
#include "cli/keys_inner.h"

#define GRACE_DEFAULT "24h"

static bool read_grace(const char *text, uint64_t *seconds)
{
    uint64_t ms = 0;
    const char *cure = "write 24h, 7d, or 0: the old key ends at once";
    if (strcmp(text, "0") != 0 && !keys_read_life("--grace", text, cure, &ms)) return false;
    *seconds = ms / 1000;
    return true;
}

static void print_rotated(const char *id, struct key_rotated *rotated, bool is_json)
{
    char day[CLOCK_TEXT_BYTES];
    if (is_json) {
        cli_print_json(json_pack("{s:s, s:s, s:I, s:s, s:I}", "key", rotated->made.text, "id", rotated->made.id,
                                 "expires_at", (json_int_t)rotated->expires_at, "rotated", id, "rotated_expires_at",
                                 (json_int_t)rotated->old_expires_at));
        explicit_bzero(rotated, sizeof *rotated);
        return;
    }
    keys_print_made(&rotated->made, rotated->expires_at);
    clock_format(rotated->old_expires_at * NS_PER_S, day);
    fprintf(stderr, "%s stands for the same until %s, then it is refused.\n", id, day);
}

static int rotate_key(const char *id, uint64_t grace_s, const struct change_by *by, const char *data_dir, bool is_json)
{
    struct fault why;
    struct key_rotated rotated;
    struct registry *registry = register_open(data_dir);
    if (!registry) return CLI_USAGE;
    enum registry_found found = registry_key_rotate(registry, slice_str(id), grace_s, by, &rotated, &why);
    registry_close(registry);
    if (found == REGISTRY_FAILED) {
        return cli_error(CLI_FOUND, "`moongate keys create` makes one from nothing", "%s: %s", id,
                         fault_message(&why));
    }
    if (found == REGISTRY_MISSING) return keys_missing(id);
    register_tell(data_dir);
    print_rotated(id, &rotated, is_json);
    return CLI_OK;
}

int command_keys_rotate(int argc, char **argv)
{
    static const char *grace = GRACE_DEFAULT, *reason;
    const struct option options[] = {{"--grace", OPTION_TEXT, &grace},
                                     {"--reason", OPTION_TEXT, &reason},
                                     {NULL, OPTION_FLAG, NULL}};
    struct change_by by;
    struct common_options common;
    const char *id;
    size_t count;
    uint64_t grace_s;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"keys", "rotate"});
    if (!keys_check_id(id, count) || !read_grace(grace, &grace_s) || !caller_read(reason, &by)) return CLI_USAGE;
    char *data_dir = folder_find(common.config);
    if (!data_dir) return CLI_USAGE;
    int exit_code = rotate_key(id, grace_s, &by, data_dir, common.is_json);
    mem_free(data_dir);
    return exit_code;
}
