/*
 * The form of an answer, where the target has no word for it: the system prompt says what is wanted, and nobody sees to
 * it that it is. The client's member is dropped.
 *
 *     if (!is_carried) hint_format(c, &w);         // behind conversation_take_turns(), before anything is written
 *
 * Of FORMAT_TEXT there is nothing to say. Holds nothing.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_HINT_H
#define MOONGATE_WIRE_TRANSLATE_HINT_H

#include "wire/translate/writing.h"

void hint_format(struct conversation *c, const struct writing *w);

#endif
