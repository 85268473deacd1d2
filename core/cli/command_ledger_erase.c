#include <jansson.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/confirm.h"
#include "cli/looking.h"
#include "server/config.h"
#include "store/erase.h"
#include "store/ledger_lock.h"

/* Whoever types it, as the system knows them. */
static const char *own_name(void)
{
    const struct passwd *user = getpwuid(getuid());
    return user && user->pw_name ? user->pw_name : "unknown";
}

static int print_erased(const struct erasure *e, bool is_json)
{
    if (is_json) {
        cli_print_json(json_pack("{s:s%, s:b}", "erased", e->subject.ptr, e->subject.len, "had_key", e->had_key));
    } else {
        printf("%s %.*s: the chain says so\n", e->had_key ? "erased the texts of" : "there were no texts of",
               SLICE_FMT(e->subject));
    }
    return CLI_OK;
}

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

static int erase(const char *data_dir, struct erasure *e, bool is_json)
{
    struct fault why = {0};
    struct ledger_options options = {.data_dir = data_dir};
    char gateway[LEDGER_GATEWAY_BYTES], zone[LEDGER_ZONE_BYTES];
    int lock = ledger_lock(data_dir, &why);
    if (lock < 0) return looking_fail(CLI_UNREACHABLE, &why);
    bool ok = read_options(&options, gateway, zone, &why) && erase_offline(&options, e, &why);
    close(lock);
    return ok ? print_erased(e, is_json) : looking_fail(CLI_USAGE, &why);
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
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"ledger", "erase"});
    if (!subject || !reason)
        return cli_usage_error("moongate ledger erase --subject user:ana --reason 'art. 17, case 4711'",
                               "say whose texts, and why");
    if (!confirm(is_yes, "destroys the key of all kept texts of %s: nobody can read them again", subject))
        return CLI_USAGE;
    struct erasure e = {.subject = slice_str(subject), .reason = slice_str(reason),
                        .actor = slice_str(actor ? actor : own_name())};
    char *data_dir = config_data_dir(config_path(common.config));
    int code = erase(data_dir, &e, common.is_json);
    mem_free(data_dir);
    return code;
}
