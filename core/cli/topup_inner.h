/*
 * What the commands about top-ups share.
 */
#ifndef MOONGATE_CLI_TOPUP_INNER_H
#define MOONGATE_CLI_TOPUP_INNER_H

#include <stdint.h>

#include "cli/cli.h"
#include "cli/period.h"
#include "cli/register.h"

/* "the end of 2026-11-27", "2026-11-27 18:00": in the zone; of what is not whole minutes the seconds, too. */
const char *topup_write_end(const struct period_zone *zone, int64_t at_s, char text[32]);
/* On stderr: what has not been reached. */
void topup_say_fleet(void);

#endif
