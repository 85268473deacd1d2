#include "server/manifest.h"

#include <inttypes.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/hex.h"

#define HEAD "moongate-bundle v1"

void manifest_hash(struct slice bytes, char hex[MANIFEST_DIGEST_BYTES])
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)bytes.ptr, bytes.len, hash);
    hex_write(hash, sizeof hash, hex);
}

static void append_file(struct buf *out, const struct bundle_file *file)
{
    char text[MANIFEST_DIGEST_BYTES];
    manifest_hash(file->text, text);
    buf_printf(out, "%s %.*s\n", text, SLICE_FMT(file->path));
}

void manifest_write(const struct manifest *m, const struct bundle *bundle, struct buf *out)
{
    buf_printf(out, HEAD "\nserial %" PRIu64 "\nbase %s\ndigest %s\n", m->serial, m->base, bundle_digest(bundle));
    if (m->signers[0]) buf_printf(out, "signers %s\n", m->signers);
    for (size_t i = 0; i < bundle_count(bundle); i++)
        append_file(out, bundle_at(bundle, i));
}

/* What stands behind the name in the next line. */
static bool take_line(struct slice *rest, const char *name, struct slice *value)
{
    struct slice line = slice_split(*rest, '\n', rest);
    return slice_equal(slice_split(line, ' ', value), slice_str(name));
}

static bool is_digest(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!memchr("0123456789abcdef", text.ptr[i], 16)) return false;
    }
    return text.len == MANIFEST_DIGEST_BYTES - 1;
}

bool manifest_is_base(struct slice text)
{
    return slice_equal(text, SLICE("none")) || is_digest(text);
}

bool manifest_read(struct slice text, struct manifest *m, struct fault *why)
{
    struct slice rest, serial, base, digest;
    *m = (struct manifest){.serial = 0};
    if (!slice_equal(slice_split(text, '\n', &rest), SLICE(HEAD)))
        return fault_set(why, FAULT_INTERNAL, MANIFEST_FILE " does not begin with \"" HEAD "\"");
    if (!take_line(&rest, "serial", &serial) || !slice_to_u64(serial, &m->serial) || m->serial == 0 ||
        !take_line(&rest, "base", &base) || !manifest_is_base(base) || !take_line(&rest, "digest", &digest) ||
        !is_digest(digest))
        return fault_set(why, FAULT_INTERNAL,
                         MANIFEST_FILE " is damaged: serial, base and digest stand in lines 2 to 4");
    memcpy(m->base, base.ptr, base.len);
    memcpy(m->digest, digest.ptr, digest.len);
    if (!take_line(&rest, "signers", &digest)) return true;
    if (!is_digest(digest))
        return fault_set(why, FAULT_INTERNAL, MANIFEST_FILE " is damaged: signers stands in line 5");
    memcpy(m->signers, digest.ptr, digest.len);
    return true;
}

struct slice manifest_line(struct slice text, struct slice path)
{
    struct slice rest = text, line, name;
    while (rest.len) {
        line = slice_split(rest, '\n', &rest);
        slice_split(line, ' ', &name);
        if (slice_equal(name, path)) return line;
    }
    return SLICE_NONE;
}

bool manifest_fits(const struct manifest *m, struct slice text, const struct bundle *bundle)
{
    struct buf again;
    buf_init(&again);
    manifest_write(m, bundle, &again);
    bool is_same = slice_equal(buf_slice(&again), text);
    buf_clear(&again);
    return is_same;
}
