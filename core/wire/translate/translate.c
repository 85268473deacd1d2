#include "wire/translate/translate.h"

#include "wire/translate/answers.h"

bool translate_can(const struct dialect *client, const struct dialect *provider, enum chat_kind kind)
{
    bool is_chat = kind == CHAT_CHAT || kind == CHAT_COUNT;
    const struct request_translation *from = client->request_translation, *to = provider->request_translation;
    const struct answer_translation *out = client->answers, *in = provider->answers;
    return is_chat && from && from->read && to && to->write && out && out->writer_new && in && in->reader_new;
}

static bool write_read(const struct chat_request *r, const struct dialect *provider,
                       const struct translate_target *target, struct arena *arena, struct buf *out,
                       struct dropped *dropped, struct fault *why)
{
    const struct request_translation *from = r->dialect->request_translation;
    struct conversation c;
    conversation_init(&c, r, arena, from->words);
    if (!from->read(r, &c, dropped, why)) return false;
    if (target->names) *target->names = c.names;
    return provider->request_translation->write(&c, target, out, dropped, why);
}

bool translate_request(const struct dialect *client, struct slice body, const struct dialect *provider,
                       const struct translate_target *target, struct arena *arena, struct buf *out,
                       struct dropped *dropped, struct fault *why)
{
    struct chat_request r;
    chat_init(&r);
    bool is_written = chat_parse(&r, client, body, CHAT_CHAT, arena, why) &&
                      write_read(&r, provider, target, arena, out, dropped, why);
    chat_clear(&r);
    return is_written;
}
