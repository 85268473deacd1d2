#include <jansson.h>
#include <string.h>

#include "admin/api/body.h"
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

static uint64_t instant_of(const json_t *object, const char *name)
{
    int64_t seconds = 0;
    const char *text = json_string_value(json_object_get(object, name));
    if (text) instant_read(slice_str(text), &seconds);
    return (uint64_t)seconds;
}

static int say(const struct governed *g, const char *id, bool is_json)
{
    struct key_rotated rotated;
    if (g->status == 404) return keys_missing(id);
    if (g->status == 400)
        return cli_error(CLI_FOUND, "`moongate keys create` makes one from nothing", "%s: %s", id,
                         governing_message(g));
    if (g->status >= 300) return governing_refused(g);
    keys_take_made(g, &rotated.made);
    rotated.expires_at = instant_of(g->body, "expires_at");
    rotated.old_expires_at = instant_of(json_object_get(g->body, "replaces"), "expires_at");
    print_rotated(id, &rotated, is_json);
    return CLI_OK;
}

static int rotate_key(const char *id, uint64_t grace_s, const char *reason, const char *data_dir, bool is_json)
{
    struct governed g;
    struct buf to;
    json_t *body = json_pack("{s:I, s:s?}", "grace_s", (json_int_t)grace_s, "reason", reason);
    bool is_answered = governing_call(data_dir, "POST", governing_path(&to, "/keys/%s/rotate", id), body, &g);
    buf_clear(&to);
    if (!is_answered) return CLI_USAGE;
    int code = say(&g, id, is_json);
    governing_end(&g);
    return code;
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
    int exit_code = rotate_key(id, grace_s, reason, data_dir, common.is_json);
    mem_free(data_dir);
    return exit_code;
}
