#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "cli/folder.h"
#include "cli/keys_inner.h"

static bool ask(const char *path, const char *id, const char *reason, bool ends_requests, const char *data_dir,
                struct governed *g)
{
    struct buf to;
    json_t *body = json_pack("{s:s?}", "reason", reason);
    if (ends_requests) json_object_set_new(body, "end_requests", json_true());
    bool is_answered = governing_call(data_dir, "POST", governing_path(&to, path, id), body, g);
    buf_clear(&to);
    return is_answered;
}

static int say(const struct governed *g, const char *id, bool is_json)
{
    if (g->status == 404) return keys_missing(id);
    if (g->status >= 300) return governing_refused(g);
    if (is_json) cli_print_json(json_pack("{s:s}", "revoked", id));
    else printf("revoked %s\n", id);
    return CLI_OK;
}

/* A caller's, or one of the admin API. */
static int revoke_key(const char *id, bool ends_requests, const char *reason, const char *data_dir, bool is_json)
{
    struct governed g;
    if (!ask("/keys/%s/revoke", id, reason, ends_requests, data_dir, &g)) return CLI_USAGE;
    if (g.status == 404) {
        governing_end(&g);
        if (!ask("/admin-keys/%s/revoke", id, reason, false, data_dir, &g)) return CLI_USAGE;
    }
    int code = say(&g, id, is_json);
    governing_end(&g);
    return code;
}

int command_keys_revoke(int argc, char **argv)
{
    static bool ends_requests;
    static const char *reason;
    const struct option options[] = {{"--end-requests", OPTION_FLAG, &ends_requests},
                                     {"--reason", OPTION_TEXT, &reason},
                                     {NULL, OPTION_FLAG, NULL}};
    struct change_by by;
    struct common_options common;
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"keys", "revoke"});
    if (!keys_check_id(id, count) || !caller_read(reason, &by)) return CLI_USAGE;
    char *data_dir = folder_find(common.config);
    if (!data_dir) return CLI_USAGE;
    int exit_code = revoke_key(id, ends_requests, reason, data_dir, common.is_json);
    mem_free(data_dir);
    return exit_code;
}
