#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/caller.h"
#include "cli/confirm.h"
#include "cli/folder.h"
#include "cli/looking.h"
#include "store/erase.h"
#include "store/ledger/lock.h"

#define ERASE_TIMEOUT_MS 60000u /* a commit may take a slow disk for long */

static int print_erased(const struct erasure *e, bool is_json)
{
    if (is_json) {
        cli_print_json(json_pack("{s:s%, s:b}", "erased", e->subject.ptr, e->subject.len, "had_key", e->had_key));
    } else if (e->had_key) {
        printf("erased the texts of %.*s: their key is destroyed, and the chain says so\n", SLICE_FMT(e->subject));
    } else {
        printf("nothing to erase: no texts of %.*s are kept, or not any more; the chain says that it was asked for\n",
               SLICE_FMT(e->subject));
    }
    return CLI_OK;
}

/* ---- While no gateway runs. */

/* Whose ledger it is stands in it: nothing of that may change here. */
static bool read_options(struct ledger_options *options, char gateway[LEDGER_GATEWAY_BYTES],
                         char zone[LEDGER_ZONE_BYTES], struct fault *why)
{
    struct ledger_read *l = ledger_read_open(options->data_dir, why);
    bool ok = l && ledger_read_gateway(l, gateway, why) && ledger_read_zone(l, zone, why);
    ledger_read_close(l);
    options->gateway = slice_str(gateway);
    options->zone = zone;
    return ok;
}

static int erase_here(const char *data_dir, struct erasure *e, bool is_json)
{
    struct fault why = {0};
    struct ledger_options options = {.data_dir = data_dir};
    char gateway[LEDGER_GATEWAY_BYTES], zone[LEDGER_ZONE_BYTES];
    bool ok = read_options(&options, gateway, zone, &why) && erase_offline(&options, e, &why);
    return ok ? print_erased(e, is_json) : cli_fault(&why, NULL);
}

/* ---- By the gateway that runs: its ledger process has the files. */

static int erase_there(const char *data_dir, struct erasure *e, bool is_json)
{
    char why[256];
    json_t *answer = cli_call_with(data_dir,
                                   json_pack("{s:s, s:s%, s:s%, s:s%}", "cmd", "erase", "login", e->by->actor.ptr,
                                             e->by->actor.len, "subject", e->subject.ptr, e->subject.len, "reason",
                                             e->by->reason.ptr, e->by->reason.len),
                                   ERASE_TIMEOUT_MS, why, sizeof why);
    if (!answer)
        return cli_error(CLI_UNREACHABLE, "ask again: it may be asked for more than once, and `/readyz?verbose` says "
                         "whether the ledger can be written", "the gateway has not said that it is done: %s", why);
    const char *error = json_string_value(json_object_get(answer, "error"));
    bool ok = json_is_true(json_object_get(answer, "ok"));
    e->had_key = json_is_true(json_object_get(answer, "had_key"));
    int code = ok ? print_erased(e, is_json)
                  : cli_error(CLI_USAGE, "ask again once that is cured", "%s", error ? error : "no reason given");
    json_decref(answer);
    return code;
}

static int erase(const char *data_dir, struct erasure *e, bool is_json)
{
    struct fault why = {0};
    int lock = ledger_lock(data_dir, &why);
    if (lock == LEDGER_LOCK_HELD) return erase_there(data_dir, e, is_json);
    if (lock < 0) return cli_fault(&why, NULL);
    int code = erase_here(data_dir, e, is_json);
    close(lock);
    return code;
}

/* ---- What is asked for. */

static bool read_erasure(struct erasure *e, struct change_by *by, const char *subject, const char *reason,
                         const char *actor)
{
    struct fault why;
    if (!subject || !*subject || !reason || !*reason) {
        cli_usage_error("moongate ledger erase --subject user:ana --reason 'art. 17, case 4711'",
                        "say whose texts, and why");
        return false;
    }
    if (!caller_read(reason, by)) return false;
    *e = (struct erasure){.subject = slice_str(subject), .by = by};
    if (actor) by->actor = slice_str(actor);
    if (!erase_check(e->subject, by->reason, &why)) {
        cli_usage_error("records name it: texts.prompt.subject", "--subject: %s", fault_message(&why));
        return false;
    }
    if (utf8_is_valid(e->subject) && utf8_is_valid(by->actor) && by->actor.len <= LIMIT_LOGIN_BYTES) return true;
    cli_usage_error(NULL, "--subject and --actor are UTF-8, an actor of at most %u bytes", LIMIT_LOGIN_BYTES);
    return false;
}

int command_ledger_erase(int argc, char **argv)
{
    static bool is_yes;
    const char *subject = NULL, *reason = NULL, *actor = NULL;
    const struct option options[] = {{"--subject", OPTION_TEXT, &subject},
                                     {"--reason", OPTION_TEXT, &reason},
                                     {"--actor", OPTION_TEXT, &actor},
                                     {"--yes|-y", OPTION_FLAG, &is_yes},
                                     {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct erasure e;
    struct change_by by;
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"ledger", "erase"});
    if (!read_erasure(&e, &by, subject, reason, actor)) return CLI_USAGE;
    if (!confirm(is_yes, "destroys the key of all kept texts of %s: nobody can read them again", subject))
        return CLI_USAGE;
    char *data_dir = folder_with_ledger(common.config);
    if (!data_dir) return CLI_USAGE;
    int code = erase(data_dir, &e, common.is_json);
    mem_free(data_dir);
    return code;
}
