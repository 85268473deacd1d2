/*
 * Who has signed a policy folder, and is that enough?
 *
 *     struct signed_rules rules = {.folder = "policies", .signers_file = "allowed_signers", .wanted = 2,
 *                                  .last = &last, .now_s = now_s};
 *     struct signed_state state;
 *     signed_judge(&rules, bundle, &state);
 *     if (!state.is_good) … fault_message(&state.why)     // "1 of 2 signatures: ana; any of kim, lee may sign"
 *     signed_clear(&state);
 *
 * policies/.signatures/PRINCIPAL.sig are signatures of policies/.bundle (server/manifest.h). A person counts once,
 * however many names and keys they have (store/sshsig/signers.h). What was accepted already is judged as of then, so
 * that a restart does not fail for a key that has ended since. Other signers than those of the last bundle count once
 * one that those signed names the file by its SHA-256. Who may sign a changed file stands in `files` and `roles`.
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
    const char *kept_signers; /* those that counted for the last bundle; NULL: none are kept */
    struct slice before;      /* the manifest of the last bundle; empty: all files are new */
    struct slice files;       /* a line each: file, tab, role that must sign when it changes */
    struct slice roles;       /* a line each: role, tab, principal who has it */
};

struct signed_by {
    struct slice principal; /* as the file is named */
    bool counts;
    struct slice why; /* where it does not */
};

struct signed_state {
    struct arena arena; /* of the texts */
    bool is_good, has_manifest, is_of_these_files, is_in_force;
    bool has_new_signers; /* the file is another than that which counts … */
    bool takes_signers;   /* … and this bundle names it */
    struct manifest manifest;
    struct signed_by by[LIMIT_SIGNATURES];
    size_t count;
    unsigned persons, wanted;
    struct slice signed_by, may_sign; /* names, between commas */
    struct slice refused;             /* lines of the signers, in words */
    struct slice signers;             /* the text of those who count once it is accepted */
    struct fault why;
};

void signed_judge(const struct signed_rules *rules, const struct bundle *bundle, struct signed_state *state);
void signed_clear(struct signed_state *state);

#endif
