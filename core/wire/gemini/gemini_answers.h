/*
 * Between the files that translate answers of Gemini's dialect: gemini_answers_read*.c (what its providers say),
 * gemini_answers_write*.c (what its clients are told) and gemini_answers_failure.c. The table of them all,
 * gemini_answers, stands in gemini_translate.c.
 */
#ifndef MOONGATE_WIRE_GEMINI_ANSWERS_H
#define MOONGATE_WIRE_GEMINI_ANSWERS_H

#include "wire/translate/answers.h"

#endif
