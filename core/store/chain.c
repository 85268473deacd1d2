#include "store/chain.h"

#include <endian.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/check.h"

#define GENESIS SLICE("moongate ledger 1\n")

/* One context for all: making one, and looking the digest up, costs as much as half a body. */
static EVP_MD_CTX *context(void)
{
    static EVP_MD_CTX *md;
    static EVP_MD *sha256;
    if (!md) {
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        md = EVP_MD_CTX_new();
        check(sha256 && md && EVP_DigestInit_ex(md, sha256, NULL) == 1);
    } else {
        check(EVP_DigestInit_ex(md, NULL, NULL) == 1);
    }
    return md;
}

static void hash_all(uint8_t hash[CHAIN_HASH_BYTES], const struct slice *parts, size_t count)
{
    EVP_MD_CTX *md = context();
    for (size_t i = 0; i < count; i++)
        check(EVP_DigestUpdate(md, parts[i].ptr, parts[i].len) == 1);
    check(EVP_DigestFinal_ex(md, hash, NULL) == 1);
}

void chain_genesis(uint8_t hash[CHAIN_HASH_BYTES], struct slice gateway, struct slice key_fingerprint)
{
    struct slice parts[] = {GENESIS, gateway, SLICE("\n"), key_fingerprint};
    hash_all(hash, parts, 4);
}

void chain_hash(uint8_t hash[CHAIN_HASH_BYTES], const uint8_t before[CHAIN_HASH_BYTES], uint64_t seq,
                enum chain_kind kind, struct slice body)
{
    char head[CHAIN_HASH_BYTES + sizeof seq + 1];
    uint64_t wire = htobe64(seq);
    memcpy(head, before, CHAIN_HASH_BYTES);
    memcpy(head + CHAIN_HASH_BYTES, &wire, sizeof wire);
    head[CHAIN_HASH_BYTES + sizeof wire] = (char)kind;
    struct slice parts[] = {slice_of(head, sizeof head), body};
    hash_all(hash, parts, 2);
}

const char *chain_kind_name(int kind)
{
    switch ((enum chain_kind)kind) {
    case CHAIN_START: return "start";
    case CHAIN_EXCHANGE: return "exchange";
    case CHAIN_INTENT: return "intent";
    case CHAIN_CHANGE: return "change";
    case CHAIN_LOSS: return "loss";
    case CHAIN_STOP: return "stop";
    case CHAIN_IMPORT: return "import";
    case CHAIN_ALERT: return "alert";
    }
    return NULL;
}
