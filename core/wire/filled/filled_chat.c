/* Chat completions: roles and parameters are the version's own words. Source: OpenAI API reference, "Chat". */
#include "wire/filled/filled_inner.h"

static bool append_parts(struct filling *w, uint32_t message, struct buf *out)
{
    struct template_part part;
    struct buf text;
    uint32_t at = 0;
    bool is_good = true;
    const char *comma = "";
    buf_init(&text);
    buf_append_char(out, '[');
    while (is_good && template_write_part(&w->f->prompt->template, message, w->values, &at, &text, &part)) {
        if (part.is_text && !buf_len(&text)) continue;
        buf_append(out, slice_str(comma));
        comma = ",";
        if (part.is_text)
            buf_printf(out, "{\"type\":\"%s\",\"text\":\"", w->d == &filled_responses ? "input_text" : "text");
        buf_append(out, buf_slice(&text));
        buf_reset(&text);
        if (part.is_text)
            buf_append(out, SLICE("\"}"));
        else
            is_good = filled_append_media(w, &part, out);
    }
    buf_append_char(out, ']');
    buf_clear(&text);
    return is_good;
}

/* Also for Responses and Messages, which write a message alike. */
bool filled_append_message(struct filling *w, uint32_t message, struct buf *out)
{
    const struct template *t = &w->f->prompt->template;
    buf_printf(out, "{\"role\":\"%s\",\"content\":", template_role_name(template_role(t, message)));
    bool is_good = true;
    if (template_has_parts(t, message))
        is_good = append_parts(w, message, out);
    else
        filled_append_text(w, message, out);
    buf_append_char(out, '}');
    return is_good;
}

static bool write_messages(struct filling *w)
{
    return filled_place_messages(w, filled_append_message, SLICE_NONE);
}

static bool write_same(struct filling *w, const struct json_tape *tape, struct buf *out)
{
    (void)w;
    buf_append(out, json_raw(tape, 0));
    return true;
}

static const struct filled_place places[] = {{"tools", NULL, "tools"}, {0}};

const struct filled_dialect filled_chat = {
    .takes_members = true,
    .places = places,
    .list = "messages",
    .content = "content",
    .assistant = "assistant",
    .write_messages = write_messages,
    .write_tools = write_same,
    .write_format = write_same,
};
