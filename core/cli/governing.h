/*
 * Calls of the admin API by commands: over <data>/admin.sock where a gateway runs, else upon the registry itself, with
 * the same checks and in the same words (admin/api/api.h).
 *
 *     struct governed g;
 *     if (!governing_call(data_dir, "POST", "/people", json_pack(…), &g)) return CLI_UNREACHABLE;   // it was said why
 *     if (g.status >= 300) code = governing_refused(&g);
 *     else … g.body …
 *     governing_end(&g);
 *
 * Who asks is the user whose process this is, by the kernel's word; the name that is shown is the login's. Where a
 * gateway runs, its workers have taken a change up when the call comes back.
 */
#ifndef MOONGATE_CLI_GOVERNING_H
#define MOONGATE_CLI_GOVERNING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "cli/register.h"

struct json_t;
struct common_options;

struct governed {
    int status;
    struct json_t *body;     /* an object */
    enum register_told told; /* of a change: has the running gateway taken it up? */
};

/* Takes the body; NULL: none. Members that are null are as if they were not there. */
bool governing_call(const char *data_dir, const char *method, const char *path, struct json_t *body,
                    struct governed *g);
void governing_end(struct governed *g);
/* What was refused, and the cure. The exit code: CLI_FOUND: there is no such thing; CLI_USAGE: what was said is wrong;
 * CLI_UNREACHABLE: it may not be. */
int governing_refused(const struct governed *g);
/* "" where it says none. */
const char *governing_message(const struct governed *g);
const char *governing_text(const struct governed *g, const char *name);

/* One call from beginning to end, of the configuration's data folder; `print` (may be NULL) shows what was answered,
 * --json prints it as it is. The exit code. Takes the body. */
int governing_run(const struct common_options *common, const char *method, const char *path, struct json_t *body,
                  void (*print)(const struct json_t *answer));

/* "/people/%s/disable", with the id as one segment; NULL-terminated in `to`. */
const char *governing_path(struct buf *to, const char *format, const char *id);
/* --until and its like: 12h, 30d, 2026-11-27 (UTC, all of that day), an instant; as the API takes it. NULL after a
 * message; `text` NULL: json null. */
struct json_t *governing_instant(const char *option, const char *text);

#endif
