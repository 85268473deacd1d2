/*
 * How one request is to be answered, well or badly: a flat set of named settings.
 *
 *     struct script s;
 *     script_init(&s);
 *     script_set_query(&s, SLICE("tokens=200&delay_ms=5&cut=rst&cut_event=40"), &why);
 *     if (s.cut == CUT_RST && k == s.cut_event) ...
 *     script_clear(&s);
 *
 * The lists below are the one place that names the settings; README.md explains each. They come as a query (in a model
 * name, metadata.mock or user of the request) or as a JSON object (control listener).
 */
#ifndef MOONGATE_MOCK_SCRIPT_H
#define MOONGATE_MOCK_SCRIPT_H

#include <jansson.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

#define SCRIPT_AT_END INT64_MAX

/* clang-format off */
/* name, value when not given. Flags are 0 or 1 (true and false are read too). */
#define SCRIPT_NUMBERS(X)                                                                                              \
    X(status, 200) X(retry_after, -1)                                                                                  \
    X(hold, 0) X(head_delay_ms, 0) X(delay_ms, 0) X(rate, 0)                                                           \
    X(tokens, -1) X(event_bytes, 0) X(body_bytes, 0) X(endless, 0) X(done, 1) X(fast, 0)                               \
    X(cut_event, SCRIPT_AT_END) X(cut_byte, 0) X(cut_delay_ms, 20)                                                     \
    X(bad_event, -1) X(error_event, -1) X(comment_every, 0) X(bom, 0) X(space, 1)                   \
    X(write_bytes, 0) X(write_gap_us, 0) X(split, 0) X(split_gap_us, 0)                                                \
    X(gzip, 0) X(length_off, 0) X(head_bytes, 0) X(informational, 0) X(close, 0) X(usage_tokens, -1)

/* name: text, NULL when not given. */
#define SCRIPT_TEXTS(X)                                                                                                \
    X(cut) X(line_end) X(framing) X(usage) X(text) X(tool) X(replay) X(raw) X(body) X(content_type)                    \
    X(bad_text) X(comment) X(split_at) X(error_message) X(error_code) X(error_type) X(header) X(accept)
/* clang-format on */

struct script {
#define X(name, value) int64_t name;
    SCRIPT_NUMBERS(X)
#undef X
#define X(name) char *name;
    SCRIPT_TEXTS(X)
#undef X
    size_t raw_len; /* raw may hold NUL bytes */
};

void script_init(struct script *s);
void script_clear(struct script *s);
/* A deep copy. */
void script_copy(struct script *to, const struct script *from);
/* Both: false names the setting that is unknown or has no such value; the rest is set all the same. */
bool script_set_query(struct script *s, struct slice query, struct fault *why);
bool script_set_json(struct script *s, const json_t *object, struct fault *why);
/* Whether the text setting has this value. */
bool script_is(const char *setting, const char *value);

#endif
