#include "form.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"

static struct slice between(struct slice text, const char *before, char end)
{
    const char *at = text.len ? memmem(text.ptr, text.len, before, strlen(before)) : NULL;
    if (!at) return SLICE_NONE;
    struct slice rest = slice_of(at + strlen(before), text.len - (size_t)(at - text.ptr) - strlen(before)), behind;
    return slice_split(rest, end, &behind);
}

static json_t *file_of(struct slice filename, struct slice bytes)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1];
    unsigned len = 0;
    EVP_Digest(bytes.len ? bytes.ptr : "", bytes.len, digest, &len, EVP_sha256(), NULL);
    for (unsigned i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return json_pack("{s:o, s:I, s:s}", "filename", json_stringn(filename.len ? filename.ptr : "", filename.len),
                     "bytes", (json_int_t)bytes.len, "sha256", text);
}

static json_t *value_of(struct slice name, struct slice text)
{
    if (slice_equal(name, SLICE("stream"))) return json_boolean(slice_iequal(text, SLICE("true")));
    return json_stringn(text.len ? text.ptr : "", text.len);
}

/* The second of a name makes a list of both. */
static void add(json_t *form, const char *name, json_t *value)
{
    json_t *there = json_object_get(form, name);
    if (json_is_array(there)) {
        json_array_append_new(there, value);
    } else if (there) {
        json_object_set_new(form, name, json_pack("[O, o]", there, value));
    } else {
        json_object_set_new(form, name, value);
    }
}

static void add_part(json_t *form, struct slice part)
{
    const char *blank = memmem(part.ptr, part.len, "\r\n\r\n", 4);
    if (!blank) return;
    struct slice head = slice_of(part.ptr, (size_t)(blank - part.ptr));
    struct slice value = slice_of(blank + 4, part.len - head.len - 4);
    struct slice name = between(head, " name=\"", '"'), filename = between(head, "filename=\"", '"');
    char key[256];
    snprintf(key, sizeof key, "%.*s", SLICE_FMT(name));
    add(form, key, filename.ptr ? file_of(filename, value) : value_of(name, value));
}

static struct slice without_line_end(struct slice part)
{
    if (part.len && part.ptr[part.len - 1] == '\n') part.len--;
    if (part.len && part.ptr[part.len - 1] == '\r') part.len--;
    return part;
}

json_t *form_parse(struct slice content_type, struct slice body)
{
    char delimiter[128];
    struct slice boundary = between(content_type, "boundary=\"", '"');
    if (!slice_starts(content_type, SLICE("multipart/form-data"))) return NULL;
    if (!boundary.ptr) boundary = between(content_type, "boundary=", ';');
    size_t len = (size_t)snprintf(delimiter, sizeof delimiter, "--%.*s", SLICE_FMT(boundary));
    json_t *form = json_object();
    const char *at = body.len ? memmem(body.ptr, body.len, delimiter, len) : NULL, *end = body.ptr + body.len;
    while (at) {
        const char *from = at + len;
        at = memmem(from, (size_t)(end - from), delimiter, len);
        if (at) add_part(form, without_line_end(slice_of(from, (size_t)(at - from))));
    }
    return form;
}
