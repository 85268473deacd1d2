/*
 * System text and contents, out of the hub, as Gemini's API takes them.
 * Source: Gemini API reference, Content, Part, FunctionCall and FunctionResponse; "Thought signatures".
 */
#include "wire/gemini/gemini_content.h"
#include "wire/gemini/gemini_translate.h"

#include <stdlib.h>

/* What Google takes in place of a signature where a call has none: it comes from another model, or its client does not
 * keep them. */
#define UNSIGNED_CALL SLICE("\"skip_thought_signature_validator\"")

struct named_call {
    struct slice id, name;
    uint32_t turn;
};

struct contents {
    const struct writing *w;
    struct named_call *calls; /* sorted by their ids, those of one id by their turns */
    size_t call_count;
    uint32_t turn; /* that is written */
};

/* --- which call a result is of --- */

static int compare_calls(const void *a, const void *b)
{
    const struct named_call *one = a, *other = b;
    int by = reading_compare(&one->id, &other->id);
    return by ? by : (one->turn > other->turn) - (one->turn < other->turn);
}

static void index_calls(struct contents *k)
{
    size_t count = 0;
    for (const struct message *m = k->w->c->first; m; m = m->next)
        count += writing_count(&m->parts, PART_CALL);
    if (!count) return;
    k->calls = arena_alloc(k->w->c->arena, count * sizeof *k->calls);
    uint32_t turn = 0;
    for (const struct message *m = k->w->c->first; m; m = m->next, turn++) {
        for (const struct part *p = m->parts.first; p; p = p->next) {
            if (p->kind == PART_CALL) k->calls[k->call_count++] = (struct named_call){p->id, p->name, turn};
        }
    }
    qsort(k->calls, k->call_count, sizeof *k->calls, compare_calls);
}

/* The tool's name, of the last call before that has the id: some begin to count anew with each turn. Empty: nobody
 * called it. */
static struct slice name_of(const struct contents *k, struct slice id)
{
    struct named_call wanted = {.id = id, .turn = k->turn};
    size_t from = 0, to = k->call_count;
    while (from < to) {
        size_t at = from + (to - from) / 2;
        if (compare_calls(&k->calls[at], &wanted) < 0)
            from = at + 1;
        else
            to = at;
    }
    bool has = from > 0 && slice_equal(k->calls[from - 1].id, id);
    return has ? k->calls[from - 1].name : SLICE_NONE;
}

/* --- parts --- */

static void open_part(const struct writing *w, struct slice member)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\""));
    buf_append(w->out, member);
    buf_append(w->out, SLICE("\":"));
}

static void drop_cache(const struct writing *w, const struct part *p)
{
    if (p->cache.len) writing_drop(w, p, SLICE("cache_control"));
}

static void write_text(const struct writing *w, struct slice text)
{
    open_part(w, SLICE("text"));
    buf_append(w->out, text);
    buf_append_char(w->out, '}');
}

/* Of a file that lies elsewhere the type is what its name ends in. */
static struct slice type_of_url(struct slice url)
{
    static const struct {
        struct slice end, type;
    } types[] = {{{".png", 4}, {"image/png", 9}},   {{".jpg", 4}, {"image/jpeg", 10}},
                 {{".jpeg", 5}, {"image/jpeg", 10}}, {{".webp", 5}, {"image/webp", 10}},
                 {{".gif", 4}, {"image/gif", 9}},   {{".heic", 5}, {"image/heic", 10}},
                 {{".heif", 5}, {"image/heif", 10}}, {{".pdf", 4}, {"application/pdf", 15}}};
    struct slice rest, path = slice_split(slice_of(url.ptr + 1, url.len - 2), '?', &rest);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct slice end = types[i].end;
        if (path.len > end.len && slice_iequal(slice_of(path.ptr + path.len - end.len, end.len), end))
            return types[i].type;
    }
    return SLICE_NONE;
}

static void write_address(const struct writing *w, const struct part *p)
{
    struct slice type = p->media_type.len ? p->media_type : type_of_url(p->url);
    open_part(w, SLICE("fileData"));
    buf_append_char(w->out, '{');
    if (type.len) buf_printf(w->out, "\"mimeType\":\"%.*s\",", SLICE_FMT(type));
    buf_append(w->out, SLICE("\"fileUri\":"));
    buf_append(w->out, p->url);
    buf_append(w->out, SLICE("}}"));
}

/* Its title is said in front of it. */
static void write_file(const struct writing *w, const struct part *p)
{
    if (p->kind == PART_DOCUMENT && p->name.len > 2) write_text(w, p->name);
    if (p->url.len) {
        write_address(w, p);
        return;
    }
    open_part(w, SLICE("inlineData"));
    buf_printf(w->out, "{\"mimeType\":\"%.*s\",\"data\":\"", SLICE_FMT(p->media_type));
    buf_append(w->out, p->data);
    buf_append(w->out, SLICE("\"}}"));
}

static bool is_file(const struct part *p)
{
    return p->kind == PART_IMAGE || p->kind == PART_DOCUMENT;
}

static bool check_file(const struct writing *w, const struct part *p)
{
    if (!is_file(p) || !p->url.len || !gemini_keeps(json_decode(p->url, w->c->arena))) return true;
    return writing_refuse(w, p, "the provider must find the file on the web, or in the request: send what is in it");
}

bool gemini_check_files(const struct writing *w)
{
    for (const struct message *m = w->c->first; m; m = m->next) {
        for (const struct part *p = m->parts.first; p; p = p->next) {
            if (!check_file(w, p)) return false;
            for (const struct part *inner = p->parts.first; inner; inner = inner->next)
                if (!check_file(w, inner)) return false;
        }
    }
    return true;
}

/* --- results --- */

/* The text's own JSON, where it is an object: Google wants one, whatever is in it. */
static bool write_object(const struct writing *w, const struct part *p)
{
    struct json_tape tape;
    struct fault why;
    bool is_one = writing_count(&p->parts, PART_TEXT) == 1 && p->parts.first->kind == PART_TEXT;
    struct slice text = is_one ? json_decode(p->parts.first->text, w->c->arena) : SLICE_NONE;
    if (!slice_starts(slice_trim(text), SLICE("{"))) return false;
    json_init(&tape);
    bool is_object = json_parse(&tape, text, &why) && json_is(&tape, 0, JSON_OBJECT);
    if (is_object) buf_append(w->out, json_raw(&tape, 0));
    json_clear(&tape);
    return is_object;
}

static void write_response(const struct writing *w, const struct part *p)
{
    if (!p->is_error && write_object(w, p)) return;
    buf_append(w->out, p->is_error ? SLICE("{\"error\":") : SLICE("{\"result\":"));
    writing_joined(w, &p->parts, PART_TEXT, SLICE("\\n\\n"));
    buf_append_char(w->out, '}');
}

/* What nobody here called is said as text: a response must have its call's name. */
static void write_unasked(const struct writing *w, const struct part *p)
{
    for (const struct part *inner = p->parts.first; inner; inner = inner->next)
        if (inner->kind == PART_TEXT) write_text(w, inner->text);
    if (!writing_count(&p->parts, PART_TEXT) && !p->parts.first) write_text(w, SLICE("\" \""));
    writing_drop(w, p, SLICE("id"));
}

static void write_result(const struct contents *k, const struct part *p)
{
    const struct writing *w = k->w;
    struct slice name = name_of(k, p->id);
    drop_cache(w, p);
    if (!name.len) {
        write_unasked(w, p);
        return;
    }
    open_part(w, SLICE("functionResponse"));
    buf_append(w->out, SLICE("{\"id\":"));
    writing_call_id(w, p->id);
    writing_member(w, SLICE("name"), name);
    writing_name(w, SLICE("response"));
    write_response(w, p);
    buf_append(w->out, SLICE("}}"));
}

/* Responses stand first, and together; then what else the tools gave back. */
static void write_results(const struct contents *k, const struct part_list *list)
{
    for (const struct part *p = list->first; p; p = p->next)
        if (p->kind == PART_RESULT) write_result(k, p);
    for (const struct part *p = list->first; p; p = p->next) {
        for (const struct part *inner = p->parts.first; inner; inner = inner->next)
            if (is_file(inner)) write_file(k->w, inner);
    }
}

static void write_user(const struct contents *k, const struct part_list *list)
{
    write_results(k, list);
    for (const struct part *p = list->first; p; p = p->next) {
        if (p->kind == PART_RESULT) continue;
        if (is_file(p))
            write_file(k->w, p);
        else
            write_text(k->w, p->text);
        drop_cache(k->w, p);
    }
}

/* --- what the model said, and its signatures --- */

static bool is_marked(const struct part *p, struct slice mark)
{
    return p->kind == PART_REASONING && slice_starts(reading_inside(p->signature), mark);
}

static void write_signature(const struct writing *w, const struct part *thought, struct slice mark)
{
    struct slice text = reading_inside(thought->signature);
    writing_name(w, SLICE("thoughtSignature"));
    buf_append_char(w->out, '"');
    buf_append(w->out, slice_of(text.ptr + mark.len, text.len - mark.len));
    buf_append_char(w->out, '"');
}

/* Signatures go to the parts behind them, each to one, in their order. */
struct signatures {
    struct slice mark;
    const struct part *next; /* from here on none was taken */
};

/* The first that stands before `end`; NULL: there is none. */
static const struct part *take_signature(struct signatures *s, const struct part *end)
{
    for (; s->next && s->next != end; s->next = s->next->next) {
        const struct part *p = s->next;
        if (!is_marked(p, s->mark)) continue;
        s->next = p->next;
        return p;
    }
    return NULL;
}

static void write_thought(const struct writing *w, const struct part *p)
{
    if (p->text.len <= 2) return;
    open_part(w, SLICE("text"));
    buf_append(w->out, p->text);
    buf_append(w->out, SLICE(",\"thought\":true}"));
}

/* Of calls at once the first is signed; a model that wants that refuses one that is not. */
static void write_call(const struct writing *w, const struct part *p, struct signatures *signatures, bool is_first)
{
    const struct part *signature = take_signature(signatures, p);
    open_part(w, SLICE("functionCall"));
    buf_append(w->out, SLICE("{\"id\":"));
    writing_call_id(w, p->id);
    writing_member(w, SLICE("name"), p->name);
    writing_member(w, SLICE("args"), p->text);
    buf_append_char(w->out, '}');
    if (signature)
        write_signature(w, signature, signatures->mark);
    else if (is_first && w->target->traits->has_signed_calls)
        writing_member(w, SLICE("thoughtSignature"), UNSIGNED_CALL);
    buf_append_char(w->out, '}');
}

static void write_said(const struct writing *w, const struct part *p, struct signatures *signatures)
{
    const struct part *signature = take_signature(signatures, p);
    open_part(w, SLICE("text"));
    buf_append(w->out, p->text);
    if (signature) write_signature(w, signature, signatures->mark);
    buf_append_char(w->out, '}');
}

static void write_signed_end(const struct writing *w, const struct part *signature, struct slice mark)
{
    open_part(w, SLICE("text"));
    buf_append(w->out, SLICE("\"\""));
    write_signature(w, signature, mark);
    buf_append_char(w->out, '}');
}

/* What stood alone in its part; and that of a part which the client has not kept, so that the thought is. */
static void write_alone(const struct writing *w, struct signatures signatures)
{
    for (const struct part *p; (p = take_signature(&signatures, NULL));)
        write_signed_end(w, p, signatures.mark);
}

static void write_model(const struct writing *w, const struct part_list *list)
{
    struct signatures calls = {.mark = SLICE(GEMINI_SIGNED_CALL), .next = list->first},
                      texts = {.mark = SLICE(GEMINI_SIGNED_TEXT), .next = list->first};
    bool is_first = true;
    for (const struct part *p = list->first; p; p = p->next) {
        drop_cache(w, p);
        switch (p->kind) {
        case PART_TEXT:
        case PART_REFUSAL: write_said(w, p, &texts); break;
        case PART_IMAGE:
        case PART_DOCUMENT: write_file(w, p); break;
        case PART_REASONING: write_thought(w, p); break;
        case PART_RESULT: break;
        case PART_CALL:
            write_call(w, p, &calls, is_first);
            is_first = false;
            break;
        }
    }
    write_alone(w, calls);
    write_alone(w, texts);
    write_alone(w, (struct signatures){.mark = SLICE(GEMINI_SIGNED_END), .next = list->first});
}

/* --- all of it --- */

/* Empty texts are refused there, and signatures of others. */
bool gemini_takes_part(void *arg, const struct part *p)
{
    const struct writing *w = arg;
    bool is_ours = !p->is_redacted && writing_is_marked(p, SLICE(SIGNATURE_OF_GEMINI));
    bool is_text = p->kind == PART_TEXT || p->kind == PART_REFUSAL;
    if (p->kind == PART_REASONING && !is_ours) {
        writing_drop(w, p, SLICE(""));
        drop_cache(w, p);
        return false;
    }
    return !is_text || p->text.len > 2;
}

static void write_content(const struct contents *k, struct slice role, const struct part_list *list)
{
    const struct writing *w = k->w;
    writing_comma(w);
    buf_printf(w->out, "{\"role\":\"%.*s\",\"parts\":[", SLICE_FMT(role));
    if (slice_equal(role, SLICE("model")))
        write_model(w, list);
    else
        write_user(k, list);
    buf_append(w->out, SLICE("]}"));
}

static void write_system(const struct writing *w)
{
    if (!w->c->system.first) return;
    writing_name(w, SLICE("systemInstruction"));
    buf_append(w->out, SLICE("{\"parts\":["));
    for (const struct part *p = w->c->system.first; p; p = p->next) {
        write_text(w, p->text);
        drop_cache(w, p);
    }
    buf_append(w->out, SLICE("]}"));
}

/* NULL: it calls nothing. */
static const struct part *first_call(const struct message *m)
{
    const struct part *p = m->parts.first;
    while (p && p->kind != PART_CALL)
        p = p->next;
    return p;
}

/* A call must stand behind something that the user said, and is refused where it begins the conversation: then a blank
 * stands there, which says nothing. */
static void write_blank_turn(const struct writing *w, const struct part *call)
{
    buf_append(w->out, SLICE("{\"role\":\"user\",\"parts\":[{\"text\":\" \"}]}"));
    dropped_add_at(w->dropped, w->c->words->messages, call->message, SLICE("order"));
}

/* Nothing but a system text is what the user says there: a content there must be. */
void gemini_write_contents(const struct writing *w)
{
    const struct conversation *c = w->c;
    struct contents k = {.w = w};
    index_calls(&k);
    if (c->first) write_system(w);
    writing_name(w, SLICE("contents"));
    buf_append_char(w->out, '[');
    if (!c->first && c->system.first) write_content(&k, SLICE("user"), &c->system);
    const struct part *call = c->first && c->first->speaker == SPEAKER_ASSISTANT ? first_call(c->first) : NULL;
    if (call) write_blank_turn(w, call);
    for (const struct message *m = c->first; m; m = m->next, k.turn++)
        write_content(&k, m->speaker == SPEAKER_ASSISTANT ? SLICE("model") : SLICE("user"), &m->parts);
    buf_append_char(w->out, ']');
}
