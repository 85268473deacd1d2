/*
 * Characters whose two halves (UTF-16, \ud83d \ude00) came in two events: strict JSON knows no half, clients that put
 * the texts together never see one.
 *
 *     if (halves_mend(json, &copy)) …                  // copy: as long, with U+FFFD for each half; that can be parsed
 *     halves_at_end(span), halves_at_start(span)       // of the bytes as they came, inside the quotes
 *
 * Nothing is held.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_HALVES_H
#define MOONGATE_WIRE_TRANSLATE_HALVES_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

#define HALF_BYTES 6 /* \ud83d */

/* Appends json with every half that has no other beside it replaced. False: there is none. */
bool halves_mend(struct slice json, struct buf *out);
/* The text, inside its quotes, ends in the first half of a pair; begins with the second half of one. */
bool halves_at_end(struct slice text);
bool halves_at_start(struct slice text);

#endif
