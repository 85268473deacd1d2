/*
 * What moongate must know of an OpenAI-style request body (chat, completions, embeddings), found once, by span.
 *
 *     struct chat_request r;
 *     chat_init(&r);
 *     if (!chat_parse(&r, body, CHAT_COMPLETIONS, arena, &why)) ...
 *     ... r.model, r.is_stream, chat_text_bytes(&r) ...
 *     chat_clear(&r);
 *
 * A second "model", "messages", "stream", "tools", "max_tokens" … key is refused, also when spelt with escapes, and so
 * is such a key in other letter case ("Model": some JSON readers take it for "model"): policy and provider might
 * otherwise read different values. The same holds for what policies read of each message. Everything else is the
 * provider's to judge, and unknown keys pass. Source: OpenAI API reference, POST /v1/chat/completions, /v1/completions,
 * /v1/embeddings.
 */
#ifndef MOONGATE_WIRE_CHAT_H
#define MOONGATE_WIRE_CHAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"
#include "wire/json.h"
#include "wire/splice.h"

enum chat_kind { CHAT_CHAT, CHAT_COMPLETIONS, CHAT_EMBEDDINGS };

enum chat_flag { CHAT_ABSENT, CHAT_FALSE, CHAT_TRUE };

/* What the request makes the model do, for policies' `uses`. */
enum chat_uses {
    CHAT_USES_TOOLS = 1,
    CHAT_USES_HOSTED_TOOLS = 2,
    CHAT_USES_REMOTE_MCP = 4,
    CHAT_USES_IMAGES = 8,
    CHAT_USES_FILES = 16,
    CHAT_USES_AUDIO = 32,
};

struct chat_request {
    struct json_tape tape;
    enum chat_kind kind;
    struct slice model;     /* decoded text, in the arena as all texts here */
    uint32_t messages_node; /* "messages"; of the other kinds "prompt" or "input" */
    uint32_t model_node, stream_node, stream_options_node, tools_node, metadata_node, user_node;
    uint32_t max_tokens_node; /* max_completion_tokens, else max_tokens */
    bool is_stream;
    enum chat_flag include_usage; /* stream_options.include_usage */
    int64_t max_tokens;           /* -1: not said */
    double temperature;           /* NaN: not said */
    uint32_t choices;             /* n; 1 when not said */
    uint32_t n_node;
    struct slice service_tier; /* decoded text; empty: not said, or no text */
    uint32_t message_count, tool_count;
    unsigned uses; /* of enum chat_uses */
    /* metadata.moongate, read as hints and cut out of what the provider sees; JSON_NONE when absent */
    uint32_t hints_node;
};

void chat_init(struct chat_request *r);
void chat_clear(struct chat_request *r);
/* The tape borrows body, and goes first; all texts of *r are in the arena. False: FAULT_BAD_JSON, or FAULT_BAD_BODY
 * naming the key and the cure. */
bool chat_parse(struct chat_request *r, struct slice body, enum chat_kind kind, struct arena *arena, struct fault *why);
/* Raw bytes of all text in messages, prompt or input: a measure, not a count of characters. Pictures, audio and files
 * count nothing; a token id counts 4, so that a quarter of it all is a rough number of tokens. */
uint64_t chat_text_bytes(const struct chat_request *r);
/* The next string behind `node` (JSON_NONE: the first) that reaches the provider as text: of messages, tools, tool calls,
 * prompt, input, user, metadata and all else but names of the format, pictures, audio and files. JSON_NONE at the end. */
uint32_t chat_next_text(const struct chat_request *r, uint32_t node);
/* The same, of what did not come with the application: messages whose role is neither "system" nor "developer"; of the
 * other kinds prompt and input. cursor->node is the string, false at the end. Starts at CHAT_CURSOR. */
struct chat_cursor {
    uint32_t node, message;
};
#define CHAT_CURSOR ((struct chat_cursor){JSON_NONE, JSON_NONE})
bool chat_next_outside(const struct chat_request *r, struct chat_cursor *cursor);
/* The last message with role "user": its text, text parts joined by a newline; of the other kinds the last string of
 * prompt or input. At most max bytes, cut at a character; empty when there is none. */
struct slice chat_last_user_text(const struct chat_request *r, size_t max_bytes, struct arena *arena);

/* Edits of what the provider will see; each adds what it needs to `edits`, or nothing when it is so already. */
void chat_edit_model(const struct chat_request *r, struct splice *edits, struct slice model);
/* stream_options.include_usage = true; only of use when r->is_stream. A stream_options that is neither object nor null
 * is left to the provider to refuse. */
void chat_edit_ask_usage(const struct chat_request *r, struct splice *edits);
/* Removes metadata.moongate, and metadata itself when nothing else was in it. */
void chat_edit_drop_hints(const struct chat_request *r, struct splice *edits);

#endif
