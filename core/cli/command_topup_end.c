#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/caller.h"
#include "cli/folder.h"
#include "cli/topup_inner.h"

#define SHOWN "`moongate topup list` shows the ids"

static void print_ended(const char *id, const struct topup_ended *ended, bool is_json, enum register_told told)
{
    char amount[AMOUNT_BYTES], when[CLOCK_TEXT_BYTES];
    clock_format((uint64_t)ended->ended_at * NS_PER_S, when);
    if (is_json) {
        cli_print_json(json_pack("{s:s, s:I, s:s, s:b, s:s}", "ended", id, "amount_nano", (json_int_t)ended->nano,
                                 "ended_at", when, "was_over", ended->was_over, "gateway", register_word(told)));
    } else if (ended->was_over) {
        printf("%s was over before, since %s\n", id, when);
    } else {
        printf("ended %s: it adds %s no more\n", id, amount_usd_exactly(ended->nano, amount));
    }
}

static int end_it(const char *id, const struct change_by *by, const char *data_dir, const struct common_options *common)
{
    struct fault why;
    struct topup_ended ended;
    struct registry *registry = register_open(data_dir);
    if (!registry) return CLI_USAGE;
    enum registry_found found = registry_topup_end(registry, slice_str(id), by, &ended, &why);
    registry_close(registry);
    if (found == REGISTRY_FAILED) return cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    if (found == REGISTRY_MISSING) return cli_error(CLI_FOUND, SHOWN, "there is no top-up with the id `%s`", id);
    enum register_told told = register_tell(data_dir);
    print_ended(id, &ended, common->is_json, told);
    fflush(stdout);
    if (!ended.was_over && register_is_of_fleet(common->config)) topup_say_fleet();
    return CLI_OK;
}

int command_topup_end(int argc, char **argv)
{
    static const char *reason;
    const struct option options[] = {{"--reason", OPTION_TEXT, &reason}, {NULL, OPTION_FLAG, NULL}};
    struct change_by by;
    struct common_options common;
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"topup", "end"});
    if (count == 0) return cli_usage_error(SHOWN, "say which top-up: its id");
    if (!caller_read(reason, &by)) return CLI_USAGE;
    char *data_dir = folder_find(common.config);
    if (!data_dir) return CLI_USAGE;
    int code = end_it(id, &by, data_dir, &common);
    mem_free(data_dir);
    return code;
}
