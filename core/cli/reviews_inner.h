/*
 * What the commands about access reviews share: calls of the admin API (cli/governing.h), and the policies, whose rows
 * are reviewed too.
 *
 *     struct governed g;
 *     int code;
 *     if (!reviews_ask(&common, "GET", "/reviews/%s", id, NULL, &g, &code)) return code;   // the message was printed
 *     … g.body …
 *     governing_end(&g);
 */
#ifndef MOONGATE_CLI_REVIEWS_INNER_H
#define MOONGATE_CLI_REVIEWS_INNER_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"
#include "cli/governing.h"

struct approvals;
struct json_t;

/* Takes the body. */
bool reviews_ask(const struct common_options *common, const char *method, const char *path, const char *id,
                 struct json_t *body, struct governed *g, int *code);

/* {"digest", "rows"} of the configured policies; NULL after a message. */
struct json_t *reviews_rows(const char *config);
/* The rows with what was used of them, and {"seq", "since_at", "keys", "grants"}, from the ledger; NULL: it is not
 * known, which was said. */
struct json_t *reviews_usage(const char *data_dir, int64_t since_s, struct json_t *rows);

/* Rows that were to go, and that what the gateway has loaded (or, where none runs, would load) allows no more, are in
 * force. False after a message. */
bool reviews_settle(const struct common_options *common, const char *id);

const char *reviews_text(const struct json_t *object, const char *name); /* "" when it is not there */
int64_t reviews_number(const struct json_t *object, const char *name);
/* "2026-11-24 06:41" of an instant as the API writes it; "". */
void reviews_instant(const struct json_t *object, const char *name, char text[32]);

#endif
