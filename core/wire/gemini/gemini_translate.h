/*
 * Gemini's half of the hub of translation (wire/translate/), of requests and of answers: the tables stand in
 * gemini_translate.c. Its clients' requests are read, and what they are told is written, by gemini_translate_read*.c
 * and gemini_answers_write*.c; requests for its providers are written, and what they say is read, by
 * gemini_translate_write*.c and gemini_answers_read*.c. gemini_answers.h is what answers are made of.
 */
#ifndef MOONGATE_WIRE_GEMINI_TRANSLATE_H
#define MOONGATE_WIRE_GEMINI_TRANSLATE_H

#include "wire/translate/reading.h"
#include "wire/translate/translate.h"
#include "wire/translate/writing.h"

extern const struct request_translation gemini_request_translation;

#endif
