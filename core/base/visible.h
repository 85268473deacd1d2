/*
 * Foreign text made fit for a terminal: what a terminal would obey is spelt, all else stays as it is.
 *
 *     size_t taken = visible_append(&out, text, false);        // "abc<ESC>]0;x<BEL>" → "abc\u001b]0;x\u0007"
 *
 * Spelt as \uXXXX, which is right inside a JSON document too: C0 but newline and tab, DEL, C1 (ECMA-48), and the marks
 * that turn the direction of writing (Unicode UAX #9, "Trojan Source"). A byte that is not UTF-8 becomes \ufffd.
 */
#ifndef MOONGATE_BASE_VISIBLE_H
#define MOONGATE_BASE_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define VISIBLE_TAIL_MAX 7u /* bytes that may be left: less than a character or a colour */

/* Returns the bytes taken: all, or all but the beginning of a character or colour that `text` ends in; append what
 * comes next to that. With keeps_colours the colours moongate writes itself (SGR 0, 1, 2,
 * 30 to 37 and their pairs) pass. */
size_t visible_append(struct buf *out, struct slice text, bool keeps_colours);

#endif
