/*
 * Who has signed a policy folder, and is that enough?
 *
 *     struct signed_rules rules = {"policies", "allowed_signers", 2, &last, now_s};
 *     struct signed_state state;
 *     signed_judge(&rules, bundle, &state);
 *     if (!state.is_good) … fault_message(&state.why)     // "1 of 2 signatures: ana; any of kim, lee may sign"
 *     signed_clear(&state);
 *
 * policies/.signatures/PRINCIPAL.sig are signatures of policies/.bundle (server/manifest.h). A person counts once,
 * however many names and keys they have (store/sshsig/signers.h). What was accepted already is judged as of then, so
 * that a restart does not fail for a key that has ended since.
 * Bounds: LIMIT_SIGNATURES files; more are an error.
 */
#ifndef MOONGATE_SERVER_SIGNED_H
#define MOONGATE_SERVER_SIGNED_H

#include "base/arena.h"
#include "base/limits.h"
#include "server/accepted.h"
#include "server/manifest.h"

struct signed_rules {
    const char *folder, *signers_file;
    unsigned wanted; /* different persons */
    const struct accepted *last;
    int64_t now_s;
};

struct signed_by {
    struct slice principal; /* as the file is named */
    bool counts;
    struct slice why; /* where it does not */
};

struct signed_state {
    struct arena arena; /* of the texts */
    bool is_good, has_manifest, is_of_these_files, is_in_force;
    struct manifest manifest;
    struct signed_by by[LIMIT_SIGNATURES];
    size_t count;
    unsigned persons, wanted;
    struct slice signed_by, may_sign; /* names, between commas */
    struct slice refused;             /* lines of the signers, in words */
    struct fault why;
};

void signed_judge(const struct signed_rules *rules, const struct bundle *bundle, struct signed_state *state);
void signed_clear(struct signed_state *state);

#endif
