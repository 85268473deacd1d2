/*
 * The one table of moongate.lua's fields: names, what they take, their bounds, where the value goes.
 * Read by config.c (checking), config_show() and nobody else.
 */
#ifndef MOONGATE_SERVER_CONFIG_SCHEMA_H
#define MOONGATE_SERVER_CONFIG_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

enum field_kind {
    FIELD_GROUP,     /* a table of further fields */
    FIELD_PROVIDERS, /* a table of groups with names of the operator's own */
    FIELD_EGRESS,    /* a table of groups by URL */
    FIELD_ADDRESS,   /* struct slice */
    FIELD_WORD,      /* struct slice: of a-z, 0-9, - and _ */
    FIELD_ADMIN,     /* an address that must be loopback */
    FIELD_PATH,      /* struct slice */
    FIELD_CA,        /* struct slice: a file that must be there */
    FIELD_KIND,      /* struct slice: a known dialect */
    FIELD_URL,       /* struct slice */
    FIELD_SECRET,    /* struct slice, never shown */
    FIELD_FLAG,      /* bool */
    FIELD_DURATION,  /* uint32_t, milliseconds */
    FIELD_SIZE,      /* size_t, bytes */
    FIELD_COUNT,     /* uint32_t */
    FIELD_COUNT64,   /* uint64_t */
};

enum field_home { HOME_CONFIG, HOME_SETTINGS, HOME_PROVIDER, HOME_DEFAULTS, HOME_EGRESS, HOME_COUNT };

struct field {
    const char *name;
    enum field_kind kind;
    enum field_home home; /* the struct that `offset` is in; HOME_DEFAULTS: a struct provider all others start from */
    size_t offset;
    uint64_t min, max;         /* of durations (ms), sizes and counts */
    const struct field *group; /* ends with a name of NULL */
};

extern const struct field config_fields[];
extern const struct field provider_fields[];
extern const struct field egress_fields[];

#endif
