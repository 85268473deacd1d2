/*
 * A file that a batch is to be made of, a request a line: each is read as the same request would be if it came by
 * itself, since nobody is asked about it when the provider works through the file.
 *
 *     struct lines *lines = lines_new(r, text, arena);                 // of a request that lines_are_in()
 *     while ((state = lines_step(lines, bytes, &why)) == LINES_MORE) … // r->line_models, r->kept, r->uses
 *
 * A line is {"url": "/v1/chat/completions", "body": {…}}; without "url" its body says what it is: "messages", or
 * "prompt". What lines name, use and want is noted as the file's own: the models, each once, at most LIMIT_LINE_MODELS;
 * the objects that a provider keeps (wire/kept.h); what `uses` knows; and the one path that
 * all of them ask (kept_lines()). What is not for a batch has no lines.
 * The text is borrowed until the last step, all that is found is in the arena; between steps nothing else is held.
 * Source: OpenAI API reference, "The request input object" of batches; Together's, purpose "batch-api".
 */
#ifndef MOONGATE_EXCHANGE_LINES_H
#define MOONGATE_EXCHANGE_LINES_H

#include "wire/chat.h"

enum lines_state { LINES_MORE, LINES_READ, LINES_BAD };

struct lines;

/* Is r a file for a batch? */
bool lines_are_in(const struct chat_request *r);
/* text: of the file; without a pointer: it has none, which the first step says. r outlives it. */
struct lines *lines_new(struct chat_request *r, struct slice text, struct arena *arena);
/* Whole lines, of so many bytes or a little more. LINES_BAD: FAULT_BAD_BODY, naming the line. */
enum lines_state lines_step(struct lines *l, size_t bytes, struct fault *why);

#endif
