#include <jansson.h>
#include <openssl/rand.h>

#include "base/mem.h"
#include "store/registry/registry_inner.h"

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
