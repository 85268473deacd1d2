#include "base/uuid.h"

#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hex.h"

void uuid_of(uint8_t bits[UUID_BYTES], uint64_t wall_ns, const uint8_t random[UUID_RANDOM_BYTES])
{
    uint64_t ms = wall_ns / NS_PER_MS;
    for (int i = 0; i < 6; i++)
        bits[i] = (uint8_t)(ms >> (40 - 8 * i));
    memcpy(bits + 6, random, UUID_RANDOM_BYTES);
    bits[6] = 0x70 | (bits[6] & 0x0F); /* version 7 */
    bits[8] = 0x80 | (bits[8] & 0x3F); /* variant 10 */
}

void uuid_make(uint8_t bits[UUID_BYTES], uint64_t wall_ns)
{
    uint8_t random[UUID_RANDOM_BYTES];
    check(getrandom(random, sizeof random, 0) == (ssize_t)sizeof random);
    uuid_of(bits, wall_ns, random);
}

/* By hand: an id is made for every request, and printf would take longer than all else there. */
void uuid_write(char text[UUID_TEXT_BYTES], const uint8_t bits[UUID_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *text++ = '-';
        *text++ = digits[bits[i] >> 4];
        *text++ = digits[bits[i] & 15];
    }
    *text = '\0';
}

bool uuid_read(struct slice text, uint8_t bits[UUID_BYTES])
{
    char digits[2 * UUID_BYTES];
    size_t count = 0;
    if (text.len != UUID_TEXT_BYTES - 1) return false;
    for (size_t i = 0; i < text.len; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash != (text.ptr[i] == '-')) return false;
        if (!is_dash) digits[count++] = text.ptr[i];
    }
    return hex_read(slice_of(digits, count), bits, UUID_BYTES);
}
