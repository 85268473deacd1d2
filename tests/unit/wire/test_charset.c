/* Texts in another encoding than UTF-8 are told from what is no text at all. */
#include "../unit.h"

#include "wire/charset.h"

static void expect(const char *bytes, size_t len, const char *type, bool is_foreign)
{
    if (charset_is_foreign(slice_of(bytes, len), slice_str(type)) != is_foreign) UNIT_FAIL("%s (%s)", bytes, type);
}

#define FOREIGN(bytes, type) expect(bytes, sizeof bytes - 1, type, true)
#define OTHER(bytes, type) expect(bytes, sizeof bytes - 1, type, false)

static void texts_in_another_encoding(void)
{
    FOREIGN("\xFF\xFE" "a\0b\0", "");
    FOREIGN("\xFE\xFF\0a", "application/octet-stream");
    FOREIGN("\0\0\xFE\xFF\0\0\0a", "");
    FOREIGN("a\0b\0c\0\n\0", "");
    FOREIGN("\0a\0b\0c\0\n", "application/pdf");
    FOREIGN("a\0\0\0b\0\0\0", "");
    FOREIGN("caf\xE9\r\n\t", "");
    FOREIGN("\x01\xFF", "Text/Plain; charset=latin-1");
    FOREIGN("\x01\xFF", "application/jsonl");
}

static void all_else(void)
{
    OTHER("", "");
    OTHER("a", "text/plain");
    OTHER("caf\xC3\xA9", "text/csv");
    OTHER("\x89PNG\r\n\x1A\n\0\0\0\rIHDR", "image/png");
    OTHER("%PDF-1.7\n%\xE2\xE3\x01\0", "");
    OTHER("a\0bcdefgh", "");
}

int main(void)
{
    RUN(texts_in_another_encoding);
    RUN(all_else);
    return unit_close("charset");
}
