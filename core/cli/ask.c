#include "cli/ask.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lua/ask.h"
#include "server/check_policies.h"
#include "server/config.h"

static void print_errors(const struct policy_errors *errors, const struct bundle *bundle)
{
    struct report *report = report_new();
    check_add_errors(errors, bundle, report);
    cli_print_report(stderr, report_json(report));
    report_free(report);
}

static int ask_loaded(struct bundle *bundle, const struct settings *settings, const char *name, const char *script,
                      struct slice question, struct buf *answer)
{
    struct policy_errors errors;
    struct fault why;
    int code = CLI_USAGE;
    policy_errors_init(&errors);
    struct policy_set *set = policy_set_load(bundle, settings, &errors);
    if (!set) {
        print_errors(&errors, bundle);
        cli_usage_error("`moongate check` says the same of the configuration", "the policies of %s do not load", name);
    } else if (!policy_set_ask(set, script, question, answer, &code, &why)) {
        code = cli_usage_error("`moongate help` says what it takes", "%s", fault_message(&why));
    }
    policy_set_unref(set);
    policy_errors_clear(&errors);
    return code;
}

int ask_bundle(struct bundle *bundle, const char *name, const char *script, struct slice question, struct buf *answer)
{
    return ask_loaded(bundle, NULL, name, script, question, answer);
}

static int ask_folder(const char *dir, const struct settings *settings, const struct ask *ask, struct slice question,
                      struct buf *answer)
{
    struct fault why;
    struct bundle *bundle = bundle_read(dir, &why);
    if (!bundle) return cli_usage_error("--policies names a folder of policies", "%s", fault_message(&why));
    int code = ask_loaded(bundle, settings, dir, ask->script, question, answer);
    bundle_unref(bundle);
    return code;
}

/* The configuration of -c or of here; NULL after a message. */
static struct config *load_config(const char *given)
{
    const char *path = config_path(given);
    if (access(path, R_OK) != 0) {
        cli_usage_error("name the file with -c, or a folder of policies with --policies", "%s: %s", path,
                        strerror(errno));
        return NULL;
    }
    struct report *report = report_new();
    struct config *config = config_load_offline(path, report);
    if (!config) cli_print_report(stderr, report_json(report));
    report_free(report);
    return config;
}

int ask_policies(const struct ask *ask, struct slice question, struct buf *answer)
{
    if (ask->policies_dir && !ask->config) return ask_folder(ask->policies_dir, NULL, ask, question, answer);
    struct config *config = load_config(ask->config);
    if (!config) return CLI_USAGE;
    const char *dir = ask->policies_dir ? ask->policies_dir : config->policies_dir.ptr;
    int code = ask_folder(dir, config->settings, ask, question, answer);
    config_free(config);
    return code;
}

int ask_and_print(const struct ask *ask, struct slice question, bool is_json)
{
    struct buf answer;
    buf_init(&answer);
    int code = ask_policies(ask, question, &answer);
    cli_print_answer(buf_slice(&answer), is_json);
    buf_clear(&answer);
    return code;
}
