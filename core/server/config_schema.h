/*
 * The one table of moongate.lua's fields. A row says all there is to know of a field: its name, what it takes, where
 * the value goes, its default and range, what it is for. Reading, packing, showing, defaults, secrets and `moongate
 * help config` are walks over the rows. Who adds a field adds a row; tests/house/fields.lua misses one that is not
 * there.
 *
 *     {"grace", &type_duration, IN_SETTINGS(drain_grace_ms), RANGE(0, DAY_MS), .initial = LIMIT_DRAIN_MS,
 *      .says = "What requests under way have to finish once a stop was asked for."},
 *
 * Included by core/server/config*.c and by what prints the reference; it never reaches the request path.
 */
#ifndef MOONGATE_SERVER_CONFIG_SCHEMA_H
#define MOONGATE_SERVER_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct config;
struct config_reader;
struct field;
struct json_t;

enum field_store { STORE_TABLE, STORE_TEXT, STORE_NUMBER, STORE_FLAG, STORE_DIGEST };

/* What fields of one type have in common. */
struct field_type {
    const char *name;  /* "duration" */
    const char *takes; /* how its values are written in the file */
    enum field_store store; /* nothing, a struct slice, an unsigned number of that size, a bool, an array of char */
    size_t size;            /* of what a value is kept in */
    bool is_secret;         /* shown to nobody */
    /* One of the three, by the store; false: it was said what is wrong. */
    bool (*read_text)(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
    bool (*read_number)(struct config_reader *r, struct slice path, const struct json_t *value, uint64_t *out);
    void (*read_table)(struct config_reader *r, const struct field *f, struct slice path, struct json_t *table);
    /* A number as people write it. */
    void (*print)(uint64_t number, char *text, unsigned size);
};

extern const struct field_type type_table, type_providers, type_egress, type_sinks, type_breaker;
extern const struct field_type type_address, type_admin_address, type_path, type_file, type_word, type_note,
    type_class, type_host, type_kind, type_credentials, type_members, type_renames, type_server, type_url, type_secret,
    type_headers, type_header_names, type_origins, type_flag,
    type_duration, type_size, type_count, type_count64;
extern const struct field_type type_new_file, type_long_duration, type_durability, type_copy, type_conninfo, type_zone,
    type_redis, type_loss;
extern const struct field_type type_sink_kind, type_hook_url, type_command, type_gate_files, type_gate_roles;
extern const struct field_type type_given, type_digest; /* in no file: what is known of the file itself */

/* The structs that values lie in. HOME_DEFAULTS is a struct provider that all others start from; it goes no further. */
enum field_home { HOME_CONFIG, HOME_SETTINGS, HOME_PROVIDER, HOME_DEFAULTS, HOME_EGRESS, HOME_SINK, HOME_COUNT };

struct field {
    const char *name; /* NULL ends a table */
    const struct field_type *type;
    enum field_home home;
    size_t offset, size;
    uint64_t min, max;             /* of numbers */
    uint64_t initial;              /* the default, of numbers and flags */
    const char *initial_text;      /* the same, of texts; NULL: there is none */
    const char *initial_words;     /* the default in words, where it is no constant: config.c sets it */
    const char *required;          /* it has no default and must be there: how that may look */
    const char *env;               /* the environment variable that comes before the file */
    const char *says;              /* one sentence: what it is for */
    const struct field *group;     /* of a table: its fields */
    const struct field_list *list; /* of a table whose names are the operator's own */
};

/* An array in the settings, an item for each name. */
struct field_list {
    const char *placeholder; /* of the name, in the reference */
    enum field_home home;
    size_t items, count; /* offsets in struct settings: of the pointer, of the size_t */
    size_t item_bytes, items_max;
    size_t name; /* offset of the struct slice in an item */
    const struct field *fields;
};

/* Read in this order: the defaults in timeouts come before the providers that start from them. */
extern const struct field config_fields[];
extern const struct field provider_fields[];
extern const struct field egress_fields[];
extern const struct field sink_fields[];
extern const struct field given_fields[];

/* Where everything of a configuration lies; the homes of items are the walk's to set. */
struct field_homes {
    void *at[HOME_COUNT];
};

struct field_homes field_homes_of(const struct config *c);
static inline void *field_value(const struct field_homes *homes, const struct field *f)
{
    return (char *)homes->at[f->home] + f->offset;
}
/* Numbers and flags, of whatever size. */
uint64_t field_number(const struct field *f, const void *value);
void field_set_number(const struct field *f, void *value, uint64_t number);

char *list_items(const struct field_list *list, const struct field_homes *homes, size_t *count);
void list_set_items(const struct field_list *list, const struct field_homes *homes, void *items, size_t count);

/* "100ms to 10m", or nothing when everything is in range. */
void field_print_range(const struct field *f, struct buf *out);
/* The default, as the file would say it or in words; nothing when there is none. */
void field_print_initial(const struct field *f, struct buf *out);

#endif
