/*
 * Changes of one JSON text by byte ranges: noted while it is parsed, made when the tape may long be gone.
 *
 *     struct redact_changes changes = {0};
 *     redact_changes_text(&changes, at, len, SLICE("new text"));     // the string there becomes this text
 *     redact_changes_json(&changes, at, len, SLICE("[1]"));          // the value there becomes this one
 *     redact_changes_null(&changes, at, len);                        // the value there becomes null
 *     redact_changes_apply(&changes, json, &out);                    // appends the changed text
 *     redact_changes_move(&changes, texts, count);                   // where its texts stand now (wire/said.h)
 *     redact_changes_clear(&changes);
 *
 * Ranges are values of the JSON, apart from each other; one that is given twice counts once. Kept in order as they are
 * added: mostly that is the order in which they stand. Private to wire/redact_*.
 */
#ifndef MOONGATE_WIRE_REDACT_CHANGES_H
#define MOONGATE_WIRE_REDACT_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "wire/said.h"

struct redact_change {
    uint32_t at, len;
    struct slice json; /* in the arena, or static */
};

struct redact_changes {
    struct redact_change *items;
    uint32_t count, cap;
    struct arena arena;
};

void redact_changes_clear(struct redact_changes *c);
void redact_changes_text(struct redact_changes *c, uint32_t at, uint32_t len, struct slice text);
void redact_changes_json(struct redact_changes *c, uint32_t at, uint32_t len, struct slice json);
void redact_changes_null(struct redact_changes *c, uint32_t at, uint32_t len);
void redact_changes_apply(const struct redact_changes *c, struct slice json, struct buf *out);
void redact_changes_move(const struct redact_changes *c, struct said_text *texts, uint32_t count);

#endif
