#include <jansson.h>
#include <string.h>

#include "admin/api/body.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/caller.h"
#include "cli/folder.h"
#include "cli/governing.h"
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

static int64_t instant_of(const struct governed *g, const char *name)
{
    int64_t seconds = 0;
    instant_read(slice_str(governing_text(g, name)), &seconds);
    return seconds;
}

static int say(const struct governed *g, const char *id, const struct common_options *common)
{
    if (g->status == 404) return cli_error(CLI_FOUND, SHOWN, "there is no top-up with the id `%s`", id);
    if (g->status >= 300) return governing_refused(g);
    struct topup_ended ended = {.nano = json_integer_value(json_object_get(g->body, "nano")),
                                .ends_at = instant_of(g, "ends_at"),
                                .ended_at = instant_of(g, "ended_at"),
                                .was_over = json_is_true(json_object_get(g->body, "was_over"))};
    if (!ended.ended_at) ended.ended_at = ended.ends_at;
    print_ended(id, &ended, common->is_json, g->told);
    fflush(stdout);
    if (!ended.was_over && register_is_of_fleet(common->config)) topup_say_fleet();
    return CLI_OK;
}

static int end_it(const char *id, const char *reason, const char *data_dir, const struct common_options *common)
{
    struct governed g;
    struct buf to;
    json_t *body = json_pack("{s:s?}", "reason", reason);
    bool is_answered = governing_call(data_dir, "POST", governing_path(&to, "/topups/%s/end", id), body, &g);
    buf_clear(&to);
    if (!is_answered) return CLI_USAGE;
    int code = say(&g, id, common);
    governing_end(&g);
    return code;
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
    int code = end_it(id, reason, data_dir, &common);
    mem_free(data_dir);
    return code;
}
