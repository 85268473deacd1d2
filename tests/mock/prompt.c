#include "chat.h"
#include "words.h"

static uint64_t add_text(const json_t *text, struct buf *out)
{
    struct slice s = slice_of(json_string_value(text), json_string_length(text));
    buf_append(out, s);
    buf_append_char(out, '\n');
    return words_count(s);
}

/* A string, a list of strings, of content parts, of token ids, or lists of those. */
static uint64_t add(const json_t *value, struct buf *out)
{
    uint64_t tokens = 0;
    size_t i;
    json_t *member;
    if (json_is_string(value)) return add_text(value, out);
    if (json_is_integer(value)) {
        buf_printf(out, "%lld\n", (long long)json_integer_value(value));
        return 1;
    }
    if (json_is_object(value)) return add(json_object_get(value, "text"), out);
    json_array_foreach(value, i, member) tokens += add(member, out);
    return tokens;
}

uint64_t chat_prompt(const json_t *body, struct buf *text)
{
    size_t i;
    json_t *message;
    uint64_t tokens = add(json_object_get(body, "prompt"), text) + add(json_object_get(body, "input"), text);
    json_array_foreach(json_object_get(body, "messages"), i, message)
    {
        tokens += add(json_object_get(message, "content"), text);
    }
    return tokens;
}
