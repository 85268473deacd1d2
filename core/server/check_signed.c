#include "server/check_signed.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/input.h"
#include "lua/bundle.h"
#include "server/checker.h"
#include "server/config.h"
#include "server/kept.h"
#include "server/signed.h"

#define SIGNATURES_USUAL 2u

unsigned gate_wants(const struct config *config)
{
    if (config->gate_signatures) return config->gate_signatures;
    return config->gate_signers.len || config->gate_files.len || config->gate_roles.len ? SIGNATURES_USUAL : 0;
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

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

static void read_before(const char *folder, struct buf *to)
{
    char path[PATH_MAX];
    struct input in;
    struct fault why;
    int n = snprintf(path, sizeof path, "%s/" MANIFEST_FILE, folder);
    bool is_read = n < (int)sizeof path && input_open(&in, path, &why) &&
                   input_all(&in, LIMIT_POLICY_BUNDLE_BYTES, to, &why);
    if (n < (int)sizeof path) input_close(&in);
    if (!is_read) buf_reset(to);
}

void gate_judge(const struct config *config, const struct bundle *bundle, const struct accepted *last,
                struct signed_state *state)
{
    char kept[PATH_MAX], signers[PATH_MAX];
    struct buf before;
    buf_init(&before);
    kept_path(config->settings->data_dir.ptr, last->serial, kept);
    int n = snprintf(signers, sizeof signers, "%s/" KEPT_SIGNERS, kept);
    bool is_kept = last->serial && n < (int)sizeof signers && access(signers, F_OK) == 0;
    if (is_kept) read_before(kept, &before);
    struct signed_rules rules = {.folder = config->policies_dir.ptr, .signers_file = config->gate_signers.ptr,
                                 .wanted = gate_wants(config), .last = last, .now_s = now_s(),
                                 .kept_signers = is_kept ? signers : NULL, .before = buf_slice(&before),
                                 .files = config->gate_files, .roles = config->gate_roles};
    signed_judge(&rules, bundle, state);
    buf_clear(&before);
}

/* Whole in the data folder before anybody serves it. */
static void keep(const struct config *config, const struct bundle *bundle, const struct accepted *next,
                 const struct signed_state *state, struct report *report)
{
    struct fault why;
    const char *data_dir = config->settings->data_dir.ptr;
    if (kept_write(data_dir, config->policies_dir.ptr, bundle, next, state->signers, &why))
        kept_prune(data_dir, next->serial);
    else
        report_say(report, FINDING_UNSIGNED, "%s", fault_message(&why));
}

static void judge(const struct config *config, const struct bundle *bundle, const struct accepted *last,
                  struct check_result *result)
{
    struct signed_state state;
    gate_judge(config, bundle, last, &state);
    struct accepted next = {.serial = state.manifest.serial, .at_s = state.is_in_force ? last->at_s : now_s()};
    memcpy(next.digest, state.manifest.digest, sizeof next.digest);
    if (!state.is_good)
        refuse(result->report, &state);
    else if (!state.is_in_force || !kept_is_there(config->settings->data_dir.ptr, next.serial))
        keep(config, bundle, &next, &state, result->report);
    if (state.is_good && !state.is_in_force) result->accept_serial = next.serial, result->accept_at_s = next.at_s;
    signed_clear(&state);
}

bool check_kept(const struct config *config, uint64_t serial, const struct bundle *bundle, struct check_result *result)
{
    char folder[PATH_MAX], signers[PATH_MAX];
    struct accepted then;
    struct signed_state state;
    struct fault why = {0};
    kept_path(config->settings->data_dir.ptr, serial, folder);
    int n = snprintf(signers, sizeof signers, "%s/" KEPT_SIGNERS, folder);
    if (n >= (int)sizeof signers || !accepted_read(folder, &then, &why) || then.serial != serial) {
        report_say(result->report, FINDING_UNSIGNED, "serial %" PRIu64 " is kept, and damaged: %s", serial,
                   why.code != FAULT_NONE ? fault_message(&why) : folder);
        return false;
    }
    struct signed_rules rules = {.folder = folder, .signers_file = signers, .wanted = gate_wants(config),
                                 .last = &then, .now_s = now_s()};
    signed_judge(&rules, bundle, &state);
    if (!state.is_good) refuse(result->report, &state);
    if (state.is_good) result->accept_serial = serial, result->accept_at_s = then.at_s;
    bool is_good = state.is_good;
    signed_clear(&state);
    return is_good;
}

/* However both are written. One that is not there is said to be missing elsewhere. */
static bool lies_in(const char *path, const char *folder)
{
    char file[PATH_MAX], dir[PATH_MAX];
    if (!realpath(path, file) || !realpath(folder, dir)) return false;
    size_t len = strlen(dir);
    return strncmp(file, dir, len) == 0 && file[len] == '/';
}

/* A role that nobody has would let nobody change the file, or a misspelt one everybody. */
static bool has_roles(const struct config *config, struct report *report)
{
    struct slice files = config->gate_files;
    bool is_good = true;
    while (files.len) {
        struct slice role, line = slice_split(files, '\n', &files), file = slice_split(line, '\t', &role);
        struct slice roles = config->gate_roles, name, rest;
        bool is_known = false;
        while (roles.len && !is_known) {
            name = slice_split(slice_split(roles, '\n', &roles), '\t', &rest);
            is_known = slice_equal(name, role);
        }
        if (is_known) continue;
        is_good = false;
        report_say(report, FINDING_UNSIGNED, "gate.files: %.*s wants the role %.*s, which nobody has in gate.roles",
                   SLICE_FMT(file), SLICE_FMT(role));
    }
    return is_good;
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
    if (!has_roles(config, result->report)) return;
    struct bundle *bundle = bundle_parse(serialised, &why);
    if (bundle && accepted_read(config->settings->data_dir.ptr, &last, &why))
        judge(config, bundle, &last, result);
    else
        report_say(result->report, FINDING_UNSIGNED, "%s", fault_message(&why));
    bundle_unref(bundle);
}
