#include "fast.h"

#include <string.h>

#include "base/mem.h"

#define WHOLE_BYTES 570
#define EVENT_BYTES 275
#define EVENTS 100
#define EVENT_HEAD                                                                                                     \
    "data: {\"id\":\"chatcmpl-mock0000000000000000\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"     \
    "\"model\":\"gpt-4o\",\"system_fingerprint\":\"fp_mock\",\"choices\":["
#define EVENT_CHOICE "{\"index\":0,\"delta\":{\"content\":\" river\"},\"logprobs\":null,\"finish_reason\":null}]"

struct fast {
    struct source base;
    struct buf event;
    uint64_t left;
    bool wants_usage;
};

static void fill(struct buf *out, size_t len, char with)
{
    memset(buf_reserve(out, len), with, len);
    buf_grew(out, len);
}

static void append_whole(struct buf *out)
{
    static const char after[] = "\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{"
                                "\"prompt_tokens\":9,\"completion_tokens\":12,\"total_tokens\":21}}";
    buf_append(out,
               SLICE("{\"id\":\"chatcmpl-mock0000000000000000\",\"object\":\"chat.completion\",\"created\":1760000000,"
                     "\"model\":\"gpt-4o\",\"system_fingerprint\":\"fp_mock\",\"choices\":[{\"index\":0,\"message\":"
                     "{\"role\":\"assistant\",\"content\":\""));
    fill(out, WHOLE_BYTES - buf_len(out) - (sizeof after - 1), '.');
    buf_append(out, slice_str(after));
}

static void append_event(struct buf *out, size_t event_bytes)
{
    static const char frame[] = ",\"obfuscation\":\"\"}\n\n";
    buf_append(out, SLICE(EVENT_HEAD EVENT_CHOICE));
    if (buf_len(out) + sizeof frame - 1 < event_bytes) {
        buf_append(out, SLICE(",\"obfuscation\":\""));
        fill(out, event_bytes - buf_len(out) - 4, 'x');
        buf_append_char(out, '"');
    }
    buf_append(out, SLICE("}\n\n"));
}

static bool fast_next(struct source *s, struct buf *piece)
{
    struct fast *f = (struct fast *)s;
    if (f->left == 0) return false;
    if (--f->left > 0) {
        buf_append(piece, buf_slice(&f->event));
        s->tokens++;
        return true;
    }
    if (f->wants_usage) {
        buf_printf(piece,
                   EVENT_HEAD "],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":%llu,\"total_tokens\":%llu}}\n\n",
                   (unsigned long long)s->tokens, (unsigned long long)s->tokens + 9);
    }
    buf_append(piece, SLICE("data: [DONE]\n\n"));
    return true;
}

static void fast_free(struct source *s)
{
    buf_clear(&((struct fast *)s)->event);
}

static bool has(struct slice body, const char *text, const char *spaced)
{
    return body.len &&
           (memmem(body.ptr, body.len, text, strlen(text)) || memmem(body.ptr, body.len, spaced, strlen(spaced)));
}

struct source *fast_answer(struct slice body, const struct script *script)
{
    struct buf whole;
    if (has(body, "\"stream\":true", "\"stream\": true")) {
        struct fast *f = mem_zalloc(1, sizeof *f);
        f->base = (struct source){fast_next, fast_free, 200, true, "text/event-stream", 0, {0}, NULL, NULL};
        f->left = (script->tokens >= 0 ? (uint64_t)script->tokens : EVENTS) + 1;
        if (script->endless) f->left = UINT64_MAX;
        f->wants_usage = has(body, "\"include_usage\":true", "\"include_usage\": true");
        append_event(&f->event, script->event_bytes > 0 ? (size_t)script->event_bytes : EVENT_BYTES);
        return &f->base;
    }
    buf_init(&whole);
    append_whole(&whole);
    struct source *s = source_of_bytes(200, "application/json", buf_slice(&whole), 12);
    buf_clear(&whole);
    return s;
}
