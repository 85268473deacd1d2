/* Translation of requests. By the first byte: any bytes as a body of a dialect, which gives JSON or a reason; or a request
 * made of what both can say, which is the same after the way there and back. */
#include "../unit/wire/crossing_over.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct buf what;
    if (len == 0) return 0;
    struct slice body = slice_of((const char *)bytes + 1, len - 1);
    if (bytes[0] >= 0x60 && bytes[0] < 0x80) {
        static const struct dialect *const all[] = {&dialect_openai, &dialect_anthropic, &dialect_responses,
                                                    &dialect_gemini};
        over_any(all[bytes[0] % 4], &dialect_converse, body);
        return 0;
    }
    if (bytes[0] >= 0x40 && bytes[0] < 0x60) {
        static const struct dialect *const clients[] = {&dialect_openai, &dialect_anthropic, &dialect_gemini};
        over_any(clients[bytes[0] % 3], &dialect_responses, body);
        return 0;
    }
    if (bytes[0] >= 0x80 && bytes[0] < 0xA0) {
        over_any(&dialect_gemini, bytes[0] & 1 ? &dialect_openai : &dialect_anthropic, body);
        return 0;
    }
    if (bytes[0] >= 0xA0 && bytes[0] < 0xC0) {
        static const struct dialect *const clients[] = {&dialect_openai, &dialect_anthropic, &dialect_responses};
        over_any(clients[bytes[0] % 3], &dialect_gemini, body);
        return 0;
    }
    if (bytes[0] >= 0xC0) {
        over_any(&dialect_responses, bytes[0] & 1 ? &dialect_openai : &dialect_anthropic, body);
        return 0;
    }
    switch (bytes[0] % 3) {
    case 0: over_any(&dialect_openai, &dialect_anthropic, body); return 0;
    case 1: over_any(&dialect_anthropic, &dialect_openai, body); return 0;
    }
    buf_init(&what);
    bool is_same = over_and_back(bytes + 1, len - 1, &what);
    if (!is_same) fprintf(stderr, "%.*s\n", SLICE_FMT(buf_slice(&what)));
    check(is_same);
    buf_clear(&what);
    return 0;
}
