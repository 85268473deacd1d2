/*
 * Collects the head of one HTTP answer line by line and refuses what is not one.
 *
 *     switch (head_take(h, line, &why)) {
 *     case HEAD_BAD: …            why says what is wrong
 *     case HEAD_MORE: …           go on; interim (1xx) answers vanish here
 *     case HEAD_STATUS: …         the final status line: the provider has begun to answer
 *     case HEAD_DONE: …           head_get() is whole
 *     }
 *
 * RFC 9110 and RFC 9112, section 4 and 5: field names are tokens, values have no control characters, no folded lines
 * (5.2 lets a gateway answer 502), no two different Content-Lengths.
 * Bounds: LIMIT_RESPONSE_HEAD_BYTES over the final and all interim heads, LIMIT_RESPONSE_HEADERS_COUNT.
 */
#ifndef MOONGATE_NET_HEAD_H
#define MOONGATE_NET_HEAD_H

#include "base/fault.h"
#include "base/slice.h"
#include "net/fetch.h"

struct head_reader;

enum head_step { HEAD_BAD, HEAD_MORE, HEAD_STATUS, HEAD_DONE };

struct head_reader *head_new(void);
void head_free(struct head_reader *h);
/* Ready for another answer; keeps its memory. */
void head_reset(struct head_reader *h);
/* One line, with or without its line end; the empty line closes the head. */
enum head_step head_take(struct head_reader *h, struct slice line, struct fault *why);
/* After HEAD_DONE: valid until the next head_take(), head_reset() or head_free(). */
struct fetch_head head_get(struct head_reader *h);

/* A token of RFC 9110, section 5.6.2. */
bool head_is_token(struct slice s);
/* No control characters but the tab. */
bool head_is_value(struct slice s);

#endif
