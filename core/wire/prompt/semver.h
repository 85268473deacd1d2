/*
 * Versions of prompts: "2.1.0", and what a changed text would be called.
 *
 *     struct semver v;
 *     if (!semver_parse(SLICE("2.1.0"), &v)) ...
 *     semver_compare(v, (struct semver){2, 0, 9}) > 0
 *
 * Three numbers without leading zeros, each below 2^20; no pre-releases. Source: semver.org 2.0.0, 2.
 */
#ifndef MOONGATE_WIRE_PROMPT_SEMVER_H
#define MOONGATE_WIRE_PROMPT_SEMVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct json_tape; /* wire/json.h, which cannot be included beside jansson.h */

#define SEMVER_MAX ((1u << 20) - 1)
#define SEMVER_BYTES 24 /* of its text, with the NUL */

struct semver {
    uint32_t major, minor, patch;
};

bool semver_parse(struct slice text, struct semver *v);
/* "2" or "2.1" too: *parts says how many numbers there are, the others are 0. */
bool semver_parse_prefix(struct slice text, struct semver *v, unsigned *parts);
int semver_compare(struct semver a, struct semver b); /* < 0, 0, > 0 */
void semver_write(struct semver v, char text[SEMVER_BYTES]);

enum semver_bump { SEMVER_SAME, SEMVER_PATCH, SEMVER_MINOR, SEMVER_MAJOR };
const char *semver_bump_name(enum semver_bump bump); /* "minor" */
struct semver semver_next(struct semver v, enum semver_bump bump);
/* What a change of a prompt's content asks of those who call it. Major: a variable more that must be given, one less,
 * or of another type; minor: a variable more that need not be given, another model, parameter, tool, format, message;
 * patch: words alone. */
enum semver_bump semver_propose(const struct json_tape *before, const struct json_tape *after);

#endif
