/* The inside of count.h: what a walk over a request finds, for the files core/wire/count*.c only. */
#ifndef MOONGATE_WIRE_COUNT_INNER_H
#define MOONGATE_WIRE_COUNT_INNER_H

#include "base/buf.h"
#include "wire/chat.h"
#include "wire/count.h"
#include "wire/tokens/counter.h"

/* What a text is of: each kind is summed apart, because rules treat them differently. */
enum text_part {
    TEXT_CONTENT, /* of messages, tool calls included; prompt and input */
    TEXT_ROLE,
    TEXT_NAME,
    TEXT_ROLE_NAME, /* a name that is its message's role */
    TEXT_TOOLS,     /* as they are told to the model; not in the body as such */
    TEXT_CHOICE,    /* the name of the tool that must be used */
    TEXT_SCHEMA,    /* of response_format */
    TEXT_PARTS
};

/* One text to be counted: a string of the body, or one that was made (node JSON_NONE: count->made). */
struct text {
    uint32_t node, message;
    enum text_part part;
};

struct picture {
    uint32_t width, height, message; /* width 0: not known */
    bool is_low;
};

/* What of a request is in one message. */
struct share {
    uint64_t tokens, role_name_tokens; /* in the first vocabulary of the set */
    uint32_t names, calls;
    bool has_unknown;
};

struct found {
    struct text *texts;
    size_t text_count, text_cap;
    struct picture *pictures;
    size_t picture_count, picture_cap;
    struct buf tools, schema; /* made texts */
    uint64_t ids;             /* tokens that were given as ids */
    uint64_t audio_bytes, file_bytes; /* that stand in the request, decoded */
    uint32_t messages, names, role_names, calls, tools_count;
    uint32_t implied; /* texts that are messages and stand in none */
    bool has_system, has_schema;
    bool has_choice, has_no_choice; /* of a tool by name; that none be used */
    bool has_unknown; /* audio, files, hosted tools: what they come to is not known */
};

/* Everything of a request that is counted, in order. found was zeroed. */
void count_find(const struct chat_request *r, struct found *found);
/* Calls and unknown parts of each message; shares has room for all messages. */
void count_find_shares(const struct chat_request *r, struct share *shares);
void found_clear(struct found *found);

/* Tools as the model is told of them, one by one into out. */
struct tools_text {
    const struct json_tape *tape;
    struct buf *out;
    struct arena arena; /* decoded texts, until the whole is made */
    uint32_t looks;     /* at names in "required" */
    uint32_t count;
};
void tools_text_init(struct tools_text *t, const struct json_tape *tape, struct buf *out);
void tools_text_add(struct tools_text *t, const struct chat_piece *tool);
/* How many there were; of none nothing is told. */
uint32_t tools_text_end(struct tools_text *t);
/* Pixels of a picture in a data: URL, or in base64 alone, from its header (PNG, JPEG, GIF, WebP); false: it does not
 * say. */
bool count_picture_size(struct slice url, uint32_t *width, uint32_t *height);

/* Is a text of so many bytes, as it stands in the body, one that a memo is asked about? */
bool count_remembers(const struct memo *memo, size_t bytes);

#endif
