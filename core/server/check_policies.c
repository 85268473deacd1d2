#include "server/check_policies.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fiber.h"
#include "base/mem.h"
#include "lua/bundle.h"
#include "net/pipe.h"
#include "server/check_apps.h"
#include "server/check_prices.h"
#include "testkit/run.h"

/* Policies are spoken of as "policies/access.lua", whatever the folder is called. */
static struct slice bundle_path(struct slice file)
{
    struct slice prefix = SLICE("policies/");
    if (slice_starts(file, prefix)) return slice_of(file.ptr + prefix.len, file.len - prefix.len);
    return file;
}

void check_add_errors(const struct policy_errors *errors, const struct bundle *bundle, struct report *report)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct policy_error *e = &errors->items[i];
        const struct bundle_file *file = bundle_find(bundle, bundle_path(e->file));
        fiber_rest();
        report_add(report,
                   &(struct diagnostic){.finding = e->finding,
                                        .file = e->file,
                                        .line = e->line,
                                        .column = e->column,
                                        .text = e->text,
                                        .hint = e->hint},
                   file ? file->text : SLICE_NONE);
    }
}

/* A line an issuer whose keys are fetched; egress lends its certificates to whoever lives at the same origin. */
static char *jwks_sources(const struct policy_set *set, const struct settings *settings)
{
    const struct auth_rules *rules = policy_set_auth(set);
    struct buf lines;
    if (!rules || !settings) return NULL;
    buf_init(&lines);
    for (size_t i = 0; i < rules->issuer_count; i++) {
        struct slice url = rules->issuers[i].url;
        const struct egress *egress = url.len ? settings_egress(settings, url) : NULL;
        if (url.len)
            buf_printf(&lines, "%s\t%.*s\t%.*s\n", rules->key_header_count ? "keys" : "alone", SLICE_FMT(url),
                       SLICE_FMT(egress ? egress->ca_file : SLICE_NONE));
    }
    char *text = buf_len(&lines) ? mem_strndup(buf_ptr(&lines), buf_len(&lines)) : NULL;
    buf_clear(&lines);
    return text;
}

/* For who keeps the registry: none of them loads policies to know who decides. */
static void seal_rules(const struct policy_set *set, struct check_result *result)
{
    struct fault why;
    if (result->rules_fd >= 0) close(result->rules_fd);
    result->rules_fd = pipe_memfd_new("moongate-governance", policy_set_governance(set), &why);
    if (result->rules_fd < 0) report_say(result->report, FINDING_OTHER_ERROR, "%s", fault_message(&why));
}

/* A record that must be in PostgreSQL, and no PostgreSQL: such requests could only be refused. */
static bool check_remote(const struct policy_set *set, const struct bundle *bundle, struct report *report)
{
    struct slice path;
    struct buf file;
    int line;
    if (!policy_wants_remote(set, &path, &line)) return true;
    buf_init(&file);
    buf_printf(&file, "policies/%.*s", SLICE_FMT(path));
    report_add(report,
               &(struct diagnostic){.finding = FINDING_NO_POSTGRES,
                                    .file = buf_slice(&file),
                                    .line = line,
                                    .text = SLICE("durability \"remote\" needs PostgreSQL, and moongate.lua has none"),
                                    .hint = SLICE("postgres = { url = env \"…\" } in moongate.lua; or durability = "
                                                  "\"local\"")},
               bundle_find(bundle, path)->text);
    buf_clear(&file);
    return false;
}

bool check_policies(const char *folder, const struct check_against *against, struct buf *out,
                    struct check_result *result)
{
    const struct settings *settings = against->settings;
    struct policy_errors errors;
    struct fault why;
    struct bundle *bundle = bundle_read(folder, &why);
    if (!bundle) {
        report_say(result->report, FINDING_NO_FILE, "%s", fault_message(&why));
        return false;
    }
    policy_errors_init(&errors);
    struct policy_set *set = policy_set_load(bundle, settings, &errors);
    check_add_errors(&errors, bundle, result->report);
    if (!set && report_errors(result->report) == 0)
        report_say(result->report, FINDING_OTHER_ERROR, "the policies do not load");
    bundle_serialise(bundle, out);
    result->policy_files = (unsigned)bundle_count(bundle);
    snprintf(result->digest, sizeof result->digest, "%s", bundle_digest(bundle));
    bool is_good = set != NULL && check_prices(set, bundle, against->in_force_fd, result->report);
    if (set && settings && !against->has_postgres) is_good &= check_remote(set, bundle, result->report);
    if (set) result->jwks_sources = jwks_sources(set, settings);
    if (set && settings) seal_rules(set, result);
    if (set && settings) check_apps(policy_set_auth(set), settings->data_dir, result->report);
    policy_set_unref(set);
    policy_errors_clear(&errors);
    bundle_unref(bundle);
    return is_good;
}

/* ---- The gate. */

struct gate {
    struct report *report;
    void (*on_test)(void *arg, struct slice name);
    void *arg;
};

static void on_test(void *arg, struct slice name)
{
    struct gate *gate = arg;
    if (gate->on_test) gate->on_test(gate->arg, name);
}

static void on_failure(void *arg, const struct run_failure *failure)
{
    struct gate *gate = arg;
    struct slice rest, first = slice_split(failure->text, '\n', &rest);
    struct buf text;
    buf_init(&text);
    if (failure->name.len)
        buf_printf(&text, "spec failed: %.*s: %.*s", SLICE_FMT(failure->name), SLICE_FMT(first));
    else
        buf_printf(&text, "the specs cannot be run: %.*s", SLICE_FMT(first));
    report_add(gate->report,
               &(struct diagnostic){.finding = FINDING_SPEC_FAILS,
                                    .file = failure->file,
                                    .line = failure->line,
                                    .text = buf_slice(&text),
                                    .hint = SLICE("`moongate test` shows it with its trace; moongate.lua asks for it: "
                                                  "gate = { specs = true }")},
               SLICE_NONE);
    buf_clear(&text);
}

bool check_specs(const char *folder, struct slice serialised, struct report *report,
                 void (*on_spec)(void *arg, struct slice name), void *arg)
{
    struct fault why;
    struct gate gate = {report, on_spec, arg};
    struct bundle *bundle = bundle_parse(serialised, &why);
    if (!bundle) {
        report_say(report, FINDING_OTHER_ERROR, "%s", fault_message(&why));
        return false;
    }
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* specs run in the folder above the policies' */
    enum run_end end = run_specs(&(struct run_job){
        .policies = folder, .bundle = bundle, .on_test = on_test, .on_failure = on_failure, .arg = &gate});
    if (here >= 0 && fchdir(here) != 0)
        report_say(report, FINDING_OTHER_ERROR, "the folder that this was started in is gone");
    if (here >= 0) close(here);
    bundle_unref(bundle);
    if (end != RUN_PASSED && report_errors(report) == 0)
        report_say(report, FINDING_SPEC_FAILS, "the specs cannot be run");
    return end == RUN_PASSED;
}
