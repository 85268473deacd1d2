#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/check.h"
#include "store/ledger/link.h"
#include "store/texts/texts_inner.h"

#define VERSION 1
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define HEAD_BYTES (1 + TEXT_KEY_ID_BYTES + NONCE_BYTES)

/* Whose it is and what it belongs to. The part's length keeps part and subject apart. */
static void bind_context(EVP_CIPHER_CTX *c, const struct text *text, const char head[HEAD_BYTES])
{
    int n;
    unsigned char part_bytes = (unsigned char)text->part.len;
    const struct slice all[] = {slice_of(head, HEAD_BYTES), slice_of((const char *)text->id, LINK_ID_BYTES),
                                slice_of((const char *)&part_bytes, 1), text->part, text->subject};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const unsigned char *bytes = (const unsigned char *)all[i].ptr;
        if (all[i].len) check(EVP_CipherUpdate(c, NULL, &n, bytes, (int)all[i].len) == 1);
    }
}

static EVP_CIPHER_CTX *begin(const struct text_key *key, const struct text *text, const char head[HEAD_BYTES],
                             int is_sealing)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    const unsigned char *nonce = (const unsigned char *)head + 1 + TEXT_KEY_ID_BYTES;
    check(c && EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key->bytes, nonce, is_sealing) == 1);
    bind_context(c, text, head);
    return c;
}

bool text_seal(const struct text_key *key, const struct text *text, struct buf *out)
{
    int n = 0, last;
    char *head = buf_reserve(out, HEAD_BYTES + text->bytes.len + TAG_BYTES);
    unsigned char *to = (unsigned char *)head + HEAD_BYTES;
    head[0] = VERSION;
    memcpy(head + 1, key->id, TEXT_KEY_ID_BYTES);
    if (RAND_bytes((unsigned char *)head + 1 + TEXT_KEY_ID_BYTES, NONCE_BYTES) != 1) return false;
    EVP_CIPHER_CTX *c = begin(key, text, head, 1);
    const unsigned char *bytes = (const unsigned char *)text->bytes.ptr;
    if (text->bytes.len) check(EVP_CipherUpdate(c, to, &n, bytes, (int)text->bytes.len) == 1);
    check(EVP_CipherFinal_ex(c, to + n, &last) == 1);
    check(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, to + text->bytes.len) == 1);
    EVP_CIPHER_CTX_free(c);
    buf_grew(out, HEAD_BYTES + text->bytes.len + TAG_BYTES);
    return true;
}

const uint8_t *text_key_id(struct slice sealed)
{
    if (sealed.len < HEAD_BYTES + TAG_BYTES || sealed.ptr[0] != VERSION) return NULL;
    return (const uint8_t *)sealed.ptr + 1;
}

bool text_unseal(const struct text_key *key, const struct text *text, struct buf *out)
{
    int n = 0, last;
    if (!text_key_id(text->bytes)) return false;
    size_t len = text->bytes.len - HEAD_BYTES - TAG_BYTES;
    const unsigned char *from = (const unsigned char *)text->bytes.ptr + HEAD_BYTES;
    unsigned char tag[TAG_BYTES], *to = (unsigned char *)buf_reserve(out, len + 1);
    memcpy(tag, from + len, sizeof tag);
    EVP_CIPHER_CTX *c = begin(key, text, text->bytes.ptr, 0);
    if (len) check(EVP_CipherUpdate(c, to, &n, from, (int)len) == 1);
    check(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1);
    bool is_good = EVP_CipherFinal_ex(c, to + n, &last) == 1;
    EVP_CIPHER_CTX_free(c);
    if (is_good)
        buf_grew(out, len);
    else
        explicit_bzero(to, len);
    return is_good;
}
