#include "server/check_policies.h"

#include <stdio.h>

#include "lua/bundle.h"

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
        report_add(report,
                   &(struct diagnostic){.is_warning = e->is_warning,
                                        .file = e->file,
                                        .line = e->line,
                                        .column = e->column,
                                        .text = e->text,
                                        .hint = e->hint},
                   file ? file->text : SLICE_NONE);
    }
}

bool check_policies(const char *folder, const struct settings *settings, struct buf *out, struct check_result *result)
{
    struct policy_errors errors;
    struct fault why;
    struct bundle *bundle = bundle_read(folder, &why);
    if (!bundle) {
        report_say(result->report, "%s", fault_message(&why));
        return false;
    }
    policy_errors_init(&errors);
    struct policy_set *set = policy_set_load(bundle, settings, &errors);
    check_add_errors(&errors, bundle, result->report);
    if (!set && report_errors(result->report) == 0) report_say(result->report, "the policies do not load");
    bundle_serialise(bundle, out);
    result->policy_files = (unsigned)bundle_count(bundle);
    snprintf(result->digest, sizeof result->digest, "%s", bundle_digest(bundle));
    bool is_good = set != NULL;
    policy_set_unref(set);
    policy_errors_clear(&errors);
    bundle_unref(bundle);
    return is_good;
}
