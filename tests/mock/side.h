/*
 * Answers of the APIs beside chats: moderations, rerank, images, speech, transcriptions; whole, as bytes, as events.
 *
 *     struct source *s = side_answer(path, json, &script);    // NULL: another API's path
 *
 * Of models whose names begin with "gpt-" usage is reported in tokens, of others by the piece or not at all: "dall-e"
 * says nothing, "whisper" the seconds, "rerank" Cohere's search units, any other model that ranks its tokens.
 */
#ifndef MOONGATE_MOCK_SIDE_H
#define MOONGATE_MOCK_SIDE_H

#include <jansson.h>

#include "script.h"
#include "source.h"

/* A second of sound for so many bytes of a file. */
#define SIDE_BYTES_A_SECOND 1000u

/* Those that name no model: files, batches. */
struct source *side_kept(struct slice path, const json_t *body);
struct source *side_answer(struct slice path, const json_t *body, const struct script *script);

#endif
