/*
 * A text in memory that processes share: one writes it, any reads it, at any time and always a whole one.
 *
 *     shared_text_set(&area->reason, "why");                // one writer
 *     shared_text_get(&area->reason, text, sizeof text);
 *
 * Nobody waits on anybody: a stopped or killed writer leaves the last whole text readable. Zeroed memory is "".
 */
#ifndef MOONGATE_BASE_SHARED_TEXT_H
#define MOONGATE_BASE_SHARED_TEXT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SHARED_TEXT_BYTES 504 /* with the NUL; longer texts are cut */

struct shared_text {
    _Atomic uint64_t turn; /* its last bit: which half is shown */
    _Atomic uint64_t words[2][SHARED_TEXT_BYTES / 8];
};

void shared_text_set(struct shared_text *t, const char *text);
void shared_text_get(const struct shared_text *t, char *text, size_t size);

#endif
