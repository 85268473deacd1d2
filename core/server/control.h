/*
 * What the supervisor and its children say to each other over their control pipes (net/pipe.h).
 *
 * The supervisor orders, a worker reports. A new generation is staged with CONTROL_CONFIG, CONTROL_KEYS and
 * CONTROL_PREPARE, and takes effect, all of it at once, with CONTROL_COMMIT; CONTROL_DROP forgets it. End of file from
 * the supervisor means drain and exit. The admin process understands CONTROL_STOP and end of file.
 */
#ifndef MOONGATE_SERVER_CONTROL_H
#define MOONGATE_SERVER_CONTROL_H

#include <stdint.h>

enum control_order {
    CONTROL_CONFIG = 1, /* fd: config_pack(); staged */
    CONTROL_KEYS,       /* fd: keyring snapshot; at once */
    CONTROL_PREPARE,    /* fd: bundle_serialise(); body: struct control_generation. Answered with REPORT_PREPARED */
    CONTROL_COMMIT,     /* body: struct control_generation. Answered with REPORT_COMMITTED */
    CONTROL_DROP,       /* body: struct control_generation */
    CONTROL_UNREADY,    /* readiness fails, requests are still taken */
    CONTROL_DRAIN,      /* body: struct control_drain. The process exits when it is done */
    CONTROL_STOP,       /* end everything and exit */
};

enum control_report {
    REPORT_PREPARED = 64, /* body: struct control_prepared, then report_json() */
    REPORT_COMMITTED,     /* body: struct control_generation */
};

struct control_generation {
    uint64_t number;
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
