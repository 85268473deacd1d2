#include <inttypes.h>
#include <jansson.h>

#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "store/registry/check.h"

static void print_finding(void *arg, const struct registry_finding *finding)
{
    (void)arg;
    printf("%-7s %.*s: %s\n", finding->rule, SLICE_FMT(finding->object), finding->what);
}

static void keep_finding(void *arg, const struct registry_finding *finding)
{
    json_array_append_new(arg, json_pack("{s:s, s:s, s:s%}", "rule", finding->rule, "what", finding->what, "object",
                                         finding->object.ptr, finding->object.len));
}

static void print_sum(const struct registry_checked *sum)
{
    char rows[AMOUNT_BYTES], findings[AMOUNT_BYTES], waiting[AMOUNT_BYTES];
    amount_count(sum->rows, rows);
    amount_count((int64_t)sum->findings, findings);
    amount_count(sum->waiting, waiting);
    if (sum->findings == 0)
        printf("ok  revision %" PRId64 ", %s objects: all that is promised holds\n", sum->revision, rows);
    else
        printf("%s finding%s at revision %" PRId64 "\n", findings, sum->findings == 1 ? "" : "s", sum->revision);
    if (sum->waiting) printf("%s event%s not in the ledger yet\n", waiting, sum->waiting == 1 ? " is" : "s are");
}

static int check_it(struct registry *r, bool is_json)
{
    struct registry_checked sum;
    struct fault why = {0};
    json_t *told = json_array();
    if (!registry_check(r, is_json ? keep_finding : print_finding, told, &sum, &why)) {
        json_decref(told);
        return cli_fault(&why, NULL);
    }
    if (is_json) {
        cli_print_json(json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:O}", "ok", sum.findings == 0, "findings",
                                 (json_int_t)sum.findings, "epoch", (json_int_t)sum.epoch, "revision",
                                 (json_int_t)sum.revision, "rows", (json_int_t)sum.rows, "waiting",
                                 (json_int_t)sum.waiting, "told", told));
    } else {
        print_sum(&sum);
    }
    json_decref(told);
    return sum.findings ? CLI_FOUND : CLI_OK;
}

int command_registry_check(int argc, char **argv)
{
    struct common_options common;
    struct fault why = {0};
    struct registry *r;
    if (!cli_options(argc, argv, NULL, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"registry", "check"});
    char *data_dir = folder_find(common.config);
    if (!data_dir) return CLI_USAGE;
    int code;
    if (!registry_open_to_read(data_dir, &r, &why)) code = cli_fault(&why, NULL);
    else if (!r) code = cli_error(CLI_USAGE, "the first key makes it", "%s/registry.db is not there", data_dir);
    else code = check_it(r, common.is_json);
    registry_close(r);
    mem_free(data_dir);
    return code;
}
