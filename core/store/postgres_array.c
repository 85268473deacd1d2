#include "store/postgres_array.h"

#include <endian.h>
#include <string.h>

#include "base/utf8.h"
#include "base/zone.h"

#define HEAD_BYTES 20
#define EMPTY_HEAD_BYTES 12
#define DAYS_TO_2000 10957 /* PostgreSQL counts from there */
#define US_TO_2000 (DAYS_TO_2000 * 86400ll * 1000000)

void postgres_array_init(struct postgres_array *a, enum postgres_type type)
{
    *a = (struct postgres_array){.type = type};
    buf_init(&a->bytes);
    postgres_array_reset(a);
}

void postgres_array_clear(struct postgres_array *a)
{
    buf_clear(&a->bytes);
}

void postgres_array_reset(struct postgres_array *a)
{
    a->count = 0;
    buf_reset(&a->bytes);
    buf_reserve(&a->bytes, HEAD_BYTES);
    buf_grew(&a->bytes, HEAD_BYTES);
}

static void add_u32(struct buf *b, uint32_t value)
{
    uint32_t wire = htobe32(value);
    buf_append(b, slice_of((const char *)&wire, sizeof wire));
}

void postgres_array_add_bytes(struct postgres_array *a, struct slice bytes)
{
    add_u32(&a->bytes, (uint32_t)bytes.len);
    buf_append(&a->bytes, bytes);
    a->count++;
}

void postgres_array_add_int(struct postgres_array *a, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);
    postgres_array_add_bytes(a, slice_of((const char *)&wire, sizeof wire));
}

void postgres_array_add_time(struct postgres_array *a, int64_t time_us)
{
    postgres_array_add_int(a, time_us - US_TO_2000);
}

int64_t postgres_days(int64_t day)
{
    int year = (int)(day / 10000), month = (int)(day / 100 % 100), of_month = (int)(day % 100);
    if (year < 1970 || year > 9999 || month < 1 || month > 12 || of_month < 1 || of_month > 31) return 0;
    return zone_day_start(year, month, of_month) / 86400;
}

void postgres_array_add_days(struct postgres_array *a, int64_t days)
{
    uint32_t wire = htobe32((uint32_t)(int32_t)(days - DAYS_TO_2000));
    postgres_array_add_bytes(a, slice_of((const char *)&wire, sizeof wire));
}

void postgres_array_add_day(struct postgres_array *a, int64_t day)
{
    postgres_array_add_days(a, postgres_days(day));
}

static bool is_clean(struct slice text)
{
    return text.len == 0 || (!memchr(text.ptr, '\0', text.len) && utf8_is_valid(text));
}

void postgres_array_add_text(struct postgres_array *a, struct slice text)
{
    if (is_clean(text)) {
        postgres_array_add_bytes(a, text);
        return;
    }
    size_t at = buf_len(&a->bytes);
    postgres_array_add_bytes(a, SLICE(""));
    for (size_t i = 0; i < text.len;) {
        size_t len = utf8_char_len((const unsigned char *)text.ptr + i, text.len - i);
        if (len == 0 || text.ptr[i] == '\0') buf_append(&a->bytes, SLICE("\xEF\xBF\xBD"));
        else buf_append(&a->bytes, slice_of(text.ptr + i, len));
        i += len ? len : 1;
    }
    uint32_t wire = htobe32((uint32_t)(buf_len(&a->bytes) - at - sizeof wire));
    memcpy(buf_ptr(&a->bytes) + at, &wire, sizeof wire);
}

static uint32_t element_of(enum postgres_type type)
{
    switch (type) {
    case POSTGRES_INT8S: return POSTGRES_INT8;
    case POSTGRES_TEXTS: return POSTGRES_TEXT;
    case POSTGRES_BYTEAS: return POSTGRES_BYTEA;
    case POSTGRES_UUIDS: return 2950;
    case POSTGRES_TIMES: return 1184;
    case POSTGRES_DATES: return 1082;
    case POSTGRES_INT8:
    case POSTGRES_TEXT:
    case POSTGRES_BYTEA: break;
    }
    return 0;
}

struct postgres_param postgres_array_param(struct postgres_array *a)
{
    uint32_t head[HEAD_BYTES / 4] = {htobe32(a->count ? 1 : 0), 0, htobe32(element_of(a->type)), htobe32(a->count),
                                     htobe32(1)};
    memcpy(buf_ptr(&a->bytes), head, sizeof head);
    size_t len = a->count ? buf_len(&a->bytes) : EMPTY_HEAD_BYTES;
    return (struct postgres_param){a->type, slice_of(buf_ptr(&a->bytes), len), true};
}
