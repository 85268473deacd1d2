/*
 * Between the files of the dialect of Amazon Bedrock's Converse API, which providers alone speak: dialect_converse.c
 * (the table), converse_answer.c (what is said), converse_translate.h and converse_answers.h (from and to other
 * dialects).
 */
#ifndef MOONGATE_WIRE_CONVERSE_INNER_H
#define MOONGATE_WIRE_CONVERSE_INNER_H

#include "wire/dialect.h"

/* As wire/dialect.h says. Events have the names of its binary stream: ":event-type", or ":exception-type". */
void converse_read_body(struct said_reader *reader, struct dialect_stream *stream, struct slice body,
                        struct said *said);
void converse_read_event(struct said_reader *reader, struct dialect_stream *stream, struct slice name,
                         struct slice data, struct said *said);
enum dialect_end converse_judge_end(const struct dialect_stream *stream);

#endif
