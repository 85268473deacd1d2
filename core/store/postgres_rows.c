#include "store/postgres_rows.h"

#include <endian.h>
#include <string.h>

#include "base/utf8.h"
#include "base/zone.h"

#define HEAD_BYTES 20
#define EMPTY_HEAD_BYTES 12
#define DAYS_TO_2000 10957 /* PostgreSQL counts from there */
#define US_TO_2000 (DAYS_TO_2000 * 86400ll * 1000000)

/* Numbers of types in pg_type that have never changed. */
enum { BYTEA = 17, INT8 = 20, INT4 = 23, TEXT = 25, DATE = 1082, TIMESTAMPTZ = 1184, UUID = 2950 };

void postgres_rows_init(struct postgres_rows *r)
{
    *r = (struct postgres_rows){0};
    buf_init(&r->bytes);
    postgres_rows_reset(r);
}

void postgres_rows_clear(struct postgres_rows *r)
{
    buf_clear(&r->bytes);
}

void postgres_rows_reset(struct postgres_rows *r)
{
    r->count = r->fields = 0;
    buf_reset(&r->bytes);
    buf_reserve(&r->bytes, HEAD_BYTES);
    buf_grew(&r->bytes, HEAD_BYTES);
}

static void write_u32(char *to, uint32_t value)
{
    uint32_t wire = htobe32(value);
    memcpy(to, &wire, sizeof wire);
}

/* Its length and the number of its fields are known now. */
static void close_row(struct postgres_rows *r)
{
    if (r->count == 0) return;
    char *row = buf_ptr(&r->bytes) + r->row;
    write_u32(row, (uint32_t)(buf_len(&r->bytes) - r->row - 4));
    write_u32(row + 4, r->fields);
}

void postgres_rows_begin(struct postgres_rows *r)
{
    close_row(r);
    r->row = buf_len(&r->bytes);
    r->fields = 0;
    r->count++;
    buf_reserve(&r->bytes, 8);
    buf_grew(&r->bytes, 8);
}

static void add(struct postgres_rows *r, uint32_t type, const void *bytes, size_t len)
{
    char *to = buf_reserve(&r->bytes, 8 + len);
    write_u32(to, type);
    write_u32(to + 4, (uint32_t)len);
    if (len) memcpy(to + 8, bytes, len);
    buf_grew(&r->bytes, 8 + len);
    r->fields++;
}

static void add_u64(struct postgres_rows *r, uint32_t type, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);
    add(r, type, &wire, sizeof wire);
}

void postgres_rows_add_int(struct postgres_rows *r, int64_t value)
{
    add_u64(r, INT8, value);
}

void postgres_rows_add_int4(struct postgres_rows *r, int32_t value)
{
    uint32_t wire = htobe32((uint32_t)value);
    add(r, INT4, &wire, sizeof wire);
}

void postgres_rows_add_time(struct postgres_rows *r, int64_t time_us)
{
    add_u64(r, TIMESTAMPTZ, time_us - US_TO_2000);
}

static int64_t days_of(int64_t day)
{
    int year = (int)(day / 10000), month = (int)(day / 100 % 100), of_month = (int)(day % 100);
    if (year < 1970 || year > 9999 || month < 1 || month > 12 || of_month < 1 || of_month > 31) return 0;
    return zone_day_start(year, month, of_month) / 86400;
}

void postgres_rows_add_day(struct postgres_rows *r, int64_t day)
{
    uint32_t wire = htobe32((uint32_t)(int32_t)(days_of(day) - DAYS_TO_2000));
    add(r, DATE, &wire, sizeof wire);
}

void postgres_rows_add_uuid(struct postgres_rows *r, const uint8_t id[16])
{
    add(r, UUID, id, 16);
}

void postgres_rows_add_bytes(struct postgres_rows *r, struct slice bytes)
{
    add(r, BYTEA, bytes.ptr, bytes.len);
}

static bool is_clean(struct slice text)
{
    return text.len == 0 || (!memchr(text.ptr, '\0', text.len) && utf8_is_valid(text));
}

static void clean(struct buf *to, struct slice text)
{
    for (size_t i = 0; i < text.len;) {
        size_t len = utf8_char_len((const unsigned char *)text.ptr + i, text.len - i);
        if (len == 0 || text.ptr[i] == '\0') buf_append(to, SLICE("\xEF\xBF\xBD"));
        else buf_append(to, slice_of(text.ptr + i, len));
        i += len ? len : 1;
    }
}

void postgres_rows_add_text(struct postgres_rows *r, struct slice text)
{
    if (is_clean(text)) {
        add(r, TEXT, text.ptr, text.len);
        return;
    }
    struct buf cleaned;
    buf_init(&cleaned);
    clean(&cleaned, text);
    add(r, TEXT, buf_ptr(&cleaned), buf_len(&cleaned));
    buf_clear(&cleaned);
}

struct postgres_param postgres_rows_param(struct postgres_rows *r, uint32_t type)
{
    close_row(r);
    const uint32_t head[HEAD_BYTES / 4] = {r->count > 0, 0, type, r->count, 1};
    for (size_t i = 0; i < HEAD_BYTES / 4; i++)
        write_u32(buf_ptr(&r->bytes) + 4 * i, head[i]);
    size_t len = r->count ? buf_len(&r->bytes) : EMPTY_HEAD_BYTES;
    return (struct postgres_param){POSTGRES_ROWS, slice_of(buf_ptr(&r->bytes), len), true};
}

/* ---- For COPY: fields have no types there, rows no lengths. */

static uint32_t read_u32(const char *from)
{
    uint32_t wire;
    memcpy(&wire, from, sizeof wire);
    return be32toh(wire);
}

static void append_u32(struct buf *out, uint32_t value)
{
    uint32_t wire = htobe32(value);
    buf_append(out, slice_of((const char *)&wire, sizeof wire));
}

static void append_count(struct buf *out, uint32_t count)
{
    uint16_t wire = htobe16((uint16_t)count);
    buf_append(out, slice_of((const char *)&wire, sizeof wire));
}

/* Returns behind it. */
static const char *copy_row(const char *at, uint32_t first, struct buf *out)
{
    uint32_t fields = read_u32(at + 4);
    append_count(out, fields + 1);
    append_u32(out, sizeof first);
    append_u32(out, first);
    at += 8;
    while (fields--) {
        uint32_t len = 4 + read_u32(at + 4);
        buf_append(out, slice_of(at + 4, len));
        at += 4 + len;
    }
    return at;
}

void postgres_rows_copy(struct postgres_rows *r, int32_t first, struct buf *out)
{
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* and the literal's own NUL: no flags, no more */
    close_row(r);
    buf_append(out, slice_of(head, sizeof head));
    const char *at = buf_ptr(&r->bytes) + HEAD_BYTES;
    for (uint32_t i = 0; i < r->count; i++)
        at = copy_row(at, (uint32_t)first, out);
    append_count(out, UINT16_MAX);
}
