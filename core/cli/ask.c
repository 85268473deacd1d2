#include "cli/ask.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "flow/replay.h"
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

/* NULL after a message. */
static struct policy_set *load_set(struct bundle *bundle, const struct settings *settings, const char *name)
{
    struct policy_errors errors;
    policy_errors_init(&errors);
    struct policy_set *set = policy_set_load(bundle, settings, &errors);
    if (!set) {
        print_errors(&errors, bundle);
        cli_usage_error("`moongate check` says the same of the configuration", "the policies of %s do not load", name);
    }
    policy_errors_clear(&errors);
    return set;
}

/* The question, an object, with what becomes of the record's decision today. */
static void add_again(struct policy_set *set, const struct settings *settings, struct slice record,
                      struct slice question, struct buf *out)
{
    struct replay_report report;
    struct replay *replay = replay_new(set, settings);
    enum replay_outcome outcome = replay_run(replay, record, &report);
    buf_printf(out, "{\"again\":{\"outcome\":\"%s\",\"differences\":%.*s,\"missing\":%.*s,\"reason\":",
               replay_outcome_name(outcome), SLICE_FMT(report.differences), SLICE_FMT(report.missing));
    buf_append_json(out, slice_str(report.reason ? report.reason : ""));
    buf_append(out, SLICE("},\"record_text\":"));
    buf_append_json(out, record);
    buf_append_char(out, ',');
    buf_append(out, slice_of(question.ptr + 1, question.len - 1));
    replay_free(replay);
}

static int ask_set(struct policy_set *set, const char *script, struct slice question, struct buf *answer)
{
    struct fault why;
    int code = CLI_USAGE;
    if (!policy_set_ask(set, script, question, answer, &code, &why))
        code = cli_usage_error("`moongate help` says what it takes", "%s", fault_message(&why));
    return code;
}

int ask_bundle(struct bundle *bundle, const char *name, const char *script, struct slice question, struct buf *answer)
{
    struct policy_set *set = load_set(bundle, NULL, name);
    int code = set ? ask_set(set, script, question, answer) : CLI_USAGE;
    policy_set_unref(set);
    return code;
}

static const struct settings *settings_of(const struct ask_loaded *loaded)
{
    return loaded->config ? loaded->config->settings : NULL;
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

/* is_alone: without a configuration. */
static bool load_all(const struct ask *ask, bool is_alone, struct ask_loaded *loaded)
{
    struct fault why;
    *loaded = (struct ask_loaded){0};
    if (!is_alone && !(loaded->config = load_config(ask->config))) return false;
    const char *dir = ask->policies_dir ? ask->policies_dir : loaded->config->policies_dir.ptr;
    loaded->bundle = bundle_read(dir, &why);
    if (!loaded->bundle) cli_usage_error("--policies names a folder of policies", "%s", fault_message(&why));
    else loaded->set = load_set(loaded->bundle, settings_of(loaded), dir);
    if (loaded->set) return true;
    ask_unload(loaded);
    return false;
}

bool ask_load(const struct ask *ask, struct ask_loaded *loaded)
{
    return load_all(ask, ask->policies_dir && !ask->config && access(config_path(NULL), R_OK) != 0, loaded);
}

int ask_policies(const struct ask *ask, struct slice question, struct buf *answer)
{
    struct ask_loaded loaded;
    struct buf more;
    if (!load_all(ask, ask->policies_dir && !ask->config, &loaded)) return CLI_USAGE;
    buf_init(&more);
    if (ask->record.len) {
        add_again(loaded.set, settings_of(&loaded), ask->record, question, &more);
        question = buf_slice(&more);
    }
    int code = ask_set(loaded.set, ask->script, question, answer);
    buf_clear(&more);
    ask_unload(&loaded);
    return code;
}

void ask_unload(struct ask_loaded *loaded)
{
    policy_set_unref(loaded->set);
    if (loaded->bundle) bundle_unref(loaded->bundle);
    config_free(loaded->config);
    *loaded = (struct ask_loaded){0};
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
