#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/input.h"
#include "base/mem.h"
#include "base/slice.h"
#include "cli/cli.h"
#include "testkit/run.h"
#include "server/config.h"

#define WORDS_MAX 256

/* The options that are this command's own; the rest is busted's. -o is busted's too. */
static bool is_own(const char *word, bool *takes_value)
{
    static const char *const own[] = {"--config", "-c", "--color", "--json", "--coverage", "--help", "-h"};
    struct slice rest, name = slice_split(slice_str(word), '=', &rest);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (!slice_equal(slice_str(own[i]), name)) continue;
        *takes_value = i < 3 && name.len == strlen(word);
        return true;
    }
    return false;
}

struct split {
    char *own[WORDS_MAX];
    const char *busted[WORDS_MAX];
    int own_count, busted_count;
};

static bool split_words(int argc, char **argv, struct split *split)
{
    bool takes_value = false;
    if (argc > WORDS_MAX) {
        cli_usage_error("name a folder instead of its files", "more than %d words", WORDS_MAX);
        return false;
    }
    for (int i = 0; i < argc; i++) {
        if (input_is_odd(argv[i])) { /* busted would wait for a pipe */
            cli_usage_error(NULL, "%s is neither a file nor a folder", argv[i]);
            return false;
        }
        if (!is_own(argv[i], &takes_value)) {
            split->busted[split->busted_count++] = argv[i];
            continue;
        }
        split->own[split->own_count++] = argv[i];
        if (takes_value && i + 1 < argc) split->own[split->own_count++] = argv[++i];
    }
    return true;
}

int command_test(int argc, char **argv)
{
    struct split split = {.own_count = 0};
    struct common_options common;
    bool has_coverage = false;
    const struct option options[] = {{"--coverage", OPTION_FLAG, &has_coverage}, {NULL, OPTION_FLAG, NULL}};
    if (!split_words(argc, argv, &split)) return CLI_USAGE;
    if (!cli_options(split.own_count, split.own, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"test"});
    char *policies = config_policies_dir(config_path(common.config));
    enum run_end end = run_specs(&(struct run_job){
        .words = split.busted,
        .word_count = (size_t)split.busted_count,
        .policies = policies,
        .is_json = common.is_json,
        .is_coloured = cli_is_coloured(stdout),
        .has_coverage = has_coverage,
    });
    mem_free(policies);
    switch (end) {
    case RUN_PASSED: return CLI_OK;
    case RUN_FAILED: return CLI_FOUND;
    case RUN_UNUSABLE: break;
    }
    return CLI_USAGE;
}
