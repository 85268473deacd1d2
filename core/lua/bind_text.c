/* Looking at text without making Lua strings of it, and the small text tools of scripts/. */
#include "base/hash.h"
#include "lua/bind.h"

/* Backtracks to the last star only, so it is linear in text × stars at worst; both are short names. */
static bool glob(struct slice pattern, struct slice text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

/* glob(pattern, text) → whether a pattern with '*' matches the whole text */
static int on_glob(lua_State *L)
{
    struct slice pattern = bind_check_slice(L, 1), text = bind_check_slice(L, 2);
    vm_charge(L, pattern.len + text.len);
    lua_pushboolean(L, glob(pattern, text));
    return 1;
}

/* Bytes that stand in a text of the request or its answer: what is at least twice as long, less one, is found. */
#define COPY_BYTES 16

static bool stands_in(struct slice text, struct slice value)
{
    for (size_t at = 0; text.len >= COPY_BYTES && at + COPY_BYTES <= value.len; at += COPY_BYTES) {
        if (memmem(text.ptr, text.len, value.ptr + at, COPY_BYTES)) return true;
    }
    return false;
}

/* Of messages, prompt or input; not of names, ids and settings beside them. */
static bool stands_in_request(const struct exchange *x, struct slice value)
{
    const struct chat_request *r = &x->request;
    if (r->tape.count == 0 || r->messages_node == JSON_NONE) return false;
    uint32_t end = json_after(&r->tape, r->messages_node);
    for (uint32_t node = chat_next_text(r, JSON_NONE); node != JSON_NONE; node = chat_next_text(r, node)) {
        if (node >= r->messages_node && node < end && stands_in(json_raw(&r->tape, node), value)) return true;
    }
    return false;
}

/* copies_text(value) → whether a longer run of it is the request's own text, or its answer's, as it was sent */
static int on_copies_text(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    const struct exchange *x = eval->x;
    char hash[20];
    struct slice value = bind_check_slice(L, 1), answer = buf_slice(&x->response.text);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)hash_bytes(value, 0)); /* it may be the text itself */
    if (bind_recall(L, eval, ASKED_COPIES, slice_str(hash), "request.text")) return 1;
    /* memmem runs well below a nanosecond a byte */
    vm_charge(L, (buf_len(&x->body) + answer.len) / 8 * (value.len / COPY_BYTES));
    bool is_copy = stands_in_request(x, value) || stands_in(answer, value);
    bind_note(eval, ASKED_COPIES, slice_str(hash), ASKED_AS_JSON, bind_word(is_copy));
    lua_pushboolean(L, is_copy);
    return 1;
}

void bind_text_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"glob", on_glob}, {"copies_text", on_copies_text}, {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
