/*
 * Between the files that translate answers of Amazon's Converse API: converse_answers_read.c (events and whole
 * answers, as deltas) and converse_answers_failure.c. Nobody writes them.
 */
#ifndef MOONGATE_WIRE_CONVERSE_ANSWERS_H
#define MOONGATE_WIRE_CONVERSE_ANSWERS_H

#include "wire/translate/answers.h"

void converse_read_failure(const struct json_tape *tape, struct slice name, struct failure *failure,
                           struct arena *arena);

#endif
