/*
 * Every recorded request whose provider said how many tokens it had, in the shape that core/wire/count.h counts.
 *
 *     recorded_each(folder, on_request, arg);   // false: there are no recordings there
 *
 * Requests of the other APIs (Responses, Anthropic's messages, Gemini's contents) are rewritten as chat requests of the
 * same texts: who counts them needs what the provider saw, not the dialect. What is not all in the body (a conversation
 * that the provider keeps, a prompt by its id) is left out.
 */
#ifndef MOONGATE_TESTS_RECORDED_H
#define MOONGATE_TESTS_RECORDED_H

#include <stdlib.h>

#include "../unit/wire/oracle.h"

#include "base/arena.h"
#include "base/slice.h"
#include "wire/chat.h"
#include "wire/dialect.h"

struct recorded {
    const char *id, *api, *model;
    uint64_t input_tokens; /* as the provider counted */
    bool has_hosted;       /* tools that the provider runs: what they found is counted with the request */
    const struct chat_request *request;
};

typedef void recorded_fn(void *arg, const struct recorded *r);

static bool recorded_is(const json_t *object, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value && strcmp(value, text) == 0;
}

static json_t *recorded_message(const char *role, json_t *content)
{
    return json_pack("{s:s, s:O?}", "role", role, "content", content);
}

static json_t *recorded_text(const char *text)
{
    return json_pack("{s:s, s:s}", "type", "text", "text", text ? text : "");
}

static json_t *recorded_picture(const json_t *url, const char *detail)
{
    return json_pack("{s:s, s:{s:s*, s:s*}}", "type", "image_url", "image_url", "url", json_string_value(url), "detail", detail);
}

static json_t *recorded_data_url(const char *type, const char *base64)
{
    size_t len = strlen(base64 ? base64 : "") + 128;
    char *text = malloc(len);
    snprintf(text, len, "data:%s;base64,%s", type ? type : "image/png", base64 ? base64 : "");
    json_t *url = json_string(text);
    free(text);
    return url;
}

static json_t *recorded_file(void)
{
    return json_pack("{s:s, s:{}}", "type", "file", "file");
}

static bool recorded_is_picture(const char *type)
{
    return type && strncmp(type, "image/", 6) == 0;
}

/* A picture or another file that came as base64. */
static json_t *recorded_data(const char *type, const char *base64)
{
    if (!recorded_is_picture(type)) return recorded_file();
    json_t *url = recorded_data_url(type, base64);
    json_t *picture = recorded_picture(url, NULL);
    json_decref(url);
    return picture;
}

static json_t *recorded_call(const char *name, const char *arguments)
{
    return json_pack("{s:s, s:{s:s, s:s}}", "type", "function", "function", "name", name ? name : "", "arguments",
                     arguments ? arguments : "");
}

static json_t *recorded_call_json(const char *name, const json_t *arguments)
{
    char *text = arguments ? json_dumps(arguments, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_t *call = recorded_call(name, text);
    free(text);
    return call;
}

static json_t *recorded_function(const json_t *tool, const char *parameters)
{
    return json_pack("{s:s, s:{s:O?, s:O?, s:O?}}", "type", "function", "function", "name", json_object_get(tool, "name"),
                     "description", json_object_get(tool, "description"), "parameters", json_object_get(tool, parameters));
}

/* ---- OpenAI Responses. */

static json_t *recorded_response_parts(const json_t *content)
{
    json_t *parts = json_array(), *part;
    size_t i;
    if (!ORACLE_IS(content, ARRAY)) {
        json_decref(parts);
        return json_incref((json_t *)content);
    }
    json_array_foreach(content, i, part)
    {
        const char *text = json_string_value(json_object_get(part, "text"));
        if (text)
            json_array_append_new(parts, recorded_text(text));
        else if (recorded_is(part, "type", "input_image"))
            json_array_append_new(parts, recorded_picture(json_object_get(part, "image_url"),
                                                          json_string_value(json_object_get(part, "detail"))));
        else
            json_array_append_new(parts, recorded_file());
    }
    return parts;
}

static void recorded_response_item(json_t *messages, const json_t *item)
{
    const char *role = json_string_value(json_object_get(item, "role"));
    if (role) {
        json_t *content = recorded_response_parts(json_object_get(item, "content"));
        json_array_append_new(messages, recorded_message(role, content));
        json_decref(content);
    } else if (recorded_is(item, "type", "function_call")) {
        json_t *call = recorded_call(json_string_value(json_object_get(item, "name")),
                                     json_string_value(json_object_get(item, "arguments")));
        json_array_append_new(messages, json_pack("{s:s, s:[o]}", "role", "assistant", "tool_calls", call));
    } else if (recorded_is(item, "type", "function_call_output")) {
        json_array_append_new(messages, recorded_message("tool", json_object_get(item, "output")));
    }
}

static json_t *recorded_response_tools(const json_t *given, bool *has_hosted)
{
    json_t *tools = json_array(), *tool;
    size_t i;
    json_array_foreach(given, i, tool)
    {
        if (recorded_is(tool, "type", "function"))
            json_array_append_new(tools, recorded_function(tool, "parameters"));
        else
            *has_hosted = true;
    }
    return tools;
}

static json_t *recorded_response(const json_t *body, bool *has_hosted)
{
    json_t *messages = json_array(), *input = json_object_get(body, "input"), *item;
    json_t *format = json_object_get(json_object_get(body, "text"), "format"), *chat;
    size_t i;
    if (ORACLE_IS(json_object_get(body, "instructions"), STRING))
        json_array_append_new(messages, recorded_message("system", json_object_get(body, "instructions")));
    if (ORACLE_IS(input, STRING)) json_array_append_new(messages, recorded_message("user", input));
    json_array_foreach(input, i, item) recorded_response_item(messages, item);
    chat = json_pack("{s:o, s:o}", "messages", messages, "tools",
                     recorded_response_tools(json_object_get(body, "tools"), has_hosted));
    if (recorded_is(format, "type", "json_schema"))
        json_object_set_new(chat, "response_format", json_pack("{s:s, s:O}", "type", "json_schema", "json_schema", format));
    return chat;
}

/* ---- Anthropic. */

static void recorded_anthropic_content(json_t *messages, const char *role, json_t *content);

static void recorded_anthropic_block(json_t *messages, json_t *parts, json_t *calls, json_t *block)
{
    json_t *source = json_object_get(block, "source");
    if (recorded_is(block, "type", "text")) {
        json_array_append_new(parts, recorded_text(json_string_value(json_object_get(block, "text"))));
    } else if (recorded_is(block, "type", "image") && recorded_is(source, "type", "base64")) {
        json_array_append_new(parts, recorded_data(json_string_value(json_object_get(source, "media_type")),
                                                   json_string_value(json_object_get(source, "data"))));
    } else if (recorded_is(block, "type", "image")) {
        json_array_append_new(parts, recorded_picture(json_object_get(source, "url"), NULL));
    } else if (recorded_is(block, "type", "tool_use")) {
        json_array_append_new(calls, recorded_call_json(json_string_value(json_object_get(block, "name")),
                                                        json_object_get(block, "input")));
    } else if (recorded_is(block, "type", "tool_result")) {
        recorded_anthropic_content(messages, "tool", json_object_get(block, "content"));
    } else if (recorded_is(block, "type", "document")) {
        json_array_append_new(parts, recorded_file());
    }
}

static void recorded_anthropic_content(json_t *messages, const char *role, json_t *content)
{
    json_t *parts = json_array(), *calls = json_array(), *message, *block;
    size_t i;
    if (ORACLE_IS(content, STRING)) json_array_append_new(parts, recorded_text(json_string_value(content)));
    json_array_foreach(content, i, block) recorded_anthropic_block(messages, parts, calls, block);
    message = recorded_message(role, parts);
    if (json_array_size(calls)) json_object_set(message, "tool_calls", calls);
    if (json_array_size(calls) + json_array_size(parts)) json_array_append(messages, message);
    json_decref(message);
    json_decref(parts);
    json_decref(calls);
}

static json_t *recorded_anthropic(const json_t *body, bool *has_hosted)
{
    json_t *messages = json_array(), *tools = json_array(), *message, *tool;
    size_t i;
    recorded_anthropic_content(messages, "system", json_object_get(body, "system"));
    json_array_foreach(json_object_get(body, "messages"), i, message)
        recorded_anthropic_content(messages, json_string_value(json_object_get(message, "role")), json_object_get(message, "content"));
    json_array_foreach(json_object_get(body, "tools"), i, tool)
    {
        if (json_object_get(tool, "input_schema"))
            json_array_append_new(tools, recorded_function(tool, "input_schema"));
        else
            *has_hosted = true;
    }
    if (json_object_get(body, "mcp_servers")) *has_hosted = true;
    return json_pack("{s:o, s:o}", "messages", messages, "tools", tools);
}

/* ---- Gemini. */

static void recorded_gemini_part(json_t *messages, json_t *parts, json_t *calls, const json_t *part)
{
    json_t *data = json_object_get(part, "inlineData"), *call = json_object_get(part, "functionCall");
    json_t *answer = json_object_get(part, "functionResponse");
    if (ORACLE_IS(json_object_get(part, "text"), STRING)) {
        json_array_append_new(parts, recorded_text(json_string_value(json_object_get(part, "text"))));
    } else if (data) {
        json_array_append_new(parts, recorded_data(json_string_value(json_object_get(data, "mimeType")),
                                                   json_string_value(json_object_get(data, "data"))));
    } else if (call) {
        json_array_append_new(calls, recorded_call_json(json_string_value(json_object_get(call, "name")), json_object_get(call, "args")));
    } else if (answer) {
        char *text = json_dumps(json_object_get(answer, "response"), JSON_COMPACT);
        json_array_append_new(messages, json_pack("{s:s, s:s}", "role", "tool", "content", text ? text : ""));
        free(text);
    } else if (json_object_get(part, "fileData")) {
        json_array_append_new(parts, recorded_file());
    }
}

static void recorded_gemini_content(json_t *messages, const char *role, const json_t *content)
{
    json_t *parts = json_array(), *calls = json_array(), *message, *part;
    size_t i;
    json_array_foreach(json_object_get(content, "parts"), i, part) recorded_gemini_part(messages, parts, calls, part);
    message = recorded_message(role, parts);
    if (json_array_size(calls)) json_object_set(message, "tool_calls", calls);
    if (json_array_size(calls) + json_array_size(parts)) json_array_append(messages, message);
    json_decref(message);
    json_decref(parts);
    json_decref(calls);
}

/* "STRING" is the protocol's name of "string". */
static void recorded_lower_types(json_t *schema)
{
    const char *key;
    json_t *value;
    size_t i;
    json_array_foreach(schema, i, value) recorded_lower_types(value);
    if (!ORACLE_IS(schema, OBJECT)) return;
    json_object_foreach(schema, key, value)
    {
        recorded_lower_types(value);
        if (strcmp(key, "type") != 0 || !ORACLE_IS(value, STRING)) continue;
        char lower[32];
        snprintf(lower, sizeof lower, "%s", json_string_value(value));
        for (char *c = lower; *c; c++)
            if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
        json_object_set_new(schema, "type", json_string(lower));
    }
}

static json_t *recorded_gemini(const json_t *body, bool *has_hosted)
{
    json_t *messages = json_array(), *tools = json_array(), *content, *tool, *function;
    size_t i, k;
    recorded_gemini_content(messages, "system", json_object_get(body, "systemInstruction"));
    json_array_foreach(json_object_get(body, "contents"), i, content)
    {
        bool is_model = recorded_is(content, "role", "model");
        recorded_gemini_content(messages, is_model ? "assistant" : "user", content);
    }
    json_array_foreach(json_object_get(body, "tools"), i, tool)
    {
        json_t *functions = json_object_get(tool, "functionDeclarations");
        if (!functions) *has_hosted = true;
        json_array_foreach(functions, k, function)
        {
            recorded_lower_types(function);
            bool is_other = !json_object_get(function, "parameters");
            json_array_append_new(tools, recorded_function(function, is_other ? "parametersJsonSchema" : "parameters"));
        }
    }
    return json_pack("{s:o, s:o}", "messages", messages, "tools", tools);
}

/* ---- One recording. */

static bool recorded_is_whole(const json_t *body)
{
    static const char *const elsewhere[] = {"previous_response_id", "conversation", "prompt", "cachedContent", "container"};
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
        json_t *value = json_object_get(body, elsewhere[i]);
        if (value && !ORACLE_IS(value, NULL)) return false;
    }
    return true;
}

static bool recorded_starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* NULL: not a request that has tokens, or not all of it. */
static json_t *recorded_convert(const char *api, json_t *body, bool *has_hosted, enum chat_kind *kind)
{
    *kind = CHAT_CHAT;
    if (recorded_starts(api, "openai.completions")) *kind = CHAT_COMPLETIONS;
    if (recorded_starts(api, "openai.embeddings")) *kind = CHAT_EMBEDDINGS;
    if (*kind != CHAT_CHAT || recorded_starts(api, "openai.chat")) return json_copy(body); /* its model is replaced */
    if (!recorded_is_whole(body)) return NULL;
    if (recorded_starts(api, "openai.responses")) return recorded_response(body, has_hosted);
    if (recorded_starts(api, "anthropic.")) return recorded_anthropic(body, has_hosted);
    if (recorded_starts(api, "gemini.")) return recorded_gemini(body, has_hosted);
    return NULL;
}

static uint64_t recorded_number(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    json_int_t n = ORACLE_IS(value, INTEGER) ? json_integer_value(value) : 0;
    return n > 0 ? (uint64_t)n : 0;
}

/* All that went in, whatever the API puts where; 0: it was not said. */
static uint64_t recorded_input(const char *api, const json_t *expected)
{
    uint64_t input = recorded_number(expected, "input_tokens");
    if (recorded_starts(api, "gemini.countTokens")) return recorded_number(expected, "total_tokens");
    if (recorded_starts(api, "anthropic."))
        input += recorded_number(expected, "cache_creation_input_tokens") + recorded_number(expected, "cache_read_input_tokens");
    return input;
}

/* Of the body, else of the path: "…/models/NAME:generateContent"; a deployment's name says nothing, the answer's does. */
static const char *recorded_model(const json_t *recording, const json_t *body, char *room, size_t size)
{
    const char *path = json_string_value(json_object_get(recording, "path")), *at = path ? strstr(path, "/models/") : NULL;
    const char *asked = json_string_value(json_object_get(body, "model"));
    const char *answered = json_string_value(json_object_get(json_object_get(recording, "expected"), "model"));
    bool is_fuller = asked && answered && strncmp(asked, answered, strlen(asked)) == 0;
    if (answered && (is_fuller || recorded_is(recording, "provider", "azure"))) return answered;
    if (asked) return asked;
    if (!at) return answered ? answered : "";
    snprintf(room, size, "%s", at + strlen("/models/"));
    room[strcspn(room, ":")] = '\0';
    return room;
}

static void recorded_give(struct recorded *r, json_t *chat, enum chat_kind kind, recorded_fn *fn, void *arg)
{
    struct chat_request request;
    struct arena arena;
    struct fault why;
    json_object_set_new(chat, "model", json_string(r->model));
    char *text = json_dumps(chat, JSON_COMPACT);
    arena_init(&arena);
    chat_init(&request);
    if (text && chat_parse(&request, &dialect_openai, slice_str(text), kind, &arena, &why)) {
        r->has_hosted |= (request.uses & (CHAT_USES_HOSTED_TOOLS | CHAT_USES_REMOTE_MCP)) != 0;
        r->request = &request;
        fn(arg, r);
    }
    chat_clear(&request);
    arena_clear(&arena);
    free(text);
}

static void recorded_one(const char *folder, const json_t *recording, recorded_fn *fn, void *arg)
{
    const char *file = json_string_value(json_object_get(recording, "request_file"));
    const json_t *expected = json_object_get(recording, "expected");
    struct recorded r = {.id = json_string_value(json_object_get(recording, "id")),
                         .api = json_string_value(json_object_get(recording, "api"))};
    char path[1024], model[256];
    enum chat_kind kind;
    r.input_tokens = r.api ? recorded_input(r.api, expected) : 0;
    if (!file || !r.input_tokens) return;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    json_t *body = json_load_file(path, 0, NULL);
    json_t *chat = body ? recorded_convert(r.api, body, &r.has_hosted, &kind) : NULL;
    if (chat) {
        r.model = recorded_model(recording, body, model, sizeof model);
        recorded_give(&r, chat, kind, fn, arg);
    }
    json_decref(chat);
    json_decref(body);
}

static bool recorded_each(const char *folder, recorded_fn *fn, void *arg)
{
    char path[1024];
    json_t *recording;
    size_t i;
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    json_t *manifest = json_load_file(path, 0, NULL);
    if (!manifest) return false;
    json_array_foreach(json_object_get(manifest, "recordings"), i, recording) recorded_one(folder, recording, fn, arg);
    json_decref(manifest);
    return true;
}

#endif
