#include "spoken.h"

#include <string.h>

#include "base/mem.h"

#define DEFAULT_TOKENS 16

struct spoken spoken_choose(const struct spoken_ask *ask)
{
    const struct script *script = ask->script;
    const char *echoed = ask->text && strncmp(ask->text, "echo ", 5) == 0 ? ask->text + 5 : NULL;
    const char *fixed = script->text ? script->text : echoed;
    uint64_t count = script->tokens >= 0 ? (uint64_t)script->tokens : fixed ? UINT64_MAX : DEFAULT_TOKENS;
    bool is_endless = script->endless && ask->is_stream;
    struct spoken s = {.fixed = fixed && !is_endless ? mem_strdup(fixed) : NULL};
    s.is_length = ask->limit < (s.fixed ? words_count(slice_str(s.fixed)) : count);
    if (count > ask->limit) count = ask->limit;
    s.words = words_of(ask->seed, is_endless ? UINT64_MAX : count, s.fixed ? slice_str(s.fixed) : SLICE_NONE);
    return s;
}

void spoken_clear(struct spoken *spoken)
{
    mem_free(spoken->fixed);
    *spoken = (struct spoken){0};
}

const char *spoken_text(const json_t *messages)
{
    for (size_t i = json_array_size(messages); i-- > 0;) {
        const json_t *message = json_array_get(messages, i), *content = json_object_get(message, "content");
        const char *role = json_string_value(json_object_get(message, "role"));
        if (!role || strcmp(role, "user") != 0) continue;
        if (json_is_string(content)) return json_string_value(content);
        return json_string_value(json_object_get(json_array_get(content, json_array_size(content) - 1), "text"));
    }
    return NULL;
}

char *spoken_tool(const json_t *body, const struct script *script, const char *text)
{
    const char *named = json_string_value(json_object_get(json_object_get(body, "tool_choice"), "name"));
    if (script->tool) return mem_strdup(script->tool);
    if (json_array_size(json_object_get(body, "tools")) == 0) return NULL;
    if (named) return mem_strdup(named);
    return text && strncmp(text, "call ", 5) == 0 ? mem_strdup(text + 5) : NULL;
}
