/*
 * What the supervisor and its children say to each other over their control pipes (net/pipe.h).
 *
 * The supervisor orders, a worker reports. A new generation is staged with CONTROL_CONFIG and CONTROL_PREPARE, and
 * takes effect, all of it at once, with CONTROL_COMMIT; CONTROL_DROP forgets it. End of file from the supervisor means
 * drain and exit. The admin process understands CONTROL_STOP, CONTROL_ACCOUNTS, CONTROL_RULES, CONTROL_POLICIES, those
 * about JWKS, and end of file; the ledger process CONTROL_CONFIG (at once: nothing is to prepare), CONTROL_WORKER,
 * CONTROL_REOPEN, CONTROL_LOOK, CONTROL_CHANGE, CONTROL_STOP (all workers have gone: commit what came, then exit), and
 * end of file, after which it goes on until they have gone.
 */
#ifndef MOONGATE_SERVER_CONTROL_H
#define MOONGATE_SERVER_CONTROL_H

#include <stdint.h>

enum control_order {
    CONTROL_CONFIG = 1, /* fd: config_pack(); staged */
    CONTROL_SECTION,    /* fd: of the registry (store/section/section.h); body: struct control_section; at once */
    CONTROL_PREPARE,    /* fd: bundle_serialise(); body: struct control_generation. Answered with REPORT_PREPARED */
    CONTROL_COMMIT,     /* body: struct control_generation. Answered with REPORT_COMMITTED */
    CONTROL_DROP,       /* body: struct control_generation */
    CONTROL_UNREADY,    /* readiness fails, requests are still taken */
    CONTROL_DRAIN,      /* body: struct control_drain. The process exits when it is done */
    CONTROL_STOP,       /* end everything and exit */
    CONTROL_JWKS,       /* to workers; body: struct control_jwks, then URL and JSON: an attempt to fetch keys ended */
    CONTROL_JWKS_SOURCES, /* to the admin process; body: a line a source, see admin/jwks_fetcher.h */
    CONTROL_JWKS_WANTED,  /* to the admin process; body: a URL whose keys a worker lacks */
    CONTROL_POLICIES,     /* to the admin process; fd: bundle_serialise(), in force from now on */
    CONTROL_RULES,        /* to the admin process; fd: of governance (store/governance.h), in force from now on */
    CONTROL_ACCOUNTS,     /* to the admin process; fd: config_pack(), whose accounts may have key files */
    CONTROL_LEDGER,       /* to a worker; fd: its pipe to the ledger process from now on */
    CONTROL_WORKER,       /* to the ledger process; body: struct control_worker; fd: the other end of that pipe */
    CONTROL_REOPEN,       /* to the ledger process: what others may have renamed is opened anew */
    CONTROL_LOOK,         /* to the ledger process: the registry may have noted changes */
    CONTROL_CHANGE,       /* to the ledger process; body: struct control_change, then JSON (store/change.h), of which an
                             erasure is to be done first. Answered with REPORT_CHANGE once it is committed */
};

enum control_report {
    REPORT_PREPARED = 64, /* body: struct control_prepared, then report_json() */
    REPORT_COMMITTED,     /* body: struct control_generation */
    REPORT_JWKS,          /* of the admin process; body: as CONTROL_JWKS */
    REPORT_SECTIONS_WANTED, /* of a worker that could not take one. Answered with CONTROL_SECTION for each */
    REPORT_SECTION_REFUSED, /* of a worker, which keeps the one it had; body: struct control_section */
    REPORT_REGISTRY_CHANGED, /* of the admin process: others are to have what it says now */
    REPORT_ACCESS_TOKEN,  /* of the admin process; body: '+' or '-', an account's name: it was given one, or not */
    REPORT_JWKS_WANTED,   /* of a worker; body: a URL. Answered with CONTROL_JWKS */
    REPORT_LEDGER_WANTED, /* of a worker, or of the ledger process with the body of CONTROL_WORKER: the pipe could not
                             be taken, both ends are sent anew; of the ledger process without: its configuration is */
    REPORT_LEDGER_OPEN,   /* of the ledger process, once */
    REPORT_LEDGER_SHUT,   /* of the ledger process, instead: it could not be opened; body: why. It tries again */
    REPORT_CHANGE,        /* of the ledger process; body: struct control_changed, then why it is undone */
};

struct control_generation {
    uint64_t number;
};

enum control_jwks_outcome { JWKS_FETCHED, JWKS_FAILED, JWKS_ASKED_TOO_OFTEN };

struct control_jwks {
    uint32_t outcome;    /* of enum control_jwks_outcome */
    uint32_t is_changed; /* other keys than before */
    uint32_t url_bytes;  /* then come the URL and, when fetched, the JSON */
    uint32_t reserved;
    uint64_t wall_ns; /* when they were fetched */
};

struct control_section {
    uint32_t kind, part; /* of enum section_kind */
};

struct control_worker {
    uint32_t slot; /* of the board */
    int32_t pid;
};

struct control_change {
    uint64_t number; /* of the supervisor's own */
};

struct control_changed {
    uint64_t number;
    uint32_t is_undone; /* it is no entry and will be none */
    uint32_t had_key;   /* an erasure: there was one to destroy */
};

struct control_drain {
    uint32_t grace_ms;
};

struct control_prepared {
    uint64_t number;
    uint32_t is_good;
    uint32_t reserved;
};

#endif
