#include "wire/dialect.h"

#include "base/utf8.h"

static const struct dialect *const dialects[] = {&dialect_anthropic, &dialect_openai};

const struct dialect *dialect_find(struct slice kind)
{
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        if (slice_equal(kind, slice_str(dialects[i]->kind))) return dialects[i];
    }
    return NULL;
}

const struct dialect *dialect_guess(const struct json_tape *tape, enum chat_kind *kind)
{
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        if (dialects[i]->guess(tape, kind)) return dialects[i];
    }
    return NULL;
}

void dialect_stream_init(struct dialect_stream *stream, uint32_t choices)
{
    *stream = (struct dialect_stream){.choices_expected = choices ? choices : 1};
    usage_init(&stream->usage);
}

struct dialect_error dialect_error_of(const struct fault *why)
{
    const struct fault_info *info = fault_info(why->code);
    return (struct dialect_error){
        .message = slice_str(fault_message(why)),
        .type = slice_str(info->type),
        .code = slice_str(info->code),
    };
}

void dialect_copy_text(char *to, size_t size, const struct json_tape *tape, uint32_t string)
{
    struct arena arena;
    arena_init(&arena);
    struct slice text = utf8_cut(json_text(tape, string, &arena), size - 1);
    memcpy(to, text.ptr, text.len);
    to[text.len] = '\0';
    arena_clear(&arena);
}
