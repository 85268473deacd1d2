/*
 * Ids that sort by the time they were made: UUID version 7 (RFC 9562 5.7), 48 bits of milliseconds, then random.
 *
 *     uint8_t bits[UUID_BYTES];
 *     char text[UUID_TEXT_BYTES];
 *     uuid_make(bits, clock_wall_ns());
 *     uuid_write(text, bits);          // "019a3e0c-…"
 */
#ifndef MOONGATE_BASE_UUID_H
#define MOONGATE_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define UUID_BYTES 16
#define UUID_RANDOM_BYTES 10
#define UUID_TEXT_BYTES 37 /* with the NUL */

void uuid_make(uint8_t bits[UUID_BYTES], uint64_t wall_ns);
/* The same of random bytes at hand, for who makes many. */
void uuid_of(uint8_t bits[UUID_BYTES], uint64_t wall_ns, const uint8_t random[UUID_RANDOM_BYTES]);
/* False: it is none. */
bool uuid_read(struct slice text, uint8_t bits[UUID_BYTES]);
void uuid_write(char text[UUID_TEXT_BYTES], const uint8_t bits[UUID_BYTES]);

#endif
