/* What of a request's pieces is counted. */
#include <string.h>

#include "base/mem.h"
#include "wire/count_inner.h"

void found_clear(struct found *found)
{
    mem_free(found->texts);
    mem_free(found->pictures);
    buf_clear(&found->tools);
    buf_clear(&found->schema);
    *found = (struct found){0};
}

static void add_text(struct found *found, uint32_t node, uint32_t message, enum text_part part)
{
    if (found->text_count == found->text_cap) {
        found->text_cap = found->text_cap ? found->text_cap * 2 : 16;
        found->texts = mem_realloc(found->texts, found->text_cap * sizeof *found->texts);
    }
    found->texts[found->text_count++] = (struct text){node, message, part};
}

static void add_picture(struct found *found, const struct json_tape *tape, const struct chat_piece *piece)
{
    struct picture picture = {.message = piece->message, .is_low = piece->is_low};
    if (piece->node != JSON_NONE) {
        struct slice raw = json_raw(tape, piece->node);
        if (!count_picture_size(slice_of(raw.ptr + 1, raw.len - 2), &picture.width, &picture.height)) picture.width = 0;
    }
    if (found->picture_count == found->picture_cap) {
        found->picture_cap = found->picture_cap ? found->picture_cap * 2 : 4;
        found->pictures = mem_realloc(found->pictures, found->picture_cap * sizeof *found->pictures);
    }
    found->pictures[found->picture_count++] = picture;
}

/* Bytes of base64 in a string, about. */
static uint64_t decoded_bytes(const struct json_tape *tape, uint32_t string)
{
    return (json_raw(tape, string).len - 2) / 4 * 3;
}

struct finding {
    const struct json_tape *tape;
    struct found *found;
    struct tools_text tools;
};

static void add_name(struct found *found, const struct chat_piece *piece)
{
    add_text(found, piece->node, piece->message, piece->is_role ? TEXT_ROLE_NAME : TEXT_NAME);
    found->role_names += piece->is_role;
    found->names += !piece->is_role;
}

static void add_schema(struct found *found, const struct json_tape *tape, uint32_t schema)
{
    found->has_schema = true;
    buf_append(&found->schema, json_raw(tape, schema));
}

static void add_choice(struct found *found, uint32_t name)
{
    found->has_no_choice |= name == JSON_NONE;
    if (name == JSON_NONE || found->has_choice) return;
    found->has_choice = true;
    add_text(found, name, CHAT_NO_MESSAGE, TEXT_CHOICE);
}

static void add_message(struct found *found, enum chat_role role)
{
    found->messages++;
    if (role == CHAT_ROLE_APPLICATION) found->has_system = true;
}

static void add_implied(struct found *found, enum chat_role role)
{
    found->implied++;
    if (role == CHAT_ROLE_APPLICATION) found->has_system = true;
}

static bool on_piece(void *arg, const struct chat_piece *piece)
{
    struct finding *f = arg;
    struct found *found = f->found;
    switch (piece->kind) {
    case PIECE_CONTENT:
    case PIECE_REFUSAL:
    case PIECE_REASONING:
    case PIECE_CALL_TEXT:
    case PIECE_CALL_JSON: add_text(found, piece->node, piece->message, TEXT_CONTENT); break;
    case PIECE_ROLE: add_text(found, piece->node, piece->message, TEXT_ROLE); break;
    case PIECE_NAME: add_name(found, piece); break;
    case PIECE_MESSAGE: add_message(found, piece->role); break;
    case PIECE_IMPLIED: add_implied(found, piece->role); break;
    case PIECE_PART: break;
    case PIECE_CALL: found->calls++; break;
    case PIECE_PICTURE: add_picture(found, f->tape, piece); break;
    case PIECE_AUDIO: found->audio_bytes += decoded_bytes(f->tape, piece->node); break;
    case PIECE_FILE: found->file_bytes += decoded_bytes(f->tape, piece->node); break;
    case PIECE_ELSEWHERE: found->has_unknown = true; break;
    case PIECE_IDS: found->ids += piece->count; break;
    case PIECE_TOOL: tools_text_add(&f->tools, piece); break;
    case PIECE_CHOICE: add_choice(found, piece->name); break;
    case PIECE_SCHEMA: add_schema(found, f->tape, piece->node); break;
    }
    return true;
}

void count_find(const struct chat_request *r, struct found *found)
{
    struct finding f = {.tape = &r->tape, .found = found};
    found->has_unknown = r->uses & (CHAT_USES_HOSTED_TOOLS | CHAT_USES_REMOTE_MCP | CHAT_USES_FILES | CHAT_USES_AUDIO |
                                    CHAT_USES_STORED);
    found->audio_bytes = r->attached.audio_bytes;
    for (uint32_t i = 0; i < r->attached.pictures; i++)
        add_picture(found, &r->tape, &(struct chat_piece){.node = JSON_NONE, .message = CHAT_NO_MESSAGE});
    tools_text_init(&f.tools, &r->tape, &found->tools);
    chat_walk(r, on_piece, &f);
    found->tools_count = tools_text_end(&f.tools);
    if (found->tools_count) add_text(found, JSON_NONE, CHAT_NO_MESSAGE, TEXT_TOOLS);
    if (found->has_schema) add_text(found, JSON_NONE, CHAT_NO_MESSAGE, TEXT_SCHEMA);
}

/* ---- Of one message. */

static bool on_message_piece(void *arg, const struct chat_piece *piece)
{
    struct share *shares = arg;
    if (piece->message == CHAT_NO_MESSAGE) return true;
    struct share *share = &shares[piece->message];
    share->calls += piece->kind == PIECE_CALL;
    share->has_unknown |= piece->kind == PIECE_ELSEWHERE || (piece->kind == PIECE_PART && piece->is_unknown);
    return true;
}

void count_find_shares(const struct chat_request *r, struct share *shares)
{
    chat_walk(r, on_message_piece, shares);
}
