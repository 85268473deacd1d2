#include "wire/translate/failure.h"

/* RFC 9110 15, and 529 of Anthropic's. */
enum failure_kind failure_of_status(int status)
{
    switch (status) {
    case 401: return FAILURE_AUTHENTICATION;
    case 402: return FAILURE_BILLING;
    case 403: return FAILURE_PERMISSION;
    case 404: return FAILURE_MISSING;
    case 409: return FAILURE_CONFLICT;
    case 413: return FAILURE_TOO_LARGE;
    case 429: return FAILURE_RATE;
    case 408:
    case 504: return FAILURE_TIMEOUT;
    case 503:
    case 529: return FAILURE_OVERLOADED;
    }
    return status >= 400 && status < 500 ? FAILURE_REQUEST : FAILURE_SERVER;
}

bool failure_blames_provider(enum failure_kind kind)
{
    switch (kind) {
    case FAILURE_REQUEST:
    case FAILURE_MISSING:
    case FAILURE_CONFLICT:
    case FAILURE_TOO_LARGE: return false;
    case FAILURE_AUTHENTICATION:
    case FAILURE_BILLING:
    case FAILURE_PERMISSION:
    case FAILURE_RATE:
    case FAILURE_SERVER:
    case FAILURE_TIMEOUT:
    case FAILURE_OVERLOADED: break;
    }
    return true;
}

bool failure_of_word(const struct failure_word *words, size_t count, struct slice word, enum failure_kind *kind)
{
    for (size_t i = 0; i < count; i++) {
        if (!slice_equal(words[i].word, word)) continue;
        *kind = words[i].kind;
        return true;
    }
    return false;
}

uint32_t failure_object(const struct json_tape *tape)
{
    uint32_t error = json_get(tape, 0, SLICE("error"));
    if (json_is(tape, error, JSON_OBJECT)) return error;
    return json_is(tape, error, JSON_STRING) ? JSON_NONE : 0;
}

struct slice failure_member(const struct json_tape *tape, uint32_t object, struct slice name, struct arena *arena)
{
    uint32_t node = object == JSON_NONE ? JSON_NONE : json_get(tape, object, name);
    if (json_is(tape, node, JSON_STRING)) return json_text(tape, node, arena);
    return json_is(tape, node, JSON_NUMBER) ? json_raw(tape, node) : SLICE_NONE;
}

struct slice failure_message(const struct json_tape *tape, struct arena *arena)
{
    static const struct slice names[] = {{"message", 7}, {"detail", 6}, {"error_description", 17}};
    uint32_t object = failure_object(tape);
    if (object == JSON_NONE) return json_text(tape, json_get(tape, 0, SLICE("error")), arena);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct slice text = failure_member(tape, object, names[i], arena);
        if (text.len) return text;
    }
    return json_raw(tape, object);
}
