/*
 * AWS's frames, written for tests: bit by bit, so that no table of the parser's is trusted.
 *
 *     framing_append(&out, headers, payload);               // a good one of these headers, whatever is in them
 *     framing_append_prelude(&out, total, headers);         // the lengths alone, with their sum
 */
#ifndef MOONGATE_TESTS_UNIT_FRAMING_H
#define MOONGATE_TESTS_UNIT_FRAMING_H

#include "base/buf.h"
#include "wire/eventstream.h"

static inline void framing_append_number(struct buf *out, uint32_t value)
{
    for (int i = 3; i >= 0; i--)
        buf_append_char(out, (char)(value >> (8 * i)));
}

/* Of all behind `from`. */
static inline void framing_append_sum(struct buf *out, size_t from)
{
    uint32_t sum = 0xFFFFFFFFu;
    for (size_t i = from; i < buf_len(out); i++) {
        for (int bit = 0; bit < 8; bit++) {
            uint32_t in = (uint32_t)(uint8_t)buf_ptr(out)[i] >> bit & 1;
            sum = (sum >> 1) ^ ((sum & 1) != in ? 0xEDB88320u : 0);
        }
    }
    framing_append_number(out, ~sum);
}

static inline void framing_append_prelude(struct buf *out, uint32_t total, uint32_t headers)
{
    size_t from = buf_len(out);
    framing_append_number(out, total);
    framing_append_number(out, headers);
    framing_append_sum(out, from);
}

static inline void framing_append(struct buf *out, struct slice headers, struct slice payload)
{
    size_t from = buf_len(out);
    framing_append_prelude(out, (uint32_t)(16 + headers.len + payload.len), (uint32_t)headers.len);
    buf_append(out, headers);
    buf_append(out, payload);
    framing_append_sum(out, from);
}

#endif
