/*
 * Loads configuration, policies and the registry in a process of its own, so that a crash or an endless loop in there
 * costs that process and nothing else.
 *
 *     struct check_job job = {.what = CHECK_CONFIG, .config_path = "moongate.lua"};
 *     struct checker *c = checker_start(loop, &job, on_checked, supervisor);
 *     on_checked(supervisor, result): result->config_fd, result->bundle_fd are sealed memfds, handed over;
 *                                     or result->report says what is wrong
 *     checker_cancel(c);                                    // before on_checked: kills it, no callback
 *
 * The offline `moongate check` runs the same code in its own process: check_here().
 * With gate = { specs = true } in moongate.lua the bundle's specs are part of CHECK_CONFIG.
 * Bounds: LIMIT_CHECK_MS for the whole, gate.timeout for the specs; then it is killed and the report says so.
 */
#ifndef MOONGATE_SERVER_CHECKER_H
#define MOONGATE_SERVER_CHECKER_H

#include <limits.h>
#include <stdbool.h>

#include "base/limits.h"
#include "server/report.h"

struct checker;
struct loop;
struct provider_switches;

enum check_what {
    CHECK_CONFIG = 1, /* moongate.lua and the policies that it names */
    CHECK_REGISTRY = 2, /* its sections */
    CHECK_FOLDER = 4, /* a policy folder alone; for commands */
    CHECK_KEEP = 8, /* writes sections to registry.snap (store/section/file.h) */
};

struct check_job {
    unsigned what; /* of enum check_what */
    const char *config_path;
    bool is_offline;          /* CHECK_CONFIG: no gateway will run with what is checked (config_load_offline) */
    bool may_serve_kept;  /* CHECK_CONFIG, at a start: where the folder's may not go live, the last accepted do */
    uint64_t kept_serial; /* CHECK_CONFIG: of the bundle to go back to (server/kept.h), instead of the folder's; or 0 */
    const char *data_dir;     /* for CHECK_REGISTRY, CHECK_KEEP */
    /* CHECK_REGISTRY: where it cannot be read, registry.snap is. The result is not good, and has its sections. */
    bool may_use_kept;
    /* CHECK_REGISTRY, while there is no admin process: set as it says, in memory that is shared. NULL: left alone. */
    struct provider_switches *switches;
    const int *sections; /* for CHECK_KEEP */
    unsigned section_count;
    const char *policies_dir; /* for CHECK_FOLDER */
    /* For CHECK_CONFIG: the sealed bundle of the generation in force, which prices are compared with. */
    bool has_in_force;
    int in_force_fd;
    /* check_here() only: the specs begin, with so much time, and each that does. NULL is welcome. */
    void (*on_specs)(void *arg, uint32_t timeout_ms);
    void (*on_spec)(void *arg, struct slice name);
    void *arg;
};

struct check_result {
    bool is_good;
    int config_fd, bundle_fd; /* -1: not asked for, or not good; else owned by whom it is given to */
    int rules_fd; /* likewise: of governance (store/governance.h) */
    int sections[LIMIT_SECTIONS]; /* the first section_count of them, likewise: memory files, of the registry */
    unsigned section_count;
    char digest[65];                   /* of the bundle */
    unsigned policy_files;
    uint64_t accept_serial; /* of a signed bundle that is to be accepted (server/accepted.h); 0: none is */
    int64_t accept_at_s;
    char policies_dir[PATH_MAX]; /* here (check_here) only; where "policies/" lies */
    char *jwks_sources; /* where its tokens' keys are, as admin/jwks_fetcher.h says; NULL: nowhere */
    struct report *report; /* errors and warnings; owned like the descriptors */
};

/* Closes and frees what the result still holds; take something out by setting its field to -1 or NULL. */
void check_result_clear(struct check_result *result);

/* The job's strings are copied by the fork. on_checked runs once, from the loop; the result is cleared after it. */
struct checker *checker_start(struct loop *loop, const struct check_job *job,
                              void (*on_checked)(void *arg, struct check_result *result), void *arg);
void checker_cancel(struct checker *c);

/* In this process, without a time limit: for commands. */
void check_here(const struct check_job *job, struct check_result *result);

#endif
