/*
 * One text of an answer as it comes in pieces: what in it is masked, what comes back, and how far that is settled.
 *
 *     struct redact_text t;
 *     redact_text_init(&t);
 *     redact_text_feed(&t, r, piece);                  // offsets count from the text's start
 *     redact_text_end(&t, r);                          // nothing more comes: all of it is settled
 *     if (t.settled >= to) redact_text_write(&t, from, to, piece, &out);   // the piece as it goes out
 *     redact_text_clear(&t);
 *
 * Values and placeholders are found as who reads the text sees it (wire/sight.h): in JSON, as arguments of tools are,
 * with its escapes undone; and what takes their place is written as it must be there, so that JSON stays JSON.
 *
 * However the text is cut into pieces, the whole that goes out is the same. What is not settled yet, at most
 * LIMIT_DETECT_HOLD_BYTES and in prose hardly more than a word, may still become part of a value or placeholder.
 */
#ifndef MOONGATE_WIRE_REDACT_TEXT_H
#define MOONGATE_WIRE_REDACT_TEXT_H

#include "base/buf.h"
#include "wire/redact.h"
#include "wire/sight.h"

/* A run of the text and what takes its place. */
struct redact_edit {
    uint64_t from, to;
    struct slice text;
    unsigned char depth; /* strings of JSON that it stands in */
    bool is_number;      /* it takes the place of a number of JSON */
    bool is_mask;        /* else a value that came back */
};

struct redact_text {
    bool is_ended;
    uint64_t begun; /* offset of the first byte held */
    struct buf held;
    struct sight sight;
    uint64_t scanned; /* in what is seen: before it, all hits are known */
    uint64_t looked;  /* the same: before it, all placeholders are known */
    uint64_t settled; /* where in the text the smaller of the two stands */
    struct detect_state state;
    struct redact_edit *edits; /* in order, apart */
    uint32_t edit_count, edit_cap;
};

void redact_text_init(struct redact_text *t);
void redact_text_clear(struct redact_text *t);
/* The text's next bytes. */
void redact_text_feed(struct redact_text *t, struct redact *r, struct slice piece);
void redact_text_end(struct redact_text *t, struct redact *r);
/* After the end: what is fed next is a text of its own. */
void redact_text_restart(struct redact_text *t);
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
