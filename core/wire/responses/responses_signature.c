#include "wire/responses/responses_signature.h"

void responses_signature_write(struct buf *out, struct slice id, struct slice encrypted)
{
    bool has_blank = id.len && memchr(id.ptr, ' ', id.len);
    buf_append(out, SLICE(SIGNATURE_OF_RESPONSES));
    if (!has_blank) buf_append(out, id);
    buf_append_char(out, ' ');
    buf_append(out, encrypted);
}

bool responses_signature_read(struct slice text, struct slice *id, struct slice *encrypted)
{
    struct slice mark = SLICE(SIGNATURE_OF_RESPONSES);
    if (!slice_starts(text, mark)) return false;
    *id = slice_split(slice_of(text.ptr + mark.len, text.len - mark.len), ' ', encrypted);
    return encrypted->len > 0;
}
