#include "flow/wording.h"

#include <sys/random.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "exchange/outgoing.h"
#include "store/texts/texts.h"

#define SALT_BYTES 16

/* --- the prompt --- */

struct reading {
    struct exchange *x;
    const struct json_tape *tape;
    struct arena arena;
    struct slice role;
};

static bool append_cut(struct exchange_text *to, struct slice s)
{
    struct slice kept = utf8_cut(s, LIMIT_RECORD_TEXT_BYTES - buf_len(&to->bytes));
    buf_append(&to->bytes, kept);
    to->is_cut |= kept.len < s.len;
    return !to->is_cut;
}

static struct slice text_of(struct reading *r, uint32_t node)
{
    bool is_text = json_is(r->tape, node, JSON_STRING);
    return is_text ? json_text(r->tape, node, &r->arena) : json_raw(r->tape, node);
}

/* Of what speaks: a role, or what kind of item it is that has none. */
static struct slice word_of(struct reading *r, uint32_t node)
{
    if (!json_is(r->tape, node, JSON_STRING)) return SLICE_NONE;
    return arena_copy(&r->arena, json_text(r->tape, node, &r->arena));
}

static struct slice implied_role(enum chat_role role)
{
    switch (role) {
    case CHAT_ROLE_APPLICATION: return SLICE("system");
    case CHAT_ROLE_USER: return SLICE("user");
    case CHAT_ROLE_OTHER: return SLICE_NONE;
    }
    return SLICE_NONE;
}

static bool on_piece(void *arg, const struct chat_piece *piece)
{
    struct reading *r = arg;
    struct exchange_text *to = &r->x->texts.prompt;
    switch (piece->kind) {
    case PIECE_MESSAGE: r->role = word_of(r, json_get(r->tape, piece->node, SLICE("type"))); return true;
    case PIECE_ROLE: r->role = word_of(r, piece->node); return true;
    case PIECE_CONTENT:
    case PIECE_REFUSAL:
    case PIECE_REASONING:
    case PIECE_CALL_TEXT:
    case PIECE_CALL_JSON: break;
    default: return true;
    }
    struct slice role = piece->message == CHAT_NO_MESSAGE ? implied_role(piece->role) : r->role;
    return append_cut(to, role) && append_cut(to, role.len ? SLICE(": ") : SLICE("")) &&
           append_cut(to, text_of(r, piece->node)) && append_cut(to, SLICE("\n"));
}

void wording_keep_prompt(struct exchange *x, const struct target *target)
{
    struct splice edits;
    struct chat_request sent;
    struct buf body;
    struct fault why;
    struct reading reading = {.x = x, .tape = &sent.tape};
    if (!x->decision.record.keeps_prompt) return;
    arena_init(&reading.arena);
    buf_init(&body);
    chat_init(&sent);
    buf_reset(&x->texts.prompt.bytes);
    x->texts.prompt.is_cut = false;
    outgoing_edit(x, target, false, &reading.arena, &edits);
    splice_apply(&edits, &body);
    if (chat_parse(&sent, x->request.dialect, buf_slice(&body), x->request.kind, &reading.arena, &why))
        chat_walk(&sent, on_piece, &reading);
    else
        x->texts.prompt.is_cut = true;
    chat_clear(&sent);
    buf_clear(&body);
    arena_clear(&reading.arena);
}

/* --- the record --- */

static bool has_texts(const struct exchange *x)
{
    return buf_len(&x->texts.prompt.bytes) || buf_len(&x->texts.answer.bytes);
}

void wording_subject(const struct exchange *x, struct buf *out)
{
    const struct identity *who = &x->identity;
    struct slice name = who->user.len ? who->user : who->app.len ? who->app : who->key ? who->key->id : SLICE("");
    size_t before = buf_len(out);
    if (!has_texts(x)) return;
    buf_append(out, who->user.len ? SLICE("user:") : who->app.len ? SLICE("app:") : SLICE("key:"));
    buf_append(out, utf8_cut(name, LIMIT_TEXT_SUBJECT_BYTES - (buf_len(out) - before)));
}

static void append_hex(struct buf *out, const char *name, const uint8_t *bytes, size_t len)
{
    char text[2 * CHAIN_HASH_BYTES + 1];
    hex_write(bytes, len, text);
    buf_printf(out, "\"%s\":\"%s\",", name, text);
}

/* What says that a text that is shown later is this one. */
static void append_proof(struct buf *out, const struct exchange_text *text, struct slice subject)
{
    uint8_t salt[SALT_BYTES], hash[CHAIN_HASH_BYTES];
    check(getrandom(salt, sizeof salt, 0) == (ssize_t)sizeof salt);
    texts_hash(hash, slice_of((const char *)salt, sizeof salt), buf_slice(&text->bytes));
    append_hex(out, "sha256", hash, sizeof hash);
    append_hex(out, "salt", salt, sizeof salt);
    buf_append(out, SLICE("\"subject\":"));
    buf_append_json(out, subject);
    buf_append_char(out, ',');
}

/* One that nothing could be kept of is named all the same. */
static void append_one(struct buf *out, const char *name, const struct exchange_text *text, struct slice subject)
{
    if (!buf_len(&text->bytes) && !text->is_cut) return;
    if (buf_ptr(out)[buf_len(out) - 1] != '{') buf_append_char(out, ',');
    buf_printf(out, "\"%s\":{", name);
    if (buf_len(&text->bytes)) append_proof(out, text, subject);
    buf_printf(out, "\"bytes\":%zu%s}", buf_len(&text->bytes), text->is_cut ? ",\"cut\":true" : "");
}

void wording_append(struct buf *out, const struct exchange *x)
{
    struct buf subject;
    bool is_wanted = has_texts(x) || x->texts.prompt.is_cut || x->texts.answer.is_cut;
    if (!is_wanted || x->outcome == OUTCOME_INTENT) return;
    buf_init(&subject);
    wording_subject(x, &subject);
    buf_append(out, SLICE(",\"texts\":{"));
    append_one(out, "prompt", &x->texts.prompt, buf_slice(&subject));
    append_one(out, "answer", &x->texts.answer, buf_slice(&subject));
    buf_append_char(out, '}');
    buf_clear(&subject);
}
