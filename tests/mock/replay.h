/*
 * Recorded answers of real providers, byte for byte.
 *
 *     struct replay *r = replay_open("../shared/recordings", &why);
 *     struct source *s = replay_answer(r, "openai/002-chat-stream", true);
 *
 * Reads manifest.json once and each response when it is asked for. Sends status, the kept headers and the body as
 * they were recorded; pieces are the whole body, or its events when `by_event`.
 */
#ifndef MOONGATE_MOCK_REPLAY_H
#define MOONGATE_MOCK_REPLAY_H

#include "base/fault.h"
#include "source.h"

struct replay;

struct replay *replay_open(const char *folder, struct fault *why);
void replay_free(struct replay *r); /* NULL is welcome */
/* NULL: no recording has this id, or its file cannot be read. r may be NULL. */
struct source *replay_answer(const struct replay *r, const char *id, bool by_event);

#endif
