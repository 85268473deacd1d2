/*
 * A request that asks a model for something, read once: what moongate must know of it, by span, in whatever dialect.
 *
 *     struct chat_request r;
 *     chat_init(&r);
 *     if (!chat_parse(&r, dialect, body, CHAT_COMPLETIONS, arena, &why)) ...
 *     ... r.model, r.is_stream, chat_text_bytes(&r) ...
 *     chat_clear(&r);
 *
 * How its dialect writes requests (wire/dialect.h) is known to that dialect alone: who counts, scans, quotes or edits
 * asks here. A member that decides what a request costs, may do or says is refused when it stands twice: policy and
 * provider might otherwise read different values. All else is the provider's to judge, and what is unknown passes.
 */
#ifndef MOONGATE_WIRE_CHAT_H
#define MOONGATE_WIRE_CHAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"
#include "wire/json.h"
#include "wire/kept.h"
#include "wire/splice.h"

struct dialect; /* wire/dialect.h */

enum chat_kind {
    CHAT_CHAT,
    CHAT_COMPLETIONS,
    CHAT_EMBEDDINGS,
    CHAT_COUNT,   /* how many tokens would this chat be? Nothing is generated */
    CHAT_COMPACT, /* a shorter one that stands for it */
    CHAT_MODERATIONS,
    CHAT_RERANK,
    CHAT_IMAGES, /* pictures are made of a text */
    CHAT_IMAGE_EDITS,
    CHAT_IMAGE_VARIATIONS,
    CHAT_SPEECH,         /* a text is read aloud */
    CHAT_TRANSCRIPTIONS, /* and the reverse */
    CHAT_TRANSLATIONS,   /* into English */
    CHAT_FILES,          /* a file is kept by a provider; no model is asked */
    CHAT_BATCHES,        /* such a file's requests are made, some time later */
    CHAT_CONVERSATIONS,  /* items are kept by a provider, for chats that go on with them */
};
#define CHAT_KINDS (CHAT_CONVERSATIONS + 1)

enum chat_flag { CHAT_ABSENT, CHAT_FALSE, CHAT_TRUE };

/* What the request makes the model do, for policies' `uses`. */
enum chat_uses {
    CHAT_USES_TOOLS = 1,
    CHAT_USES_HOSTED_TOOLS = 2,
    CHAT_USES_REMOTE_MCP = 4,
    CHAT_USES_IMAGES = 8,
    CHAT_USES_FILES = 16,
    CHAT_USES_AUDIO = 32,
    /* it asks for writes into the provider's cache: "cache_control" or "prompt_cache_breakpoint", wherever it stands */
    CHAT_USES_CACHING = 64,
    /* objects that the provider keeps: what is in them, also what was said before, nobody here has seen */
    CHAT_USES_STORED = 128,
};

#define CHAT_THINKING_TOKENS_MIN 1024 /* the least that can be asked for */

/* The nodes behind one, up to another. */
struct chat_span {
    uint32_t node, after;
    bool is_unknown; /* it may be a format's that nobody here knows: what it names is looked up as elsewhere */
};

/* What a request asks for that may be paid for by the piece; 0: nothing of that. */
struct chat_pieces {
    int64_t images, characters, searches;
    int64_t seconds; /* of sound, at a guess by its size: its own length is the provider's to say */
    /* What its provider may do of itself, as far as the request bounds it, else once: nothing is billed by them. */
    int64_t may_search; /* the web */
    int64_t may_call;   /* other tools that it runs and charges for */
};

/* What came beside the body's texts, in parts of a form: nobody looks into it. */
struct chat_attached {
    uint64_t audio_bytes;
    uint32_t pictures;
    bool has_foreign_text; /* a file is a text in an encoding that nobody reads here (wire/charset.h) */
};

struct chat_request {
    struct json_tape tape;
    const struct dialect *dialect; /* whose request it is; NULL before chat_parse() */
    enum chat_kind kind;
    struct slice model;     /* decoded text, in the arena as all texts here */
    bool is_model_apart;    /* it is not the body's, which may say another, or none */
    /* Of messages the list; of the other kinds prompt or input; 0, the root, where several members hold texts. */
    uint32_t messages_node;
    uint32_t system_node;   /* the system prompt, where it stands beside the messages */
    uint32_t model_node, stream_node, stream_options_node, tools_node, metadata_node, user_node;
    uint32_t max_tokens_node;
    bool is_stream;
    enum chat_flag include_usage; /* does the client ask for usage in the stream? */
    enum chat_flag include_thoughts; /* … for what is thought? ABSENT: its dialect does not ask */
    int64_t max_tokens;           /* -1: not said, or 0 of a chat, which some servers read so */
    int64_t thinking_tokens;      /* how much of those may be thought, where that is said apart; -1: it is not */
    double temperature;           /* NaN: not said */
    uint32_t choices;             /* how many answers: n, 1 when not said, to each prompt */
    uint32_t generated;           /* how many are made, and paid for: best_of where that is more */
    uint32_t n_node;
    struct chat_pieces pieces;
    /* Of a file that a batch is to be made of: the models that its lines name (exchange/lines.h); in the arena. */
    struct slice *line_models;
    uint32_t line_model_count;
    struct slice lines_endpoint; /* … and the one path that they all ask; empty: it has none. Static. */
    struct chat_attached attached; /* who collected it says so, before chat_parse(), which keeps it */
    struct slice service_tier; /* decoded text, of Anthropic's with its speed and place; empty: not said, or no text */
    uint32_t message_count, tool_count;
    unsigned uses; /* of enum chat_uses */
    /* metadata.moongate, read as hints and cut out of what the provider sees; JSON_NONE when absent */
    uint32_t hints_node;
    /* Values inside messages in which no name is the format's, such as a tool's input; in order, apart; in the arena */
    struct chat_span *free;
    uint32_t free_count;
    /* What the application says with a caller's values in it, of a prompt that was filled: messages, and the system
     * prompt or the first block of it; in the arena. Nodes of the tape, so only chat_read_indexed() keeps them. */
    uint32_t *holes;
    uint32_t hole_count;
    /* Objects that the provider keeps and the request names, each once; in the arena. */
    struct kept_object *kept;
    uint32_t kept_count;
};

void chat_init(struct chat_request *r);
void chat_clear(struct chat_request *r);
/* The tape borrows body, and goes first; all texts of *r are in the arena. False: FAULT_BAD_JSON, or FAULT_BAD_BODY
 * naming the key and the cure. */
bool chat_parse(struct chat_request *r, const struct dialect *dialect, struct slice body, enum chat_kind kind,
                struct arena *arena, struct fault *why);
/* The same of one whose model something else says, its path: what the body says of it does not count. `model` is
 * borrowed for as long as r; empty: it is the body's. */
bool chat_parse_for(struct chat_request *r, const struct dialect *dialect, struct slice body, enum chat_kind kind,
                    struct slice model, struct arena *arena, struct fault *why);

/* The same of one whose tape was made before, by json_parse(): it is the body's. */
bool chat_read_indexed(struct chat_request *r, const struct dialect *dialect, enum chat_kind kind, struct slice model,
                       struct arena *arena, struct fault *why);

/* Who speaks in a message. */
enum chat_role {
    CHAT_ROLE_OTHER,
    CHAT_ROLE_APPLICATION, /* what came with the application: its system prompt */
    CHAT_ROLE_USER,
};

enum chat_piece_kind {
    /* texts: node is a string */
    PIECE_ROLE,
    PIECE_NAME, /* of who speaks */
    PIECE_CONTENT,
    PIECE_REFUSAL,
    PIECE_REASONING,
    PIECE_CALL_TEXT, /* a tool call's name, arguments, input; a file's name */
    /* all else */
    PIECE_CALL_JSON, /* node: the same, or what a tool gave back, an object: its JSON is what is read */
    PIECE_MESSAGE, /* one begins */
    PIECE_IMPLIED, /* the text that follows is one, though it stands in none */
    PIECE_PART,    /* a part of its content begins */
    PIECE_CALL,    /* a tool call begins */
    PIECE_PICTURE, /* node: its URL; JSON_NONE: it has none */
    PIECE_AUDIO,   /* node: base64, a string */
    PIECE_FILE,    /* node: base64, a string */
    PIECE_ELSEWHERE, /* something that the provider keeps is meant: what it comes to is not known */
    PIECE_IDS,     /* tokens that were given as numbers */
    PIECE_TOOL,    /* node: all of it */
    PIECE_CHOICE,  /* of a tool, that the model must use: name; JSON_NONE: it may use none */
    PIECE_SCHEMA,  /* node: what the answer has to fit */
};

#define CHAT_NO_MESSAGE UINT32_MAX

/* What a model calls the bound of its answers; it refuses the other name, or passes over it. */
enum chat_limit {
    CHAT_LIMIT_ANY,        /* takes both */
    CHAT_LIMIT_TOKENS,     /* "max_tokens" */
    CHAT_LIMIT_COMPLETION, /* "max_completion_tokens" */
};

/* What stands somewhere in a request for a model to read. */
struct chat_piece {
    enum chat_piece_kind kind;
    uint32_t node;
    uint32_t message;    /* its message's number; CHAT_NO_MESSAGE: it is in none */
    const char *twice;   /* MESSAGE, PART: the member that may stand once, and does not; NULL: there is none */
    enum chat_role role; /* MESSAGE, IMPLIED; of CONTENT that is in none: who speaks */
    bool is_result;      /* CONTENT: what a tool gave back, and nobody said */
    unsigned uses;       /* MESSAGE, PART: of enum chat_uses */
    bool is_unknown;     /* PART: of a kind that nobody counts; CALL_JSON: in no member that is the callers' own */
    bool is_role;        /* NAME: it is the role's word */
    bool is_low;         /* PICTURE: few details are asked for */
    uint32_t count;      /* IDS */
    bool is_declared;    /* TOOL: a function, described by what follows; else its own JSON says what it is */
    uint32_t name, description, parameters;
};

/* False: that is enough. */
typedef bool (*chat_piece_fn)(void *arg, const struct chat_piece *piece);

static inline bool chat_has_messages(const struct chat_request *r)
{
    return r->kind == CHAT_CHAT || r->kind == CHAT_COUNT || r->kind == CHAT_COMPACT || r->kind == CHAT_CONVERSATIONS;
}

/* Is the answer a text of the model's? Else it is pictures, sound, scores, vectors. */
static inline bool chat_is_written(enum chat_kind kind)
{
    return kind == CHAT_CHAT || kind == CHAT_COMPLETIONS || kind == CHAT_COUNT || kind == CHAT_COMPACT;
}

/* Does what goes to a provider name a model? */
static inline bool chat_names_model(enum chat_kind kind)
{
    return kind != CHAT_FILES && kind != CHAT_BATCHES && kind != CHAT_CONVERSATIONS;
}

/* Every piece in order: the system prompt that stands in no message; messages, prompt or input; then tools; then the
 * schema. False when fn did. */
bool chat_walk(const struct chat_request *r, chat_piece_fn fn, void *arg);

/* Raw bytes of all text in messages, system prompt, prompt or input: a measure, not a count of characters. Pictures,
 * audio and files count nothing; a token id counts 4, so that a quarter of it all is a rough number of tokens. */
uint64_t chat_text_bytes(const struct chat_request *r);
/* What may be thought of an answer of so many tokens: as said, or half of it where an answer would not fit beside; 0:
 * too few are left to think at all. -1: not said. Source: Anthropic API reference, "Extended thinking": at least 1,024,
 * and below max_tokens. */
int64_t chat_thinking_within(const struct chat_request *r, int64_t max_tokens);
/* The next string behind `node` (JSON_NONE: the first) that reaches the provider as text, known to chat_walk() or not:
 * of messages, tools, tool calls, prompt, input, user, metadata and all else but names of the format, pictures, audio
 * and files. JSON_NONE at the end. */
uint32_t chat_next_text(const struct chat_request *r, uint32_t node);
/* The same; but values of the callers' own making, such as a tool's input, come whole: objects and arrays that are not
 * empty, whose JSON is one text, member names and numbers in it too. Starts at CHAT_READING; takes time in proportion
 * to the request. */
struct chat_reading {
    uint32_t behind; /* the next node to be looked at */
    uint32_t value;  /* number of the next value in r->free */
};
#define CHAT_READING ((struct chat_reading){1, 0})
uint32_t chat_next_reading(const struct chat_request *r, struct chat_reading *at);
/* The same of what did not come with the application: first r->holes, since a caller's words stand there in the
 * application's voice; then messages of other roles than that; of the other kinds prompt and input. cursor->node is the
 * string or value, false at the end. Starts at CHAT_CURSOR. */
struct chat_cursor {
    uint32_t node, message;
    uint32_t outside; /* a message of another role than that: it is judged once */
    struct chat_reading reading;
    uint32_t hole;              /* number of the next in r->holes */
    struct chat_reading inside; /* of it; behind 0: not yet begun */
};
#define CHAT_CURSOR ((struct chat_cursor){JSON_NONE, JSON_NONE, JSON_NONE, CHAT_READING, 0, {0, 0}})
/* What who reads a request reads of such a node: a string's text, decoded, in the arena where that takes memory; of a
 * value its JSON. */
struct slice chat_read(const struct chat_request *r, uint32_t node, struct arena *arena);
bool chat_next_outside(const struct chat_request *r, struct chat_cursor *cursor);
/* The last message of the user: its text, text parts joined by a newline, and so are those of r->holes behind it; of
 * the other kinds the last string of prompt or input. At most max bytes, cut at a character; empty: there is none. */
struct slice chat_last_user_text(const struct chat_request *r, size_t max_bytes, struct arena *arena);

/* Edits of what the provider will see; each adds what it needs to `edits`, or nothing when it is so already. */
void chat_edit_model(const struct chat_request *r, struct splice *edits, struct slice model);
/* The stream is to report usage; only of use when r->is_stream. */
void chat_edit_ask_usage(const struct chat_request *r, struct splice *edits);
/* Removes metadata.moongate, and metadata itself when nothing else was in it. */
void chat_edit_drop_hints(const struct chat_request *r, struct splice *edits);
/* What a policy calls `name` becomes that JSON, which replaces what stood there; empty: it goes. Of what the dialect
 * has no word for nothing is written. "max_tokens" is written as the target calls it, and where that takes both names,
 * as the caller did. */
void chat_edit_member(const struct chat_request *r, struct splice *edits, enum chat_limit limit, struct slice name,
                      struct slice json);
/* The caller's own bound of the answer, under the name that the target takes: who passes over the other would answer at
 * any length. Not beside a chat_edit_member() of "max_tokens". */
void chat_edit_limit_name(const struct chat_request *r, struct splice *edits, enum chat_limit limit);

#endif
