/* Durations and sizes as operators write them: "30s", "200ms", "1h", "32MB". Without a unit they are refused. */
#ifndef MOONGATE_SERVER_UNITS_H
#define MOONGATE_SERVER_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* ms, s, m, h, d; whole numbers or decimals ("1.5s") that come out in whole milliseconds. */
bool units_duration(struct slice text, uint64_t *ms);
/* B, KB, MB, GB, also KiB, MiB, GiB: always powers of 1024. */
bool units_size(struct slice text, uint64_t *bytes);
/* "30s", "1500ms": the largest unit that divides it. */
void units_print_duration(uint64_t ms, char *text, unsigned size);
void units_print_size(uint64_t bytes, char *text, unsigned size);

#endif
