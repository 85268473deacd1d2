#include "wire/openai/openai_side.h"

#include "wire/members.h"

#define LISTENED_BYTES_A_SECOND 4000 /* 32 kbit/s, a low rate: most sound of that size is shorter */

/* What decides what is done, said or paid for; each may stand once, in this spelling. */
#define KEYS(X)                                                                                                        \
    X(MODEL, "model")                                                                                                  \
    X(PROMPT, "prompt")                                                                                                \
    X(INPUT, "input")                                                                                                  \
    X(INSTRUCTIONS, "instructions")                                                                                    \
    X(QUERY, "query")                                                                                                  \
    X(DOCUMENTS, "documents")                                                                                          \
    X(STREAM, "stream")                                                                                                \
    X(STREAM_FORMAT, "stream_format")                                                                                  \
    X(N, "n")                                                                                                          \
    X(SIZE, "size")                                                                                                    \
    X(QUALITY, "quality")                                                                                              \
    X(VOICE, "voice")                                                                                                  \
    X(TEMPERATURE, "temperature")                                                                                      \
    X(RESPONSE_FORMAT, "response_format")                                                                              \
    X(URL, "url")                                                                                                      \
    X(IMAGE, "image")                                                                                                  \
    X(IMAGES, "images")                                                                                                \
    X(MASK, "mask")                                                                                                    \
    X(PURPOSE, "purpose")                                                                                              \
    X(FILE, "file")                                                                                                    \
    X(INPUT_FILE_ID, "input_file_id")                                                                                  \
    X(ENDPOINT, "endpoint")                                                                                            \
    X(COMPLETION_WINDOW, "completion_window")                                                                          \
    X(USER, "user")                                                                                                    \
    X(SAFETY_IDENTIFIER, "safety_identifier")                                                                          \
    X(METADATA, "metadata")

enum key { KEYS(MEMBERS_KEY) KEYS_COUNT };
static const struct slice key_names[] = {KEYS(MEMBERS_NAME)};

/* Words of the format, and pictures. */
static const struct slice formats[] = {
    {"model", 5},         {"stream_format", 13},   {"size", 4},        {"quality", 7},        {"voice", 5},
    {"style", 5},         {"response_format", 15}, {"language", 8},    {"background", 10},    {"moderation", 10},
    {"output_format", 13}, {"input_fidelity", 14}, {"image", 5},       {"mask", 4},           {"images", 6},
    {"image[]", 7},       {"include", 7},          {"include[]", 9},   {"chunking_strategy", 17},
    {"purpose", 7},       {"input_file_id", 13},   {"endpoint", 8},    {"completion_window", 17}};

bool openai_is_side(enum chat_kind kind)
{
    return !chat_is_written(kind) && kind != CHAT_EMBEDDINGS;
}

static bool makes_images(enum chat_kind kind)
{
    return kind == CHAT_IMAGES || kind == CHAT_IMAGE_EDITS || kind == CHAT_IMAGE_VARIATIONS;
}

static bool listens(enum chat_kind kind)
{
    return kind == CHAT_TRANSCRIPTIONS || kind == CHAT_TRANSLATIONS;
}

static bool read_count(struct members *in)
{
    struct chat_request *r = in->r;
    int64_t n = 1;
    r->n_node = members_value(in, KEY_N);
    if (r->n_node != JSON_NONE && (!members_whole_number(&r->tape, r->n_node, &n) || n < 1 || n > UINT32_MAX))
        return members_refuse(in, KEY_N, "a whole number, 1 or more");
    if (!makes_images(r->kind)) return true;
    r->choices = r->generated = (uint32_t)n;
    r->pieces.images = n;
    return true;
}

static int64_t characters_of(struct members *in)
{
    uint32_t input = members_value(in, KEY_INPUT);
    if (!json_is(&in->r->tape, input, JSON_STRING)) return 0;
    struct slice text = json_text(&in->r->tape, input, in->arena);
    int64_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return count;
}

static void read_pieces(struct members *in)
{
    struct chat_request *r = in->r;
    uint64_t seconds = (r->attached.audio_bytes + LISTENED_BYTES_A_SECOND - 1) / LISTENED_BYTES_A_SECOND;
    if (r->kind == CHAT_SPEECH) r->pieces.characters = characters_of(in);
    if (r->kind == CHAT_RERANK) r->pieces.searches = 1;
    if (listens(r->kind)) r->pieces.seconds = seconds ? (int64_t)seconds : 1;
}

/* Of an answer that is sound its stream is asked for in another word. */
static bool read_stream(struct members *in)
{
    struct chat_request *r = in->r;
    uint32_t format = members_value(in, KEY_STREAM_FORMAT);
    if (!members_read_stream(in, KEY_STREAM)) return false;
    if (r->kind == CHAT_SPEECH && json_text_is(&r->tape, format, SLICE("sse"))) r->is_stream = true;
    return true;
}

static bool on_piece(void *arg, const struct chat_piece *piece)
{
    struct chat_request *r = arg;
    if (piece->kind == PIECE_PICTURE) r->uses |= CHAT_USES_IMAGES;
    return true;
}

static void read_uses(struct members *in)
{
    struct chat_request *r = in->r;
    if (r->kind == CHAT_FILES) r->uses |= CHAT_USES_FILES;
    bool has_picture = members_value(in, KEY_IMAGE) != JSON_NONE || members_value(in, KEY_IMAGES) != JSON_NONE;
    if (makes_images(r->kind) && (has_picture || r->kind != CHAT_IMAGES)) r->uses |= CHAT_USES_IMAGES;
    if (listens(r->kind) || r->kind == CHAT_SPEECH) r->uses |= CHAT_USES_AUDIO;
    openai_walk_side(r, on_piece, r);
}

/* Of what is no text here, such as a file of a form, nobody could say what a provider reads in it. */
static bool are_texts(struct members *in)
{
    static const unsigned texts[] = {KEY_PURPOSE, KEY_PROMPT, KEY_INSTRUCTIONS, KEY_INPUT};
    unsigned count = in->r->kind == CHAT_MODERATIONS || in->r->kind == CHAT_RERANK ? 0 : 4;
    for (unsigned i = 0; i < count; i++) {
        uint32_t node = members_value(in, texts[i]);
        if (node != JSON_NONE && !json_is(&in->r->tape, node, JSON_STRING))
            return members_refuse(in, texts[i], "a string");
    }
    return true;
}

static bool read_texts(struct members *in)
{
    struct chat_request *r = in->r;
    if (!are_texts(in)) return false;
    r->messages_node = r->kind == CHAT_MODERATIONS ? members_value(in, KEY_INPUT) : 0;
    r->user_node = in->nodes[KEY_USER];
    return members_read_hints(in, KEY_METADATA);
}

/* Providers have one of their own there, which no policy knows. */
static bool lacks_model(struct members *in)
{
    const struct chat_request *r = in->r;
    bool may_lack = r->kind == CHAT_MODERATIONS || makes_images(r->kind);
    if (!may_lack || r->is_model_apart || members_value(in, KEY_MODEL) != JSON_NONE) return false;
    fault_set(in->why, FAULT_BAD_BODY,
              "\"model\" is missing: name one that GET /v1/models lists; which one its provider would take nobody "
              "governs, and so there is none by default");
    return true;
}

bool openai_read_side(struct chat_request *r, struct arena *arena, struct fault *why)
{
    uint32_t nodes[KEYS_COUNT];
    struct members in = {
        .r = r, .arena = arena, .why = why, .names = key_names, .count = KEYS_COUNT, .nodes = nodes};
    if (!members_read(&in)) return false;
    uint32_t temperature = members_value(&in, KEY_TEMPERATURE);
    if (json_is(&r->tape, temperature, JSON_NUMBER)) r->temperature = json_to_double(&r->tape, temperature);
    if (lacks_model(&in) || !members_read_model(&in, KEY_MODEL)) return false;
    if (!read_stream(&in) || !read_count(&in) || !read_texts(&in)) return false;
    read_pieces(&in);
    read_uses(&in);
    return true;
}

/* ---- Its pieces. */

static bool tell(const struct json_tape *tape, uint32_t node, enum chat_piece_kind kind, chat_piece_fn fn, void *arg)
{
    struct chat_piece piece = {.kind = kind, .node = node, .message = CHAT_NO_MESSAGE};
    return !json_is(tape, node, JSON_STRING) || fn(arg, &piece);
}

/* {"type": "image_url", "image_url": {"url"}}, or a picture's URL as it stands. */
static bool tell_picture(const struct json_tape *tape, uint32_t image, chat_piece_fn fn, void *arg)
{
    if (json_is(tape, image, JSON_OBJECT)) image = json_get(tape, image, SLICE("url"));
    return tell(tape, image, PIECE_PICTURE, fn, arg);
}

static bool is_picture(const struct json_tape *tape, uint32_t node)
{
    return json_key_is(tape, node, SLICE("image_url")) || json_key_is(tape, node, SLICE("image"));
}

/* All texts in a value of whatever form; is_typed: "type" is the format's word there, and no text. */
static bool tell_texts(const struct json_tape *tape, uint32_t root, bool is_typed, chat_piece_fn fn, void *arg)
{
    if (root == JSON_NONE) return true;
    for (uint32_t n = root; n < json_after(tape, root);) {
        bool is_image = n != root && is_picture(tape, n);
        bool is_word = n != root && is_typed && json_key_is(tape, n, SLICE("type"));
        if (is_image && !tell_picture(tape, n, fn, arg)) return false;
        if (!is_image && !is_word && !tell(tape, n, PIECE_CONTENT, fn, arg)) return false;
        n = is_image ? json_after(tape, n) : n + 1;
    }
    return true;
}

static bool tell_member(const struct chat_request *r, struct slice name, chat_piece_fn fn, void *arg)
{
    return tell(&r->tape, json_get(&r->tape, 0, name), PIECE_CONTENT, fn, arg);
}

/* The question last: it is what the user asks. */
static bool walk_rerank(const struct chat_request *r, chat_piece_fn fn, void *arg)
{
    return tell_texts(&r->tape, json_get(&r->tape, 0, SLICE("documents")), false, fn, arg) &&
           tell_texts(&r->tape, json_get(&r->tape, 0, SLICE("query")), false, fn, arg);
}

/* Without a filename it is a text of the form's. */
static bool walk_file(const struct chat_request *r, chat_piece_fn fn, void *arg)
{
    uint32_t file = json_get(&r->tape, 0, SLICE("file"));
    return tell(&r->tape, file, PIECE_CONTENT, fn, arg) &&
           tell(&r->tape, json_get(&r->tape, file, SLICE("text")), PIECE_CONTENT, fn, arg);
}

bool openai_walk_side(const struct chat_request *r, chat_piece_fn fn, void *arg)
{
    const struct json_tape *tape = &r->tape;
    if (r->kind == CHAT_MODERATIONS) return tell_texts(tape, r->messages_node, true, fn, arg);
    if (r->kind == CHAT_RERANK) return walk_rerank(r, fn, arg);
    if (r->kind == CHAT_FILES) return walk_file(r, fn, arg);
    return tell_texts(tape, json_get(tape, 0, SLICE("images")), true, fn, arg) &&
           tell_member(r, SLICE("instructions"), fn, arg) && tell_member(r, SLICE("input"), fn, arg) &&
           tell_member(r, SLICE("prompt"), fn, arg);
}

/* What is asked to be ranked has names of its caller's own making; elsewhere nothing that is nested is a text. */
bool openai_is_side_format(const struct chat_request *r, uint32_t node)
{
    const struct json_tape *tape = &r->tape;
    if (r->kind == CHAT_MODERATIONS) return is_picture(tape, node) || json_key_is(tape, node, SLICE("type"));
    if (r->kind == CHAT_RERANK) return is_picture(tape, node);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (json_key_is(tape, node, formats[i])) return true;
    }
    return false;
}
