#include "wire/translate/translate.h"

#include "wire/translate/answers.h"
#include "wire/translate/writing.h"

bool translate_can(const struct dialect *client, const struct dialect *provider, enum chat_kind kind)
{
    bool is_chat = kind == CHAT_CHAT || kind == CHAT_COUNT;
    const struct request_translation *from = client->request_translation, *to = provider->request_translation;
    const struct answer_translation *out = client->answers, *in = provider->answers;
    return is_chat && from && from->read && to && to->write && out && out->writer_new && in && in->reader_new;
}

bool translate_tells_tier(const struct dialect *client, const struct dialect *provider)
{
    const struct request_translation *from = client->request_translation, *to = provider->request_translation;
    return from && from->names_tiers && to && (to->carries & CARRIES_TIER);
}

/* What the body does not say: its path did. */
static void take_path(struct conversation *c, const struct translate_target *target)
{
    struct buf model;
    c->is_stream |= target->is_stream;
    if (c->model.len || !target->model.len) return;
    buf_init(&model);
    buf_append_json(&model, target->model);
    c->model = arena_copy(c->arena, buf_slice(&model));
    buf_clear(&model);
}

static void drop_details(const struct writing *w, const struct part_list *list)
{
    for (const struct part *p = list->first; p; p = p->next) {
        if (p->detail.len) writing_drop(w, p, w->c->words->detail);
        drop_details(w, &p->parts);
    }
}

/* What the other has no words for, whoever writes it. */
static void drop_uncarried(const struct conversation *c, const struct request_translation *to, struct dropped *dropped)
{
    const struct writing w = {.c = c, .dropped = dropped};
    if (c->labels != JSON_NONE && !(to->carries & CARRIES_LABELS)) dropped_add(dropped, SLICE("metadata"));
    if (c->cache_key.len && !(to->carries & CARRIES_CACHE_KEY)) dropped_add(dropped, SLICE("prompt_cache_key"));
    for (const struct message *m = to->carries & CARRIES_DETAIL ? NULL : c->first; m; m = m->next)
        drop_details(&w, &m->parts);
}

static bool write_read(const struct chat_request *r, const struct dialect *provider,
                       const struct translate_target *target, struct arena *arena, struct buf *out,
                       struct dropped *dropped, struct fault *why)
{
    const struct request_translation *from = r->dialect->request_translation, *to = provider->request_translation;
    struct conversation c;
    conversation_init(&c, r, arena, from->words);
    take_path(&c, target);
    if (!from->read(r, &c, dropped, why)) return false;
    if (target->names) *target->names = c.names;
    drop_uncarried(&c, to, dropped);
    return to->write(&c, target, out, dropped, why);
}

/* respelt: what the request is read from, where that is not the body. */
static bool parse(struct chat_request *r, const struct dialect *client, struct slice body, struct arena *arena,
                  struct buf *respelt, struct dropped *dropped, struct fault *why)
{
    const struct request_translation *from = client->request_translation;
    if (!chat_parse(r, client, body, CHAT_CHAT, arena, why)) return false;
    if (!from->respell || !from->respell(r, arena, respelt, dropped)) return true;
    return chat_parse(r, client, buf_slice(respelt), CHAT_CHAT, arena, why);
}

bool translate_request(const struct dialect *client, struct slice body, const struct dialect *provider,
                       const struct translate_target *target, struct arena *arena, struct buf *out,
                       struct dropped *dropped, struct fault *why)
{
    struct chat_request r;
    struct buf respelt;
    chat_init(&r);
    buf_init(&respelt);
    bool is_written = parse(&r, client, body, arena, &respelt, dropped, why) &&
                      write_read(&r, provider, target, arena, out, dropped, why);
    chat_clear(&r);
    buf_clear(&respelt);
    return is_written;
}
