/*
 * One reading of one configuration file, shared by core/server/config*.c and nobody else: what is wrong is said with
 * its place, tables are read by their rows.
 *
 *     config_read_group(&r, config_fields, SLICE_NONE, tree);
 *     return config_bad(r, path, FINDING_BAD_TIME, "write \"30s\"", "`%s` is not a duration", text);
 *
 * What is wrong goes into the report with its place, and the target stays as it was.
 */
#ifndef MOONGATE_SERVER_CONFIG_READER_H
#define MOONGATE_SERVER_CONFIG_READER_H

#include <stdbool.h>

#include "base/finding.h"
#include "server/config.h"
#include "server/config_schema.h"
#include "server/places.h"

struct config_reader {
    struct config *config;
    struct arena *arena;
    struct provider defaults; /* what each provider starts from */
    struct report *report;
    struct places places;
    struct slice text; /* the file */
    struct slice dir;  /* its folder with a slash, "" for the current one */
    struct field_homes homes;
    bool is_offline; /* the variables of secrets are those of another machine: one that is missing is a warning */
};

/* An error about the value of the field at `path`. Always false. */
bool config_bad(struct config_reader *r, struct slice path, enum finding finding, const char *hint, const char *format,
                ...) __attribute__((format(printf, 5, 6)));
/* The same with a finding that is a warning. */
void config_warn(struct config_reader *r, struct slice path, enum finding finding, const char *hint, const char *format,
                 ...) __attribute__((format(printf, 5, 6)));
/* "a table", "text", "a handle" … */
const char *config_type_name(const struct json_t *value);
struct slice config_resolve_path(struct config_reader *r, struct slice path);
/* A regular file of at most max bytes; false: errno. */
bool config_read_file(const char *path, size_t max, struct buf *out);
struct slice config_join(struct config_reader *r, struct slice path, const char *name);
/* A table of named fields, and not a list or a handle; says so when it is none. */
bool config_is_table(struct config_reader *r, struct slice path, const struct json_t *value);
/* Defaults, into the homes of the reader. */
void config_set_initial(struct config_reader *r, const struct field *fields);
void config_read_group(struct config_reader *r, const struct field *fields, struct slice path, struct json_t *table);
/* Into the home of the row. */
void config_read_value(struct config_reader *r, const struct field *f, struct slice path, const struct json_t *value);
/* Text, or what a handle stands for. */
bool config_read_text(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
/* The same of a secret; offline one that is not there has a text in its place. */
bool config_read_secret(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
/* config_lines.c: what is kept as lines. */
bool config_read_headers(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
bool config_read_header_names(struct config_reader *r, struct slice path, const struct json_t *value,
                              struct slice *out);
bool config_read_origins(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
/* A list of texts, `max` at most, each of which check() finds good. */
typedef bool (*config_line_fn)(struct config_reader *r, struct slice path, struct slice line);
bool config_read_lines(struct config_reader *r, struct slice path, const struct json_t *list, size_t max,
                       config_line_fn check, struct slice *out);
/* config_server.c */
bool config_read_members(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
bool config_read_gate_files(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
bool config_read_gate_roles(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
bool config_read_renames(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
bool config_read_server(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
/* Behind all fields of an account: what is known of its server joins what the file says of it. */
void config_take_server(struct config_reader *r, struct slice path, struct provider *p, const struct json_t *table);
/* config_account.c */
/* A line of people for people; one of the four classes of data (config_note.c). */
bool config_read_note(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
bool config_read_class(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
bool config_read_credentials(struct config_reader *r, struct slice path, const struct json_t *value,
                             struct slice *out);
/* Behind all fields of an account, by its table: of one that was wrong something else has been said. */
void config_check_account(struct config_reader *r, struct slice path, struct provider *p, const struct json_t *table);
/* Behind all accounts: there are not too many that are given tokens. */
void config_check_credentials(struct config_reader *r, struct slice path);
/* config_url.c: an account's url that is missing is an error, one at which its API hardly begins a warning. */
void config_check_url(struct config_reader *r, struct slice path, const struct provider *p,
                      const struct json_t *table);
/* config_notify.c */
bool config_read_sink_kind(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
bool config_read_hook_url(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
void config_read_sinks(struct config_reader *r, const struct field *f, struct slice path, struct json_t *table);
bool config_read_command(struct config_reader *r, struct slice path, const struct json_t *value, struct slice *out);
void config_read_table(struct config_reader *r, const struct field *f, struct slice path, struct json_t *table);
void config_read_providers(struct config_reader *r, const struct field *f, struct slice path, struct json_t *table);
void config_read_breaker(struct config_reader *r, const struct field *f, struct slice path, struct json_t *table);
void config_read_egress(struct config_reader *r, const struct field *f, struct slice path, struct json_t *table);

#endif
