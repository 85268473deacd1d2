#include <endian.h>
#include <string.h>

#include "store/sshsig/sshsig_inner.h"

bool ssh_take(struct slice *rest, size_t len, struct slice *taken)
{
    if (rest->len < len) return false;
    *taken = slice_of(rest->ptr, len);
    *rest = slice_of(rest->ptr + len, rest->len - len);
    return true;
}

bool ssh_take_u32(struct slice *rest, uint32_t *value)
{
    struct slice bytes;
    uint32_t wire;
    if (!ssh_take(rest, sizeof wire, &bytes)) return false;
    memcpy(&wire, bytes.ptr, sizeof wire);
    *value = be32toh(wire);
    return true;
}

bool ssh_take_string(struct slice *rest, struct slice *value)
{
    uint32_t len;
    return ssh_take_u32(rest, &len) && ssh_take(rest, len, value);
}

/* The first bit is a sign: a zero stands before a number whose own first bit is set, and nowhere else. */
bool ssh_take_number(struct slice *rest, struct slice *bytes)
{
    if (!ssh_take_string(rest, bytes) || bytes->len == 0 || (uint8_t)bytes->ptr[0] & 0x80) return false;
    if (bytes->ptr[0] != 0) return true;
    *bytes = slice_of(bytes->ptr + 1, bytes->len - 1);
    return bytes->len && (uint8_t)bytes->ptr[0] & 0x80;
}
