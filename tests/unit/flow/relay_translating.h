/*
 * A relay whose client speaks another dialect than its provider, what providers say, and what a strict client hears.
 *
 *     struct kit k;
 *     open_from(&k, &dialect_openai, TYPE_EVENTS);            // its client speaks the other one
 *     kit_feed(&k, SLICE(O_HELLO), 1);
 *     kit_finish(&k, NULL);
 *     struct hearing h = hear(&k);                            // of a wrong order it complains
 *     hearing_clear(&h);
 *     close_kit(&k);
 *
 * O_… is of the OpenAI API's dialect, A_… of Anthropic's.
 */
#ifndef MOONGATE_TESTS_UNIT_RELAY_TRANSLATING_H
#define MOONGATE_TESTS_UNIT_RELAY_TRANSLATING_H

#include "../unit.h"

#include "relay_kit.h"

#include "../wire/hearing.h"

#define TYPE_EVENTS "text/event-stream"
#define TYPE_JSON "application/json"

/* ---- what providers say */

#define A_EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"
#define A_START                                                                                                        \
    A_EVENT("message_start", ",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\","             \
                             "\"model\":\"m-1\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"           \
                             "\"usage\":{\"input_tokens\":10,\"cache_read_input_tokens\":4,"                           \
                             "\"cache_creation_input_tokens\":2,\"output_tokens\":1}}")
#define A_OPEN(index, block) A_EVENT("content_block_start", ",\"index\":" index ",\"content_block\":" block)
#define A_DELTA(index, delta) A_EVENT("content_block_delta", ",\"index\":" index ",\"delta\":" delta)
#define A_CLOSE(index) A_EVENT("content_block_stop", ",\"index\":" index)
#define A_TEXT(text) A_DELTA("0", "{\"type\":\"text_delta\",\"text\":\"" text "\"}")
#define A_FINISH(reason)                                                                                               \
    A_EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"" reason "\",\"stop_sequence\":null},"                     \
                             "\"usage\":{\"output_tokens\":7}")
#define A_STOP A_EVENT("message_stop", "")
#define A_BLOCK(text) A_OPEN("0", "{\"type\":\"text\",\"text\":\"\"}") text A_CLOSE("0")
#define A_HELLO A_START A_BLOCK(A_TEXT("Hel") A_TEXT("lo")) A_FINISH("end_turn") A_STOP

#define O_CHUNK(choice)                                                                                                \
    "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m-2\","               \
    "\"choices\":[" choice "]}\n\n"
#define O_TEXT(text) O_CHUNK("{\"index\":0,\"delta\":{\"content\":\"" text "\"},\"finish_reason\":null}")
#define O_FINISH(reason) O_CHUNK("{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason "\"}")
#define O_USAGE                                                                                                        \
    "data: {\"id\":\"chatcmpl-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":16,\"completion_tokens\":7,"             \
    "\"total_tokens\":23,\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\n"
#define O_DONE "data: [DONE]\n\n"
#define O_HELLO O_TEXT("Hel") O_TEXT("lo") O_FINISH("stop") O_USAGE O_DONE

#define A_BODY(text)                                                                                                   \
    "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m-1\",\"content\":[{\"type\":\"text\"," \
    "\"text\":\"" text "\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,"                                     \
    "\"usage\":{\"input_tokens\":10,\"output_tokens\":7}}"
#define O_BODY(text)                                                                                                   \
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m-2\",\"choices\":[{\"index\":0," \
    "\"message\":{\"role\":\"assistant\",\"content\":\"" text "\"},\"finish_reason\":\"stop\"}],"                      \
    "\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":7,\"total_tokens\":17}}"

/* ---- a kit whose client speaks the other dialect */

static inline void open_from(struct kit *k, const struct dialect *provider, const char *type)
{
    kit_open(k, type);
    k->parts.provider = provider;
    k->parts.client = provider == &dialect_openai ? &dialect_anthropic : &dialect_openai;
    k->x->request.include_usage = CHAT_TRUE;
}

/* A client of Gemini's API that asked for a stream: as events, or as an array. */
static inline void open_for_gemini(struct kit *k, const struct dialect *provider, const char *type, bool is_list)
{
    open_from(k, provider, type);
    k->parts.client = &dialect_gemini;
    k->x->request.is_stream = true;
    k->x->head.query = is_list ? SLICE_NONE : SLICE("key=x&%24alt=SSE");
}

static inline bool is_list(const struct kit *k)
{
    return k->parts.client == &dialect_gemini && !k->x->head.query.len;
}

static inline struct hearing hear(const struct kit *k)
{
    struct hearing h;
    hearing_begin(&h, k->parts.client);
    h.is_masked = k->parts.redact != NULL;
    if (k->length == CONN_STREAM && is_list(k) && buf_len(&k->out))
        hearing_list(&h, buf_slice(&k->out));
    else if (k->length == CONN_STREAM)
        hearing_stream(&h, buf_slice(&k->out));
    else
        hearing_body(&h, buf_slice(&k->out));
    if (h.wrong) UNIT_FAIL("%s: %s", h.wrong, h.place);
    return h;
}

static inline void close_kit(struct kit *k)
{
    kit_close(k);
    if (k->wrong) UNIT_FAIL("%s", k->wrong);
}

#endif
