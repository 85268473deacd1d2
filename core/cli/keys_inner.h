/*
 * What the commands about keys share.
 */
#ifndef MOONGATE_CLI_KEYS_INNER_H
#define MOONGATE_CLI_KEYS_INNER_H

#include "base/clock.h"
#include "cli/caller.h"
#include "cli/cli.h"
#include "cli/governing.h"

/* 2026-03-01, or "never". */
void keys_format_day(uint64_t seconds, char text[CLOCK_TEXT_BYTES]);
/* The secret and the id that a call answered with. */
void keys_take_made(const struct governed *g, struct key_made *made);
/* The new key on stdout, all else on stderr; wipes it. */
void keys_print_made(struct key_made *made, uint64_t expires_at);
/* How long a key may live on, at most LIMIT_KEY_LIFE_MS. False after a message, which ends with the cure. */
bool keys_read_life(const char *option, const char *text, const char *cure, uint64_t *ms);
/* True: there is one word, an id. Else a message was printed. */
bool keys_check_id(const char *id, size_t count);
/* The message, and its exit code. */
int keys_missing(const char *id);

#endif
