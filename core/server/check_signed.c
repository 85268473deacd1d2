#include "server/check_signed.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lua/bundle.h"
#include "server/checker.h"
#include "server/config.h"
#include "server/signed.h"

#define SIGNATURES_USUAL 2u

unsigned gate_wants(const struct config *config)
{
    if (config->gate_signatures) return config->gate_signatures;
    return config->gate_signers.len ? SIGNATURES_USUAL : 0;
}

static void refuse(struct report *report, const struct signed_state *state)
{
    report_say(report, FINDING_UNSIGNED, "%s", fault_message(&state->why));
    for (size_t i = 0; i < state->count; i++) {
        if (!state->by[i].counts)
            report_say(report, FINDING_UNSIGNED, MANIFEST_SIGNATURES "/%.*s.sig does not count: %.*s",
                       SLICE_FMT(state->by[i].principal), SLICE_FMT(state->by[i].why));
    }
    if (state->refused.len)
        report_say(report, FINDING_UNSIGNED, "of the signers these lines are refused: %.*s", SLICE_FMT(state->refused));
}

static void judge(const struct config *config, const struct bundle *bundle, const struct accepted *last,
                  struct check_result *result)
{
    int64_t now_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    struct signed_rules rules = {config->policies_dir.ptr, config->gate_signers.ptr, gate_wants(config), last, now_s};
    struct signed_state state;
    signed_judge(&rules, bundle, &state);
    if (!state.is_good)
        refuse(result->report, &state);
    else if (!state.is_in_force)
        result->accept_serial = state.manifest.serial, result->accept_at_s = now_s;
    signed_clear(&state);
}

/* However both are written. One that is not there is said to be missing elsewhere. */
static bool lies_in(const char *path, const char *folder)
{
    char file[PATH_MAX], dir[PATH_MAX];
    if (!realpath(path, file) || !realpath(folder, dir)) return false;
    size_t len = strlen(dir);
    return strncmp(file, dir, len) == 0 && file[len] == '/';
}

void check_signed(const struct config *config, struct slice serialised, struct check_result *result)
{
    struct fault why = {0};
    struct accepted last;
    if (!gate_wants(config)) return;
    if (!config->gate_signers.len) {
        report_say(result->report, FINDING_UNSIGNED,
                   "gate.signatures demands signatures, and nobody is named who may sign: gate = { signers = "
                   "\"allowed_signers\" }");
        return;
    }
    if (lies_in(config->gate_signers.ptr, config->policies_dir.ptr)) {
        report_say(result->report, FINDING_UNSIGNED,
                   "gate.signers lies in the folder of the policies: who changes them would choose who may sign");
        return;
    }
    struct bundle *bundle = bundle_parse(serialised, &why);
    if (bundle && accepted_read(config->settings->data_dir.ptr, &last, &why))
        judge(config, bundle, &last, result);
    else
        report_say(result->report, FINDING_UNSIGNED, "%s", fault_message(&why));
    bundle_unref(bundle);
}
