/*
 * A text without what a data URL (RFC 2397) in it holds in base64: pictures that a model gives out inside of its text,
 * which no tokenizer has made.
 *
 *     struct data_url d = {0};                      // one a text; it may come in pieces
 *     struct slice part;
 *     while (data_url_next(&d, &text, &part)) …     // each run that is text, in order
 *
 * The first DATA_URL_TEXT_BYTES of the base64 are text: as much a model may have written about such URLs.
 */
#ifndef MOONGATE_WIRE_DATA_URL_H
#define MOONGATE_WIRE_DATA_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

#define DATA_URL_TEXT_BYTES 64

struct data_url {
    unsigned matched; /* bytes of ";base64," that stand before */
    unsigned seen;    /* 1 + bytes of the base64 so far, no further than to where it is text; 0: not inside of it */
};

/* Moves *text behind what it gives. False: there is no more. */
bool data_url_next(struct data_url *d, struct slice *text, struct slice *part);

#endif
