/*
 * What an attempt is paid for beside the tokens that its provider reported: pictures, sound by its length, text read
 * aloud by its characters, searches of a rerank; and which of its tokens are those of pictures and sound.
 *
 *     pieces_sort(x, attempt);               // before usage_normalise(): all that was written there is pictures
 *     pieces_add(x, attempt, &parts);        // behind it: by the piece
 *
 * A piece counts where the target's price has a rate for one, and where nothing else says what it came to: then a price
 * without such a rate is incomplete, which the record shows. What the request asked for stands for what the provider
 * did not say; a length of sound is then a guess by its size (is_estimated).
 */
#ifndef MOONGATE_EXCHANGE_PIECES_H
#define MOONGATE_EXCHANGE_PIECES_H

#include "exchange/exchange.h"

/* Into attempt->usage, where the report does not tell them apart and the price does. */
void pieces_sort(const struct exchange *x, struct attempt *attempt);
void pieces_add(const struct exchange *x, const struct attempt *attempt, struct usage_parts *parts);
/* The part that its input counts as when nobody has said what it was. */
enum usage_part pieces_input(const struct exchange *x, const struct attempt *attempt);

#endif
