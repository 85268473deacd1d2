#include <inttypes.h>
#include <jansson.h>

#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/confirm.h"
#include "cli/folder.h"
#include "cli/looking.h"
#include "store/ledger/check.h"

static void print_difference(void *arg, const char *text)
{
    (void)arg;
    printf("%s\n", text);
}

static void keep_difference(void *arg, const char *text)
{
    json_array_append_new(arg, json_string(text));
}

static void print_result(const struct ledger_checked *found, bool is_repair)
{
    char entries[AMOUNT_BYTES], records[AMOUNT_BYTES], differences[AMOUNT_BYTES];
    amount_count((int64_t)found->entries, entries);
    amount_count((int64_t)found->records, records);
    amount_count((int64_t)found->differences, differences);
    if (found->differences == 0) {
        printf("ok  %s %s, %s of them requests: columns and sums are what the chain says\n", entries,
               found->entries == 1 ? "entry" : "entries", records);
    } else {
        printf("%s difference%s from the chain in %s entries%s\n", differences, found->differences == 1 ? "" : "s",
               entries, is_repair ? ", now righted" : "; --repair makes columns and sums anew");
    }
}

static int check_ledger(const char *data_dir, bool is_repair, bool is_json)
{
    struct ledger_checked found = {0};
    struct fault why = {0};
    json_t *differences = json_array();
    struct ledger_check how = {data_dir, is_repair, is_json ? keep_difference : print_difference, differences};
    if (!ledger_check(&how, &found, &why)) {
        json_decref(differences);
        return cli_fault(&why, NULL);
    }
    if (is_json) {
        cli_print_json(json_pack("{s:b, s:I, s:I, s:I, s:b, s:O}", "ok", found.differences == 0, "entries",
                                 (json_int_t)found.entries, "records", (json_int_t)found.records, "differences",
                                 (json_int_t)found.differences, "repaired", is_repair, "told", differences));
    } else {
        print_result(&found, is_repair);
    }
    json_decref(differences);
    return found.differences && !is_repair ? CLI_FOUND : CLI_OK;
}

int command_ledger_check(int argc, char **argv)
{
    static bool is_repair, is_yes;
    const struct option options[] = {
        {"--repair", OPTION_FLAG, &is_repair}, {"--yes|-y", OPTION_FLAG, &is_yes}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"ledger", "check"});
    if (is_repair && !confirm(is_yes, "writes columns and sums anew from the chain")) return CLI_USAGE;
    char *data_dir = folder_with_ledger(common.config);
    if (!data_dir) return CLI_USAGE;
    int code = check_ledger(data_dir, is_repair, common.is_json);
    mem_free(data_dir);
    return code;
}
