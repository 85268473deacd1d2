/*
 * Requests of the OpenAI API, and of those that are asked like it, whose answer is no text of a model's: moderations,
 * rerank, images, speech, transcriptions; and files and batches, which ask no model at all. Parts of a form stand here
 * as the members of one object (wire/form.h).
 *
 *     if (openai_is_side(r->kind)) return openai_read_side(r, arena, why);
 *
 * Source: OpenAI API reference, POST /v1/moderations, /v1/images/generations, edits and variations, /v1/audio/speech,
 * transcriptions and translations, /v1/files, /v1/batches; rerank of Cohere (v1, v2), Jina and vLLM: "query",
 * "documents", "top_n".
 * For the dialect's own files alone; holds nothing.
 */
#ifndef MOONGATE_WIRE_OPENAI_SIDE_H
#define MOONGATE_WIRE_OPENAI_SIDE_H

#include "wire/chat.h"

/* Is a request of that kind read here? */
bool openai_is_side(enum chat_kind kind);
/* As wire/dialect.h says of read_request, walk and is_format. */
bool openai_read_side(struct chat_request *r, struct arena *arena, struct fault *why);
bool openai_walk_side(const struct chat_request *r, chat_piece_fn fn, void *arg);
bool openai_is_side_format(const struct chat_request *r, uint32_t node);

#endif
