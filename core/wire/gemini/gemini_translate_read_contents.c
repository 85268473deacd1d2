/* System prompt and contents of Gemini's API, into the hub. Source: Gemini API reference, Content and Part; "Thought
 * signatures". */
#include "base/limits.h"
#include "wire/gemini/gemini_reading.h"
#include "wire/gemini/gemini_signature.h"

/* A call that nothing answers yet. */
struct unanswered {
    struct part *call;
    bool has_id; /* its client gave it one */
    struct unanswered *next;
};

struct contents {
    struct reading *in;
    enum speaker speaker; /* of the content that is read */
    struct part_list *list;
    struct part *open;    /* what a model said, or thought, and may go on with; NULL: nothing */
    struct buf text;      /* of that so far, inside of a JSON string */
    struct unanswered *calls; /* in order */
    uint32_t waiting, made;   /* made: ids */
};

/* --- what a model said and thought --- */

/* Clients that were told a stream send its pieces back one by one: they are one text, as they were. */
static void close_text(struct contents *c)
{
    if (!c->open) return;
    c->open->text = arena_printf(c->in->c->arena, "\"%.*s\"", SLICE_FMT(buf_slice(&c->text)));
    c->open = NULL;
    buf_reset(&c->text);
}

static bool open_text(struct contents *c, enum part_kind kind)
{
    if (c->open && c->open->kind == kind) return reading_counts(c->in);
    close_text(c);
    c->open = reading_add_part(c->in, c->list, kind);
    return c->open != NULL;
}

static bool say(struct contents *c, enum part_kind kind, struct slice raw)
{
    if (raw.len <= 2) return reading_counts(c->in);
    if (!open_text(c, kind)) return false;
    buf_append(&c->text, reading_inside(raw));
    return true;
}

/* Behind its signature nothing more comes of a thought. */
static bool sign(struct contents *c, struct slice signature)
{
    if (!open_text(c, PART_REASONING)) return false;
    c->open->signature = signature;
    close_text(c);
    return true;
}

static bool add_redacted(struct contents *c, struct slice data)
{
    close_text(c);
    struct part *p = reading_add_part(c->in, c->list, PART_REASONING);
    if (!p) return false;
    p->is_redacted = true;
    p->text = data;
    return true;
}

/* What another provider has signed is of no use here, and neither is what it says of that. */
static bool think(struct contents *c, struct slice text, struct slice signature)
{
    struct slice inner;
    switch (gemini_signature_read(signature, c->in->c->arena, &inner)) {
    case GEMINI_UNSIGNED: return say(c, PART_REASONING, text);
    case GEMINI_FOREIGN:
        close_text(c);
        reading_drop(c->in, SLICE(""));
        return reading_counts(c->in);
    case GEMINI_REDACTED: return add_redacted(c, inner);
    case GEMINI_SIGNED: break;
    }
    return say(c, PART_REASONING, text) && sign(c, inner);
}

/* --- calls and results --- */

#define UNANSWERED_MAX 1024u

static struct slice made_id(struct contents *c)
{
    return arena_printf(c->in->c->arena, "\"call_%u\"", ++c->made);
}

static bool remember(struct contents *c, struct part *call, bool has_id)
{
    if (c->waiting++ == UNANSWERED_MAX)
        return reading_refuse(c->in, "more than %u calls of tools are unanswered", UNANSWERED_MAX);
    struct unanswered **end = &c->calls;
    while (*end)
        end = &(*end)->next;
    *end = arena_zalloc(c->in->c->arena, sizeof **end);
    **end = (struct unanswered){.call = call, .has_id = has_id};
    return true;
}

static bool read_call(struct contents *c, uint32_t node)
{
    static const struct gemini_name names[] = {
        {{"id", 2}, {"id", 2}}, {{"name", 4}, {"name", 4}}, {{"args", 4}, {"args", 4}}};
    struct reading *in = c->in;
    uint32_t at[3];
    struct slice id;
    close_text(c);
    in->place.leaf = "functionCall";
    if (!gemini_read_members(in, node, names, 3, at) || !reading_string(in, at[0], "id", &id)) return false;
    if (!json_is(in->tape, at[1], JSON_STRING)) return reading_refuse(in, "\"name\" must be a string");
    if (at[2] != JSON_NONE && !json_is(in->tape, at[2], JSON_OBJECT))
        return reading_refuse(in, "\"args\" must be an object");
    struct part *call = reading_add_part(in, c->list, PART_CALL);
    if (!call) return false;
    call->id = id.len > 2 ? id : made_id(c);
    call->name = json_raw(in->tape, at[1]);
    call->text = at[2] == JSON_NONE ? SLICE("{}") : json_raw(in->tape, at[2]);
    in->place.leaf = NULL;
    return remember(c, call, id.len > 2);
}

static bool is_answered_by(const struct unanswered *u, struct slice id, struct slice name)
{
    if (id.len > 2 && u->has_id) return slice_equal(id, u->call->id);
    return slice_equal(name, u->call->name);
}

/* By its id; where one of both has none the first of that name. NULL: there is none. */
static struct part *take_call(struct contents *c, struct slice id, struct slice name)
{
    for (struct unanswered **u = &c->calls; *u; u = &(*u)->next) {
        if (!is_answered_by(*u, id, name)) continue;
        struct part *call = (*u)->call;
        *u = (*u)->next;
        c->waiting--;
        return call;
    }
    return NULL;
}

/* An id that no call has is the provider's to judge. */
static bool read_result(struct contents *c, uint32_t node)
{
    static const struct gemini_name names[] = {{{"id", 2}, {"id", 2}},
                                               {{"name", 4}, {"name", 4}},
                                               {{"response", 8}, {"response", 8}},
                                               {{"parts", 5}, {"parts", 5}}};
    struct reading *in = c->in;
    uint32_t at[4];
    struct slice id, name;
    in->place.leaf = "functionResponse";
    if (!gemini_read_members(in, node, names, 4, at) || !reading_string(in, at[0], "id", &id) ||
        !reading_string(in, at[1], "name", &name))
        return false;
    struct part *call = take_call(c, id, name);
    if (!call && id.len <= 2)
        return reading_refuse(in, "no \"functionCall\" of this \"name\" is unanswered in front of it");
    struct part *result = reading_add_part(in, c->list, PART_RESULT);
    if (!result) return false;
    result->id = call ? call->id : id;
    return gemini_read_response(in, at[2], at[3], result);
}

/* --- parts --- */

enum {
    TEXT,
    BYTES,
    FILE_DATA,
    CALL,
    RESULT,
    CODE,
    CODE_RESULT,
    TOOL_CALL,
    TOOL_RESULT,
    THOUGHT,
    SIGNATURE,
    PART_MEMBERS
};
#define KINDS THOUGHT
static const struct gemini_name part_names[PART_MEMBERS] = {
    [TEXT] = {{"text", 4}, {"text", 4}},
    [BYTES] = {{"inlineData", 10}, {"inline_data", 11}},
    [FILE_DATA] = {{"fileData", 8}, {"file_data", 9}},
    [CALL] = {{"functionCall", 12}, {"function_call", 13}},
    [RESULT] = {{"functionResponse", 16}, {"function_response", 17}},
    [CODE] = {{"executableCode", 14}, {"executable_code", 15}},
    [CODE_RESULT] = {{"codeExecutionResult", 19}, {"code_execution_result", 21}},
    [TOOL_CALL] = {{"toolCall", 8}, {"tool_call", 9}},
    [TOOL_RESULT] = {{"toolResponse", 12}, {"tool_response", 13}},
    [THOUGHT] = {{"thought", 7}, {"thought", 7}},
    [SIGNATURE] = {{"thoughtSignature", 16}, {"thought_signature", 17}},
};

/* What tools of the provider's own did and gave back; nobody else has them. */
static bool skip(struct contents *c, int kind)
{
    reading_drop(c->in, part_names[kind].name);
    return reading_counts(c->in);
}

static bool read_kind(struct contents *c, int kind, uint32_t node)
{
    bool is_model = c->speaker == SPEAKER_ASSISTANT;
    switch (kind) {
    case TEXT:
        if (!is_model) return gemini_read_text(c->in, node, c->list);
        struct slice raw;
        return reading_string(c->in, node, "text", &raw) && say(c, PART_TEXT, raw);
    case BYTES: return gemini_read_bytes(c->in, node, c->list);
    case FILE_DATA: return gemini_read_file(c->in, node, c->list);
    case CALL: return read_call(c, node);
    case RESULT: return read_result(c, node);
    }
    return skip(c, kind);
}

/* A signature of Google's own on what is no thought; one of ours stands on thoughts alone. */
static void drop_signature(const struct contents *c, struct slice signature)
{
    struct slice inner;
    if (gemini_signature_read(signature, c->in->c->arena, &inner) != GEMINI_UNSIGNED)
        reading_drop(c->in, part_names[SIGNATURE].name);
}

/* The one of its members that says what it is; KINDS: none does. False: refused, for several do. */
static bool find_kind(const struct contents *c, const uint32_t at[PART_MEMBERS], int *kind)
{
    *kind = KINDS;
    for (int m = 0; m < KINDS; m++) {
        if (at[m] == JSON_NONE) continue;
        if (*kind != KINDS)
            return reading_refuse(c->in, "a part must have one of \"%s\" and \"%s\"", part_names[*kind].name.ptr,
                                  part_names[m].name.ptr);
        *kind = m;
    }
    return true;
}

static bool read_part(struct contents *c, uint32_t node)
{
    uint32_t at[PART_MEMBERS];
    struct reading *in = c->in;
    struct slice text, signature;
    int kind;
    if (json_is(in->tape, node, JSON_STRING)) return read_kind(c, TEXT, node);
    if (!json_is(in->tape, node, JSON_OBJECT)) return reading_refuse(in, "must be an object");
    if (!gemini_read_members(in, node, part_names, PART_MEMBERS, at) || !find_kind(c, at, &kind) ||
        !reading_string(in, at[SIGNATURE], "thoughtSignature", &signature))
        return false;
    bool is_thought = json_is(in->tape, at[THOUGHT], JSON_TRUE) && (kind == TEXT || kind == KINDS);
    if (is_thought) return reading_string(in, at[TEXT], "text", &text) && think(c, text, signature);
    drop_signature(c, signature);
    return kind == KINDS ? reading_counts(in) : read_kind(c, kind, at[kind]);
}

/* One stands for a list of one. */
static bool read_parts(struct contents *c, uint32_t parts)
{
    struct reading *in = c->in;
    if (parts == JSON_NONE) return true;
    in->place.inner = "parts";
    in->place.inner_number = 0;
    bool is_list = json_is(in->tape, parts, JSON_ARRAY), is_good = is_list || read_part(c, parts);
    for (uint32_t n = is_list ? json_first(in->tape, parts) : JSON_NONE; n != JSON_NONE && is_good;
         n = json_next(in->tape, n)) {
        is_good = read_part(c, n);
        in->place.inner_number += is_good;
    }
    if (is_good) in->place.inner = NULL;
    return is_good;
}

/* --- contents --- */

enum { ROLE, PARTS, CONTENT_MEMBERS };
static const struct gemini_name content_names[CONTENT_MEMBERS] = {[ROLE] = {{"role", 4}, {"role", 4}},
                                                                  [PARTS] = {{"parts", 5}, {"parts", 5}}};

/* Who says nothing of it is the user, and so is a tool. */
static bool read_role(struct contents *c, uint32_t role)
{
    const struct reading *in = c->in;
    bool is_model = json_text_is(in->tape, role, SLICE("model"));
    bool is_user = role == JSON_NONE || json_text_is(in->tape, role, SLICE("user")) ||
                   json_text_is(in->tape, role, SLICE("")) || json_text_is(in->tape, role, SLICE("function")) ||
                   json_text_is(in->tape, role, SLICE("tool"));
    enum speaker speaker = is_model ? SPEAKER_ASSISTANT : SPEAKER_USER;
    if (!is_model && !is_user) return reading_refuse(in, "\"role\" must be \"user\" or \"model\"");
    if (speaker != c->speaker) close_text(c);
    if (is_model && c->speaker != SPEAKER_ASSISTANT) {
        c->calls = NULL;
        c->waiting = 0;
    }
    c->speaker = speaker;
    return true;
}

static bool read_content(struct contents *c, uint32_t node)
{
    uint32_t at[CONTENT_MEMBERS];
    struct reading *in = c->in;
    if (!json_is(in->tape, node, JSON_OBJECT)) return reading_refuse(in, "must be an object");
    if (!gemini_read_members(in, node, content_names, CONTENT_MEMBERS, at) || !read_role(c, at[ROLE])) return false;
    struct message *message = conversation_add_message(in->c, c->speaker);
    if (!message) return reading_is_full(in);
    c->list = &message->parts;
    return read_parts(c, at[PARTS]) && reading_fits(in, c->speaker, &message->parts, NULL);
}

/* A content, or its text alone. */
static bool read_system(struct contents *c, uint32_t system)
{
    uint32_t at[CONTENT_MEMBERS];
    struct reading *in = c->in;
    if (system == JSON_NONE) return true;
    in->place = (struct place){.list = "systemInstruction", .number = PLACE_UNNUMBERED};
    c->speaker = SPEAKER_SYSTEM;
    c->list = &in->c->system;
    bool is_content = json_is(in->tape, system, JSON_OBJECT) && json_get(in->tape, system, SLICE("text")) == JSON_NONE;
    if (!is_content) return read_parts(c, system) && reading_fits(in, SPEAKER_SYSTEM, c->list, NULL);
    return gemini_read_members(in, system, content_names, CONTENT_MEMBERS, at) && read_parts(c, at[PARTS]) &&
           reading_fits(in, SPEAKER_SYSTEM, c->list, NULL);
}

static bool read_all(struct contents *c, uint32_t system, uint32_t contents)
{
    struct reading *in = c->in;
    if (!read_system(c, system)) return false;
    in->place = (struct place){.list = NULL};
    if (!json_is(in->tape, contents, JSON_ARRAY)) return reading_refuse(in, "\"contents\" must be an array");
    in->place = (struct place){.list = "contents", .is_message = true};
    for (uint32_t n = json_first(in->tape, contents); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_content(c, n)) return false;
        in->place.number++;
    }
    close_text(c);
    in->place = (struct place){.list = NULL};
    return true;
}

bool gemini_read_contents(struct reading *in, uint32_t system, uint32_t contents)
{
    struct contents c = {.in = in, .speaker = SPEAKER_SYSTEM};
    buf_init(&c.text);
    bool is_good = read_all(&c, system, contents);
    buf_clear(&c.text);
    return is_good;
}
