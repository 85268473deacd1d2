/*
 * moongate.lua, read, checked and resolved: what the operator owns.
 *
 *     struct report *report = report_new();
 *     struct config *config = config_load("moongate.lua", report);  // NULL: the report says all that is wrong
 *     config_pack(config, &bytes);                                  // secrets included: into a sealed memfd only
 *     struct config *same = config_unpack(bytes);                   // in another process
 *     config_free(config);
 *
 * A field that is missing has its default, a field that is wrong is never replaced by one. Paths are relative to the
 * file. MOONGATE_LISTEN, MOONGATE_ADMIN_LISTEN and MOONGATE_DATA_DIR override the file.
 * How settings travel: the forked checker evaluates and packs, the supervisor hands the sealed memfd on to workers over
 * their control pipes, at start as at reload. No secret is ever in argv, in a file or in the supervisor's memory for
 * longer than it takes to read the addresses.
 */
#ifndef MOONGATE_SERVER_CONFIG_H
#define MOONGATE_SERVER_CONFIG_H

#include "base/buf.h"
#include "exchange/settings.h"
#include "server/report.h"

struct json_t; /* jansson.h cannot be included beside wire/json.h */

struct config {
    struct settings *settings; /* strings of the whole config live in its arena */
    struct slice file;         /* the path as it was given */
    struct slice listen;       /* "127.0.0.1:8090" */
    struct slice admin_listen;
    struct slice admin_host;   /* a further name of it; empty: none */
    struct slice policies_dir;
    unsigned workers;
    uint32_t drain_delay_ms; /* not ready, still accepting: for load balancers to notice */
    bool has_spec_gate;      /* nothing goes live whose specs fail */
    uint32_t gate_timeout_ms;
    uint32_t gate_signatures;  /* 0: not said (check_signed.h) */
    struct slice gate_signers; /* the path of the allowed signers; empty: not said */
    struct slice gate_files;   /* a line each: file, tab, role that must sign when it changes */
    struct slice gate_roles;   /* a line each: role, tab, principal who has it */
    struct slice gateway;     /* its name in a fleet */
    struct slice ledger_copy; /* of a JSON-lines copy: absolute, or in the data folder; empty: none */
    uint64_t retain_ms, retain_texts_ms; /* 0: for ever */
    struct slice witness_file, witness_webhook, witness_secret; /* of anchors; empty: none */
    bool has_witness_syslog;
    struct slice postgres_url; /* a secret; empty: none */
    struct slice registry_url; /* a secret; empty: a file in the data folder */
    struct slice redis_url;    /* a secret; empty: nobody shares counters with this gateway */
    uint32_t redis_gateways, redis_timeout_ms, redis_lease_ms;
    struct slice billing_zone; /* the name of a zone that this system has */
};

/* The file to use: `given` (-c), else MOONGATE_CONFIG, else "moongate.lua". Borrowed. */
const char *config_path(const char *given);
struct config *config_load(const char *path, struct report *report);
/* For commands that call nobody: a secret whose environment variable is not set is a warning. */
struct config *config_load_offline(const char *path, struct report *report);
void config_free(struct config *c); /* wipes keys; NULL is welcome */
/* The data folder for commands, also when the file does not load at the moment. Never NULL; free it with mem_free. */
char *config_data_dir(const char *path);
/* What commands open from now on is where the file says: see registry_use(). */
void config_use_registry(const char *path);
/* The folder of policies, in the same way. */
char *config_policies_dir(const char *path);
/* Wipes what nobody but a worker needs. */
void config_drop_secrets(struct config *c);
/* The effective values without any secret, for `check --json`. */
struct json_t *config_show(const struct config *c);

void config_pack(const struct config *c, struct buf *out);
/* NULL: not what this version of config_pack() wrote. */
struct config *config_unpack(struct slice bytes);

#endif
