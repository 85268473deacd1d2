#include <inttypes.h>
#include <jansson.h>

#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/caller.h"
#include "cli/cli.h"
#include "cli/confirm.h"
#include "cli/folder.h"
#include "cli/noting.h"
#include "cli/trial.h"
#include "store/registry/backup.h"
#include "store/registry/check.h"

static void print_lost(void *arg, struct slice time, struct slice action, struct slice target)
{
    (void)arg;
    printf("lost  %.*s  %.*s %.*s\n", SLICE_FMT(time), SLICE_FMT(action), SLICE_FMT(target));
}

static void keep_lost(void *arg, struct slice time, struct slice action, struct slice target)
{
    json_array_append_new(arg, json_pack("{s:s%, s:s%, s:s%}", "time", time.ptr, time.len, "action", action.ptr,
                                         action.len, "target", target.ptr, target.len));
}

static void print_about(const struct registry_backup *about, const char *from)
{
    char rows[AMOUNT_BYTES], replayed[AMOUNT_BYTES], lost[AMOUNT_BYTES];
    printf("restored %s: revision %" PRId64 ", %s rows\n", from, about->revision, amount_count(about->rows, rows));
    printf("after it came %s that took something from somebody, done once more, and %s that are gone\n",
           amount_count(about->replayed, replayed), amount_count(about->lost, lost));
}

static int restore(const char *data_dir, const char *from, const struct change_by *by, bool is_forced, bool is_json)
{
    struct registry_backup about;
    struct fault why = {0};
    json_t *lost = json_array();
    struct registry_restoring how = {is_forced, by, is_json ? keep_lost : print_lost, lost};
    if (!registry_restore(data_dir, from, &how, &about, &why)) {
        json_decref(lost);
        return cli_fault(&why, NULL);
    }
    if (is_json) {
        cli_print_json(json_pack("{s:s, s:I, s:I, s:I, s:I, s:O}", "restored", from, "epoch", (json_int_t)about.epoch,
                                 "revision", (json_int_t)about.revision, "rows", (json_int_t)about.rows, "replayed",
                                 (json_int_t)about.replayed, "lost", lost));
    } else {
        print_about(&about, from);
    }
    json_decref(lost);
    return about.lost ? CLI_FOUND : CLI_OK;
}

static void ignore(void *arg, const struct registry_finding *finding)
{
    (void)arg;
    (void)finding;
}

/* Does what is restored there keep what is promised of a registry? */
static int check(const char *folder)
{
    struct fault why = {0};
    struct registry_checked sum = {0};
    struct registry *r = registry_open(folder, &why);
    bool is_read = r && registry_check(r, ignore, NULL, &sum, &why);
    registry_close(r);
    if (!is_read) return cli_fault(&why, NULL);
    if (sum.findings == 0) return CLI_OK;
    return cli_error(CLI_FOUND, "`moongate registry check` says which, once it is restored",
                     "the backup breaks %" PRIu64 " of its promises", sum.findings);
}

/* Into a folder that goes again: the registry of the data folder stays, and is told that it was tried. */
static int try_restore(const char *data_dir, const char *from, const struct change_by *by, bool is_json)
{
    char *folder = trial_new();
    if (!folder) return CLI_USAGE;
    int code = restore(folder, from, by, false, is_json);
    if (code == CLI_OK) code = check(folder);
    trial_end(folder);
    if (code == CLI_OK)
        noting(data_dir, "registry.trial", "registry", json_pack("{s:s}", "file", from));
    return code;
}

int command_registry_restore(int argc, char **argv)
{
    static bool is_yes, is_trial;
    static const char *reason;
    const struct option options[] = {{"--yes|-y", OPTION_FLAG, &is_yes},
                                     {"--try", OPTION_FLAG, &is_trial},
                                     {"--reason", OPTION_TEXT, &reason},
                                     {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct change_by by;
    const char *from;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &from, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"registry", "restore"});
    if (count == 0) return cli_usage_error("moongate registry restore registry-2026-11-29.db", "say which backup");
    if (!caller_read(reason, &by)) return CLI_USAGE;
    char *data_dir = folder_find(common.config);
    if (!data_dir) return CLI_USAGE;
    int code = CLI_USAGE;
    if (registry_is_shared()) {
        cli_usage_error("restore the database itself, as PostgreSQL does it", "the registry is in PostgreSQL");
    } else if (is_trial) {
        code = try_restore(data_dir, from, &by, common.is_json);
    } else {
        bool is_there = registry_is_there(data_dir);
        if (!is_there || confirm(is_yes, "replaces %s/registry.db, and with it what came since the backup", data_dir))
            code = restore(data_dir, from, &by, is_there, common.is_json);
    }
    mem_free(data_dir);
    return code;
}
