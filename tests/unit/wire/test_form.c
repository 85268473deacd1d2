/* Forms: what stands in them is found, whatever two readers could take apart differently is refused, and what leaves
 * again is what came but for the edits. */
#include "../unit.h"

#include "base/limits.h"
#include "base/mem.h"
#include "wire/form.h"
#include "wire/json.h"
#include "wire/multipart.h"
#include "wire/splice.h"

#define TYPE "multipart/form-data; boundary=x-1"
#define FIELD(name, value) "--x-1\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_PART                                                                                                      \
    "--x-1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n"   \
    "ID3\0\r\n-\r\n--x-2\n\xFF\r\n"
#define END "--x-1--\r\n"
static const char usual[] = FIELD("model", "m") FILE_PART FIELD("stream", "true") FIELD("prompt", "a \"b\"") FIELD(
    "temperature", "0.5") FIELD("include[]", "a") FIELD("include[]", "b") END;

static struct arena arena;
static struct buf json;
static struct chat_attached attached;
static struct fault why;

static struct form *read_as(const char *type, struct slice body)
{
    buf_reset(&json);
    return form_read(slice_str(type), body, CHAT_TRANSCRIPTIONS, &arena, &json, &attached, &why);
}

static struct form *read(struct slice body)
{
    return read_as(TYPE, body);
}

#define USUAL slice_of(usual, sizeof usual - 1)

static void stands_for_an_object(void)
{
    EXPECT(read(USUAL) != NULL);
    EXPECT_SLICE(SLICE("{\"model\":\"m\",\"file\":{\"filename\":\"a.mp3\",\"bytes\":16},\"stream\":true,"
                       "\"prompt\":\"a \\\"b\\\"\",\"temperature\":0.5,\"include[]\":\"a\",\"include[]\":\"b\"}"),
                 buf_slice(&json));
    EXPECT_INT(16, attached.audio_bytes);
    EXPECT_INT(0, attached.pictures);
}

static struct buf written(const struct form *form, struct slice body, struct slice edited)
{
    struct slice *pieces;
    size_t count;
    struct buf out;
    buf_init(&out);
    if (!form_write(form, body, edited, &arena, &pieces, &count, &why)) UNIT_FAIL("%s", fault_message(&why));
    for (size_t i = 0; i < count; i++) {
        EXPECT(pieces[i].len > 0);
        buf_append(&out, pieces[i]);
    }
    return out;
}

static void unedited_it_is_the_bytes_that_came(void)
{
    struct form *form = read(USUAL);
    struct slice *pieces;
    size_t count;
    EXPECT(form_write(form, USUAL, buf_slice(&json), &arena, &pieces, &count, &why));
    EXPECT_INT(1, count);
    EXPECT(pieces[0].ptr == usual);
    EXPECT_INT(sizeof usual - 1, pieces[0].len);
}

static void expect_written(struct slice edited, struct slice wanted)
{
    struct form *form = read(USUAL);
    struct buf out = written(form, USUAL, edited);
    EXPECT_SLICE(wanted, buf_slice(&out));
    buf_clear(&out);
}

#define WANTED(text) slice_of(text, sizeof(text) - 1)

static void edits_become_parts(void)
{
    expect_written(
        SLICE("{\"model\":\"other\",\"file\":{\"filename\":\"a.mp3\",\"bytes\":16},\"stream\":true,\"temperature\":1,"
              "\"include[]\":\"a\",\"include[]\":\"b\",\"user\":\"u\\n1\"}"),
        WANTED(FIELD("model", "other") FILE_PART FIELD("stream", "true") FIELD("temperature", "1")
                   FIELD("include[]", "a") FIELD("include[]", "b") FIELD("user", "u\n1") END));
}

static void a_file_may_be_called_otherwise(void)
{
    static const char wanted[] = "--x-1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"[email]_\"\r\n"
                                 "Content-Type: audio/mpeg\r\n\r\nID3\0\r\n-\r\n--x-2\n\xFF\r\n" END;
    expect_written(SLICE("{\"file\":{\"filename\":\"[email]\\\"\",\"bytes\":16}}"), WANTED(wanted));
}

static void an_edit_cannot_add_a_part(void)
{
    struct form *form = read(USUAL);
    struct slice *pieces;
    size_t count;
    const char *edited = "{\"model\":\"m\\r\\n--x-1\\r\\nContent-Disposition: form-data; name=\\\"n\\\"\\r\\n\\r\\n9\"}";
    EXPECT(!form_write(form, USUAL, slice_str(edited), &arena, &pieces, &count, &why));
    EXPECT_INT(FAULT_BAD_BODY, why.code);
}

static void what_two_could_read_differently_is_refused(void)
{
#define PART(head) "--x-1\r\n" head "\r\n\r\nm\r\n" END
    static const struct {
        const char *body, *says;
    } cases[] = {
        {"", "does not begin"},
        {"\r\n" FIELD("a", "b") END, "does not begin"},
        {"preamble\r\n" FIELD("a", "b") END, "does not begin"},
        {END, "no parts"},
        {"--x-1", "boundary that is none"},
        {"--x-1\n", "boundary that is none"},
        {"--x-1 \r\n", "boundary that is none"},
        {FIELD("a", "b"), "last boundary is missing"},
        {FIELD("a", "b") "--x-1", "boundary that is none"},
        {FIELD("a", "b") "--x-1-", "boundary that is none"},
        {FIELD("a", "b") END "epilogue", "boundary that is none"},
        {FIELD("a", "b") "--x-1--\n", "boundary that is none"},
        {FIELD("a", "b\n--x-1\nContent-Disposition: form-data; name=\"model\"\n\nother") END, "holds the boundary"},
        {FIELD("a", "b\r--x-1\rx") END, "holds the boundary"},
        {FIELD("a", "b\r\n--x-12") END, "boundary that is none"},
        {PART("Content-Disposition: form-data"), "has no name"},
        {PART("Content-Disposition: form-data; name=\"\""), "has no name"},
        {PART("Content-Disposition: attachment; name=\"a\""), "form-data"},
        {PART("Content-Disposition: form-data; name=\"a\"; name=\"b\""), "twice"},
        {PART("Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\""), "one"},
        {PART("content-type: text/plain"), "no Content-Disposition"},
        {PART("Content-Disposition: form-data; name=\"a\\\"; x=\"b\""), "cannot be read"},
        {PART("Content-Disposition: form-data; name=\"a"), "cannot be read"},
        {PART("Content-Disposition: form-data; name=a b"), "cannot be read"},
        {PART("Content-Disposition: form-data; name*=utf-8''a"), "leave that out"},
        {PART("Content-Disposition: form-data; name=\"a\"; x=y"), "leave that out"},
        {PART("Content-Disposition: form-data;\r\n name=\"a\""), "has no name"},
        {PART("X: y\r\n z: a\r\nContent-Disposition: form-data; name=\"a\""), "header that is none"},
        {PART("Content-Disposition : form-data; name=\"a\""), "header that is none"},
        {PART("Content-Disposition: form-data; name=\"a\"\nX: y"), "CR LF"},
        {PART("Content-Disposition: form-data; name=\"a\xFF\""), "no UTF-8"},
        {PART("Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64"), "Encoding"},
        {PART("Content-Disposition: form-data; name=\"a\"\r\nContent-Type: text/plain; charset=utf-7"), "charset"},
        {PART("Content-Disposition: form-data; name=\"a\"\r\nContent-Type: a/b\r\ncontent-type: a/b"), "twice"},
        {FIELD("a", "\xFF") END, "no UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        why = (struct fault){.code = FAULT_NONE};
        if (read(slice_str(cases[i].body)))
            UNIT_FAIL("%zu: taken: %s", i, cases[i].body);
        else if (why.code != FAULT_BAD_BODY || !strstr(fault_message(&why), cases[i].says))
            UNIT_FAIL("%zu: \"%s\": %s", i, cases[i].says, fault_message(&why));
    }
}

static void types_that_are_none(void)
{
    static const char *const bad[] = {"", "multipart/form-data", "multipart/mixed; boundary=x-1",
                                      "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
                                      "multipart/form-data; boundary=x-1; boundary=x-2", "multipart/form-data boundary=x-1",
                                      "multipart/form-data; boundary=\"a;\"", "multipart/form-data; boundary=\"x-1 \"",
                                      "multipart/form-data; boundary=\"x-1", "multipart/form-data; boundary=x-1;",
                                      "multipart/form-data; boundary="
                                      "0123456789012345678901234567890123456789012345678901234567890123456789x"};
    static const char *const good[] = {"multipart/form-data; boundary=x-1", "Multipart/Form-Data;boundary=\"x-1\"",
                                       "multipart/form-data; charset=utf-8; Boundary=x-1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (read_as(bad[i], USUAL)) UNIT_FAIL("taken: %s", bad[i]);
        EXPECT_INT(FAULT_MEDIA_TYPE, why.code);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct form *form = read_as(good[i], USUAL);
        if (!form) UNIT_FAIL("refused: %s: %s", good[i], fault_message(&why));
        else EXPECT_SLICE(SLICE(TYPE), form_content_type(form, &arena));
    }
    struct form *odd = read_as("multipart/form-data; boundary=\"a/b\"",
                               SLICE("--a/b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--a/b--"));
    EXPECT(odd != NULL);
    if (odd) EXPECT_SLICE(SLICE("multipart/form-data; boundary=\"a/b\""), form_content_type(odd, &arena));
}

/* Cut anywhere it is no form, and no byte behind the cut is looked at (the copy is as large as it is). */
static void cut_anywhere_it_is_refused(void)
{
    for (size_t len = 0; len < sizeof usual - 1; len++) {
        char *copy = mem_alloc(len + 1);
        memcpy(copy, usual, len);
        bool is_whole = len == sizeof usual - 1 - 2; /* the last CR LF may be missing */
        if ((read(slice_of(copy, len)) != NULL) != is_whole) UNIT_FAIL("cut at %zu", len);
        mem_free(copy);
    }
}

/* One byte of the frame changed: refused, or read as it leaves. */
static void changed_anywhere_it_leaves_as_it_is_read(void)
{
    static const char others[] = "\r\n-\"; \0x:";
    char *copy = mem_alloc(sizeof usual - 1);
    for (size_t at = 0; at < sizeof usual - 1; at++) {
        for (size_t i = 0; i < sizeof others - 1; i++) {
            memcpy(copy, usual, sizeof usual - 1);
            copy[at] = others[i];
            struct slice body = slice_of(copy, sizeof usual - 1);
            struct form *form = read(body);
            if (!form) continue;
            struct buf out = written(form, body, buf_slice(&json));
            if (!slice_equal(body, buf_slice(&out))) UNIT_FAIL("byte %zu as %d", at, others[i]);
            buf_clear(&out);
        }
    }
    mem_free(copy);
}

static void append_parts(struct buf *body, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        buf_append(body, SLICE(FIELD("a", "b")));
    buf_append(body, SLICE(END));
}

static void parts_are_bounded(void)
{
    struct buf body;
    buf_init(&body);
    append_parts(&body, LIMIT_FORM_PARTS);
    EXPECT(read(buf_slice(&body)) != NULL);
    buf_reset(&body);
    append_parts(&body, LIMIT_FORM_PARTS + 1);
    EXPECT(read(buf_slice(&body)) == NULL);
    EXPECT(strstr(fault_message(&why), "more than 256 parts") != NULL);
    buf_reset(&body);
    buf_append(&body, SLICE("--x-1\r\nX: "));
    for (unsigned i = 0; i < LIMIT_FORM_HEAD_BYTES; i++)
        buf_append_char(&body, 'y');
    buf_append(&body, SLICE("\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" END));
    EXPECT(read(buf_slice(&body)) == NULL);
    EXPECT(strstr(fault_message(&why), "too long") != NULL);
    buf_clear(&body);
}

int main(void)
{
    arena_init(&arena);
    buf_init(&json);
    RUN(stands_for_an_object);
    RUN(unedited_it_is_the_bytes_that_came);
    RUN(edits_become_parts);
    RUN(a_file_may_be_called_otherwise);
    RUN(an_edit_cannot_add_a_part);
    RUN(what_two_could_read_differently_is_refused);
    RUN(types_that_are_none);
    RUN(cut_anywhere_it_is_refused);
    RUN(changed_anywhere_it_leaves_as_it_is_read);
    RUN(parts_are_bounded);
    buf_clear(&json);
    arena_clear(&arena);
    return unit_close("form");
}
