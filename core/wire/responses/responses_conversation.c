/*
 * Bodies about conversations: of one that is made, of items that are added, of what is noted beside. Source: OpenAI API
 * reference, POST /v1/conversations, /v1/conversations/{id} and /v1/conversations/{id}/items.
 */
#include "wire/members.h"
#include "wire/responses/responses_inner.h"

#define KEYS(X)                                                                                                        \
    X(ITEMS, "items")                                                                                                  \
    X(METADATA, "metadata")

enum key { KEYS(MEMBERS_KEY) KEYS_COUNT };
static const struct slice key_names[] = {KEYS(MEMBERS_NAME)};

bool responses_read_conversation(struct chat_request *r, struct arena *arena, struct fault *why)
{
    uint32_t nodes[KEYS_COUNT];
    struct members in = {
        .r = r, .arena = arena, .why = why, .names = key_names, .count = KEYS_COUNT, .nodes = nodes};
    if (!members_read(&in)) return false;
    uint32_t items = members_value(&in, KEY_ITEMS);
    if (items != JSON_NONE && !json_is(&r->tape, items, JSON_ARRAY)) return members_refuse(&in, KEY_ITEMS, "an array");
    return members_read_hints(&in, KEY_METADATA) && responses_read_items(&in, items);
}
