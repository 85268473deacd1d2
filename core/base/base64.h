/* base64url without padding (RFC 4648 5, as RFC 7515 2 uses it), read strictly: each text has one decoding and each
 * run of bytes one text, so that what was signed cannot be written in a second way. */
#ifndef MOONGATE_BASE_BASE64_H
#define MOONGATE_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* The usual one, padded (RFC 4648 4), as strictly. Writes *len bytes, at most BASE64_BYTES_MAX(text.len). */
#define BASE64_BYTES_MAX(len) ((len) / 4 * 3)
bool base64_read(struct slice text, uint8_t *bytes, size_t *len);

/* Bytes that a text of that length stands for. */
#define BASE64URL_BYTES(len) ((len) / 4 * 3 + ((len) % 4 ? (len) % 4 - 1 : 0))

/* Writes BASE64URL_BYTES(text.len) bytes. False, with some of them written, for another alphabet, padding, white
 * space, a length that no bytes have, or spare bits that are not zero. */
bool base64url_read(struct slice text, uint8_t *bytes);
/* Appends the one text of these bytes. */
void base64url_append(struct slice bytes, struct buf *out);

#endif
