/*
 * One text of an answer as it comes in pieces: what in it is masked, what comes back, and how far that is settled.
 *
 *     struct redact_text t;
 *     redact_text_init(&t, is_json);                   // is_json: the text is itself JSON, as arguments of tools are
 *     redact_text_feed(&t, r, piece);                  // offsets count from the text's start
 *     redact_text_end(&t, r);                          // nothing more comes: all of it is settled
 *     if (t.settled >= to) redact_text_write(&t, from, to, piece, &out);   // the piece as it goes out
 *     redact_text_clear(&t);
 *
 * However the text is cut into pieces, the whole that goes out is the same. What is not settled yet, at most
 * LIMIT_DETECT_HOLD_BYTES and in prose hardly more than a word, may still become part of a value or placeholder.
 */
#ifndef MOONGATE_WIRE_REDACT_TEXT_H
#define MOONGATE_WIRE_REDACT_TEXT_H

#include "base/buf.h"
#include "wire/redact.h"

/* A run of the text and what takes its place. */
struct redact_edit {
    uint64_t from, to;
    struct slice text;
    bool is_mask; /* else a value that came back */
};

struct redact_text {
    bool is_json, is_ended;
    uint64_t begun;   /* offset of the first byte held */
    uint64_t scanned; /* before it, all hits are known */
    uint64_t looked;  /* before it, all placeholders are known */
    uint64_t settled; /* the smaller of the two */
    struct buf held;
    struct detect_state state;
    struct redact_edit *edits; /* in order, apart */
    uint32_t edit_count, edit_cap;
};

void redact_text_init(struct redact_text *t, bool is_json);
void redact_text_clear(struct redact_text *t);
/* The text's next bytes. */
void redact_text_feed(struct redact_text *t, struct redact *r, struct slice piece);
void redact_text_end(struct redact_text *t, struct redact *r);
/* Offset behind all that was fed. */
uint64_t redact_text_length(const struct redact_text *t);
/* Whether anything in [from, to) is to be changed; *has_mask when some of it is a mask. Only for what is settled. */
bool redact_text_is_changed(const struct redact_text *t, uint64_t from, uint64_t to, bool *has_mask);
/* Appends the piece that was fed as [from, from + piece.len) as it goes out. What takes the place of a run stands where
 * the run begins. */
void redact_text_write(const struct redact_text *t, uint64_t from, struct slice piece, struct buf *out);
/* Everything before `to` has gone out. */
void redact_text_forget(struct redact_text *t, uint64_t to);

#endif
