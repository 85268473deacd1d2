/*
 * Is this a text in another encoding than UTF-8? Nobody here can look into it, and its reader may all the same.
 *
 *     if (charset_is_foreign(bytes, SLICE("text/plain; charset=latin-1"))) … masks and guards have not seen it …
 *
 * A guess, which errs for who sends pictures, archives and documents: UTF-16 and UTF-32 by their mark, or by zeros at
 * every other byte; all else that is no UTF-8 where its type says text, or where nothing in it is a control.
 * Source: Unicode Standard, 23.8 (byte order mark); RFC 2046 4.1 (text/plain).
 */
#ifndef MOONGATE_WIRE_CHARSET_H
#define MOONGATE_WIRE_CHARSET_H

#include <stdbool.h>

#include "base/slice.h"

/* type: its Content-Type; empty: not said. */
bool charset_is_foreign(struct slice bytes, struct slice type);

#endif
