#include <jansson.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/registry/registry_inner.h"

#define ID_CHARACTERS 12

int64_t registry_now_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

/* Each character with its full share of randomness: bytes of 248 and up are thrown away. */
bool registry_random(char *text, size_t count, struct fault *why)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    unsigned char bytes[64];
    for (size_t n = 0; n < count;) {
        if (RAND_bytes(bytes, sizeof bytes) != 1) {
            return fault_set(why, FAULT_INTERNAL, "the system gives no random bytes");
        }
        for (size_t i = 0; i < sizeof bytes && n < count; i++) {
            if (bytes[i] < 248) text[n++] = letters[bytes[i] % 62];
        }
    }
    text[count] = '\0';
    explicit_bzero(bytes, sizeof bytes);
    return true;
}

bool registry_make_id(char *id, const char *prefix, struct fault *why)
{
    size_t len = strlen(prefix);
    memcpy(id, prefix, len);
    return registry_random(id + len, ID_CHARACTERS, why);
}

/* Texts have no newlines of their own: JSON spells them. */
void registry_append(struct buf *out, const char *name, json_t *list)
{
    char *text = json_dumps(list, JSON_COMPACT);
    buf_printf(out, "{\"%s\":", name);
    buf_append(out, slice_str(text));
    buf_append_char(out, '}');
    mem_free(text);
    json_decref(list);
}

void registry_set_text(json_t *object, const char *name, const struct registry_query *q, int column)
{
    if (registry_is_null(q, column)) return;
    struct slice text = registry_text(q, column);
    json_object_set_new(object, name, json_stringn(text.ptr, text.len));
}

void registry_set_int(json_t *object, const char *name, const struct registry_query *q, int column)
{
    json_object_set_new(object, name, json_integer(registry_int(q, column)));
}
