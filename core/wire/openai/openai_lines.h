/*
 * A file that a batch is to be made of: a request a line, each read as its path reads it, before the file is kept
 * anywhere: nobody is asked about them when the provider works through it.
 *
 *     if (!openai_read_lines(r, purpose, file, arena, &why)) …    // r->line_models, r->kept, r->uses
 *
 * Each line is a JSON object with the "url" of one of OpenAI's paths, and a "body" that could be sent there: its model
 * is noted, at most LIMIT_LINE_MODELS of them, the objects that it names (wire/kept.h), and what it makes the model do.
 * What is not for a batch has no such lines, and nothing is looked for in it.
 * Source: OpenAI API reference, "The request input object" of batches.
 */
#ifndef MOONGATE_WIRE_OPENAI_LINES_H
#define MOONGATE_WIRE_OPENAI_LINES_H

#include "wire/chat.h"

/* purpose, file: of r's tape, or JSON_NONE. False: FAULT_BAD_BODY, naming the line. */
bool openai_read_lines(struct chat_request *r, uint32_t purpose, uint32_t file, struct arena *arena, struct fault *why);

#endif
