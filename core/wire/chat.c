#include "wire/chat.h"

#include <math.h>

#include "base/buf.h"
#include "wire/dialect.h"

void chat_init(struct chat_request *r)
{
    *r = (struct chat_request){
        .model_node = JSON_NONE,
        .messages_node = JSON_NONE,
        .system_node = JSON_NONE,
        .stream_node = JSON_NONE,
        .stream_options_node = JSON_NONE,
        .tools_node = JSON_NONE,
        .metadata_node = JSON_NONE,
        .user_node = JSON_NONE,
        .max_tokens_node = JSON_NONE,
        .n_node = JSON_NONE,
        .hints_node = JSON_NONE,
        .max_tokens = -1,
        .thinking_tokens = -1,
        .temperature = NAN,
        .choices = 1,
        .generated = 1,
    };
    json_init(&r->tape);
}

void chat_clear(struct chat_request *r)
{
    json_clear(&r->tape);
    chat_init(r);
}

/* Anthropic's mark and OpenAI's: translated, either becomes the other's. */
static bool asks_for_caching(const struct json_tape *tape)
{
    static const struct slice marks[] = {{"cache_control", 13}, {"prompt_cache_breakpoint", 23}};
    static const struct json_keys keys = {{JSON_KEYS_OF('c') = 1u << 13, JSON_KEYS_OF('p') = 1u << 23}};
    for (uint32_t n = json_next_key(tape, 0, &keys); n != JSON_NONE; n = json_next_key(tape, n, &keys)) {
        bool is_mark = json_key_is(tape, n, marks[0]) || json_key_is(tape, n, marks[1]);
        if (is_mark && !json_is(tape, n, JSON_NULL)) return true;
    }
    return false;
}

bool chat_parse(struct chat_request *r, const struct dialect *dialect, struct slice body, enum chat_kind kind,
                struct arena *arena, struct fault *why)
{
    return chat_parse_for(r, dialect, body, kind, SLICE_NONE, arena, why);
}

bool chat_parse_for(struct chat_request *r, const struct dialect *dialect, struct slice body, enum chat_kind kind,
                    struct slice model, struct arena *arena, struct fault *why)
{
    struct chat_attached attached = r->attached;
    chat_clear(r);
    r->attached = attached;
    return json_parse(&r->tape, body, why) && chat_read_indexed(r, dialect, kind, model, arena, why);
}

bool chat_read_indexed(struct chat_request *r, const struct dialect *dialect, enum chat_kind kind, struct slice model,
                       struct arena *arena, struct fault *why)
{
    struct chat_request before = *r;
    chat_init(r);
    r->attached = before.attached;
    r->holes = before.holes;
    r->hole_count = before.hole_count;
    r->tape = before.tape;
    r->dialect = dialect;
    r->kind = kind;
    r->model = model;
    r->is_model_apart = model.len > 0;
    if (!json_is(&r->tape, 0, JSON_OBJECT)) return fault_set(why, FAULT_BAD_BODY, "the body must be a JSON object");
    if (asks_for_caching(&r->tape)) r->uses |= CHAT_USES_CACHING;
    return dialect->read_request(r, arena, why) && kept_find(r, arena, why);
}

bool chat_walk(const struct chat_request *r, chat_piece_fn fn, void *arg)
{
    return r->dialect->walk(r, fn, arg);
}

void chat_edit_model(const struct chat_request *r, struct splice *edits, struct slice model)
{
    struct buf text;
    bool is_said = r->model_node == JSON_NONE || slice_equal(model, r->model);
    if (!chat_names_model(r->kind)) return;
    if (r->dialect->edit_model) {
        if (!slice_equal(model, r->model)) r->dialect->edit_model(r, edits, model);
        return;
    }
    if (is_said && !r->is_model_apart) return;
    buf_init(&text);
    buf_append_json(&text, model);
    struct slice json = arena_copy(edits->arena, buf_slice(&text));
    buf_clear(&text);
    if (r->model_node == JSON_NONE)
        splice_append(edits, 0, SLICE("model"), json);
    else
        splice_value(edits, r->model_node, json);
}

void chat_edit_ask_usage(const struct chat_request *r, struct splice *edits)
{
    if (r->include_usage != CHAT_TRUE) r->dialect->edit_ask_usage(r, edits);
}

void chat_edit_drop_hints(const struct chat_request *r, struct splice *edits)
{
    if (r->hints_node == JSON_NONE) return;
    if (json_count(&r->tape, r->metadata_node) == 1) {
        splice_remove(edits, 0, r->metadata_node);
    } else {
        splice_remove(edits, r->metadata_node, r->hints_node);
    }
}

void chat_edit_member(const struct chat_request *r, struct splice *edits, enum chat_limit limit, struct slice name,
                      struct slice json)
{
    r->dialect->edit_member(r, edits, limit, name, json);
}

void chat_edit_limit_name(const struct chat_request *r, struct splice *edits, enum chat_limit limit)
{
    if (r->dialect->edit_limit_name) r->dialect->edit_limit_name(r, edits, limit);
}
