/*
 * Runs specs of policies: busted (the distribution's lua-busted) with the real policy engine inside.
 *
 *     const char *const words[] = {"policies/specs/access_spec.lua", "--filter=sales"};
 *     int end = run_specs(&(struct run_job){.words = words, .word_count = 2, .policies = "policies"});
 *
 * The specs run in a Lua state with full libraries, which is what tests need and policies never get; each engine that
 * they load is a second one, sandboxed and limited as in a worker (testkit/engine.h). scripts/test/run.lua drives.
 * With `bundle` the specs get those policy files instead of what lies on the disk, nothing is printed, and on_test and
 * on_failure hear what happens.
 * Prints on stdout; what cannot even be run is said on stderr. Needs busted at run time only.
 */
#ifndef MOONGATE_TESTKIT_RUN_H
#define MOONGATE_TESTKIT_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "lua/bundle.h"

enum run_end { RUN_PASSED = 0, RUN_FAILED = 1, RUN_UNUSABLE = 2 };

/* Borrowed for the call. */
struct run_failure {
    struct slice file; /* "policies/specs/access_spec.lua"; may be empty */
    int line;          /* 0: unknown */
    struct slice name; /* of the test; may be empty */
    struct slice text;
};

/* Everything is borrowed for the call. */
struct run_job {
    const char *const *words; /* spec files, folders of them, and busted's own options */
    size_t word_count;
    const char *policies; /* the folder whose specs/ is meant when no path is among the words; may be NULL */
    bool is_json;         /* one document on stdout instead of text */
    bool is_coloured;
    bool has_coverage;

    const struct bundle *bundle; /* NULL: policy files are read from the disk */
    void (*on_test)(void *arg, struct slice name);
    void (*on_failure)(void *arg, const struct run_failure *failure);
    void *arg;
};

enum run_end run_specs(const struct run_job *job);

#endif
