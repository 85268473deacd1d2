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

bool chat_parse(struct chat_request *r, const struct dialect *dialect, struct slice body, enum chat_kind kind,
                struct arena *arena, struct fault *why)
{
    return chat_parse_at(r, dialect, body, kind, &(struct chat_path){.is_stream = false}, arena, why);
}

bool chat_parse_at(struct chat_request *r, const struct dialect *dialect, struct slice body, enum chat_kind kind,
                   const struct chat_path *path, struct arena *arena, struct fault *why)
{
    struct slice model = arena_copy(arena, path->model); /* which may be the one that r had */
    bool is_stream = path->is_stream;
    chat_clear(r);
    r->dialect = dialect;
    r->kind = kind;
    r->model = model;
    r->is_stream = is_stream;
    if (!json_parse(&r->tape, body, why)) return false;
    if (json_is(&r->tape, 0, JSON_OBJECT)) return dialect->read_request(r, arena, why);
    return fault_set(why, FAULT_BAD_BODY, "the body must be a JSON object");
}

bool chat_walk(const struct chat_request *r, chat_piece_fn fn, void *arg)
{
    return r->dialect->walk(r, fn, arg);
}

void chat_edit_model(const struct chat_request *r, struct splice *edits, struct slice model)
{
    struct buf text;
    if (slice_equal(model, r->model)) return;
    if (r->dialect->edit_model) r->dialect->edit_model(r, edits, model);
    if (r->model_node == JSON_NONE || r->dialect->edit_model) return;
    buf_init(&text);
    buf_append_json(&text, model);
    splice_value(edits, r->model_node, arena_copy(edits->arena, buf_slice(&text)));
    buf_clear(&text);
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
