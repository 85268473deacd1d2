#include "server/config_schema.h"

#include "base/limits.h"
#include "exchange/settings.h"
#include "server/config.h"

#define IN_CONFIG(member) HOME_CONFIG, offsetof(struct config, member)
#define IN_SETTINGS(member) HOME_SETTINGS, offsetof(struct settings, member)
#define IN_PROVIDER(member) HOME_PROVIDER, offsetof(struct provider, member)
#define IN_DEFAULTS(member) HOME_DEFAULTS, offsetof(struct provider, member)
#define IN_EGRESS(member) HOME_EGRESS, offsetof(struct egress, member)
#define IN_NOTHING HOME_CONFIG, 0
#define END                                                                                                            \
    {                                                                                                                  \
        NULL, FIELD_GROUP, IN_NOTHING, 0, 0, NULL                                                                      \
    }

#define MINUTE_MS 60000u
#define DAY_MS 86400000u

/* clang-format off */
static const struct field admin_group[] = {
    {"listen", FIELD_ADMIN, IN_CONFIG(admin_listen), 0, 0, NULL},
    END,
};

static const struct field timeouts_group[] = {
    {"header",        FIELD_DURATION, IN_SETTINGS(header_timeout_ms),     100, 10 * MINUTE_MS, NULL},
    {"body",          FIELD_DURATION, IN_SETTINGS(body_timeout_ms),       100, 60 * MINUTE_MS, NULL},
    {"idle",          FIELD_DURATION, IN_SETTINGS(idle_timeout_ms),       100, DAY_MS, NULL},
    {"write",         FIELD_DURATION, IN_SETTINGS(write_timeout_ms),      100, DAY_MS, NULL},
    {"connect",       FIELD_DURATION, IN_DEFAULTS(connect_timeout_ms),    1, 10 * MINUTE_MS, NULL},
    {"first_byte",    FIELD_DURATION, IN_DEFAULTS(first_byte_timeout_ms), 1, DAY_MS, NULL},
    {"upstream_idle", FIELD_DURATION, IN_DEFAULTS(idle_timeout_ms),       1, DAY_MS, NULL},
    {"total",         FIELD_DURATION, IN_DEFAULTS(total_timeout_ms),      1, DAY_MS, NULL},
    END,
};

static const struct field limits_group[] = {
    {"body",        FIELD_SIZE,  IN_SETTINGS(body_bytes_max),  1 * KIB, 1024u * MIB, NULL},
    {"connections", FIELD_COUNT, IN_SETTINGS(connections_max), 1, 1000000, NULL},
    END,
};

static const struct field drain_group[] = {
    {"grace", FIELD_DURATION, IN_SETTINGS(drain_grace_ms), 0, DAY_MS, NULL},
    {"delay", FIELD_DURATION, IN_CONFIG(drain_delay_ms),   0, 10 * MINUTE_MS, NULL},
    END,
};

static const struct field policy_group[] = {
    {"bytecodes", FIELD_COUNT64,  IN_SETTINGS(policy_bytecodes),   10000, 10000000000u, NULL},
    {"cpu",       FIELD_DURATION, IN_SETTINGS(policy_cpu_ms),      1, 10000, NULL},
    {"deadline",  FIELD_DURATION, IN_SETTINGS(policy_deadline_ms), 1, MINUTE_MS, NULL},
    END,
};

static const struct field gate_group[] = {
    {"specs",   FIELD_FLAG,     IN_CONFIG(has_spec_gate), 0, 0, NULL},
    {"timeout", FIELD_DURATION, IN_CONFIG(gate_timeout_ms), 100, LIMIT_GATE_MS_MAX, NULL},
    END,
};

static const struct field provider_timeouts_group[] = {
    {"connect",    FIELD_DURATION, IN_PROVIDER(connect_timeout_ms),    1, 10 * MINUTE_MS, NULL},
    {"first_byte", FIELD_DURATION, IN_PROVIDER(first_byte_timeout_ms), 1, DAY_MS, NULL},
    {"idle",       FIELD_DURATION, IN_PROVIDER(idle_timeout_ms),       1, DAY_MS, NULL},
    {"total",      FIELD_DURATION, IN_PROVIDER(total_timeout_ms),      1, DAY_MS, NULL},
    END,
};

const struct field provider_fields[] = {
    {"kind",     FIELD_KIND,   IN_PROVIDER(kind), 0, 0, NULL},
    {"url",      FIELD_URL,    IN_PROVIDER(url), 0, 0, NULL},
    {"key",      FIELD_SECRET, IN_PROVIDER(key), 0, 0, NULL},
    {"ca",       FIELD_CA,     IN_PROVIDER(ca_file), 0, 0, NULL},
    {"usage",    FIELD_FLAG,   IN_PROVIDER(can_report_usage), 0, 0, NULL},
    {"http2",    FIELD_FLAG,   IN_PROVIDER(is_http2), 0, 0, NULL},
    {"timeouts", FIELD_GROUP,  IN_NOTHING, 0, 0, provider_timeouts_group},
    END,
};

const struct field egress_fields[] = {
    {"clearance", FIELD_WORD,     IN_EGRESS(clearance), 0, 0, NULL},
    {"name",      FIELD_WORD,     IN_EGRESS(name), 0, 0, NULL},
    {"secret",    FIELD_SECRET,   IN_EGRESS(secret), 0, 0, NULL},
    {"header",    FIELD_WORD,     IN_EGRESS(header), 0, 0, NULL},
    {"ca",        FIELD_CA,       IN_EGRESS(ca_file), 0, 0, NULL},
    {"timeout",   FIELD_DURATION, IN_EGRESS(timeout_ms), 1, MINUTE_MS, NULL},
    {"answer",    FIELD_SIZE,     IN_EGRESS(answer_bytes_max), 1 * KIB, 16u * MIB, NULL},
    END,
};

/* Read in this order: the defaults in timeouts come before the providers that start from them. */
const struct field config_fields[] = {
    {"listen",    FIELD_ADDRESS,   IN_CONFIG(listen), 0, 0, NULL},
    {"admin",     FIELD_GROUP,     IN_NOTHING, 0, 0, admin_group},
    {"workers",   FIELD_COUNT,     IN_CONFIG(workers), 1, LIMIT_WORKERS, NULL},
    {"data",      FIELD_PATH,      IN_SETTINGS(data_dir), 0, 0, NULL},
    {"policies",  FIELD_PATH,      IN_CONFIG(policies_dir), 0, 0, NULL},
    {"timeouts",  FIELD_GROUP,     IN_NOTHING, 0, 0, timeouts_group},
    {"providers", FIELD_PROVIDERS, IN_NOTHING, 0, 0, provider_fields},
    {"egress",    FIELD_EGRESS,    IN_NOTHING, 0, 0, egress_fields},
    {"limits",    FIELD_GROUP,     IN_NOTHING, 0, 0, limits_group},
    {"drain",     FIELD_GROUP,     IN_NOTHING, 0, 0, drain_group},
    {"keepalive", FIELD_DURATION,  IN_SETTINGS(keepalive_ms), 0, 60 * MINUTE_MS, NULL},
    {"policy",    FIELD_GROUP,     IN_NOTHING, 0, 0, policy_group},
    {"gate",      FIELD_GROUP,     IN_NOTHING, 0, 0, gate_group},
    END,
};
/* clang-format on */
