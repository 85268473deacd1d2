/*
 * Texts in which a list of detectors or keywords finds nothing: when they are sent again, as the history of a
 * conversation is, they are not scanned again.
 *
 *     struct quiet q;
 *     if (quiet_begin(&q, memo, detect_subject(d), raw, &work)) …;    // nothing is in it: on to the next text
 *     … scan it; where anything at all is found: quiet_break(&q) …
 *     quiet_end(&q, text.len);                                 // the whole text was scanned
 *
 * Remembered is that nothing was found, and how long the text is, by a hash of how it is written (base/memo.h); no text
 * and nothing that was found. A subject belongs to one list as it was compiled: after a reload all is scanned anew.
 * Nobody but who holds the same memo is told: each worker has one of its own.
 *
 * Limits: LIMIT_QUIET_MEMO texts; they have LIMIT_QUIET_MEMO_BYTES_MIN to LIMIT_QUIET_MEMO_BYTES_MAX.
 */
#ifndef MOONGATE_WIRE_QUIET_H
#define MOONGATE_WIRE_QUIET_H

#include "base/memo.h"

/* One text under scan; all zero: none. */
struct quiet {
    struct memo *memo; /* borrowed; NULL: nothing is kept of this text */
    struct memo_key key;
    uint32_t subject;
};

/* A text begins that is written so. How long it is when read, if nothing is in it; 0: that is not known. memo NULL:
 * none is asked. What it took is added to *work, as bytes that could have been scanned meanwhile. */
size_t quiet_begin(struct quiet *q, struct memo *memo, uint32_t subject, struct slice raw, size_t *work);
/* Something is in it, or not all of it was looked at. */
void quiet_break(struct quiet *q);
/* All of it was scanned; text_bytes: how long it is when read. The second end of a text does nothing. */
void quiet_end(struct quiet *q, size_t text_bytes);

#endif
