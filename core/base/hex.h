/* Bytes as lower-case hexadecimal digits, and back. */
#ifndef MOONGATE_BASE_HEX_H
#define MOONGATE_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Writes 2 * len digits and a NUL. */
void hex_write(const uint8_t *bytes, size_t len, char *text);
/* Exactly 2 * len digits of either case; false otherwise. */
bool hex_read(struct slice text, uint8_t *bytes, size_t len);

#endif
